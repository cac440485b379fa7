#include "block_runner.hpp"

#include <sys/mman.h>

#include <cstring>

#include "device_memory.hpp"

namespace emulated {

namespace {

constexpr size_t kGuard = 4096;
constexpr size_t kDynamicPages = (kMostShared + kGuard - 1) / kGuard * kGuard;
constexpr int kGarbage = 0xFF;
constexpr size_t kCopyBytes = 16;

thread_local BlockRunner *active_runner = nullptr;

unsigned char *map_memory(size_t bytes) {
  void *memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) fail(kOutOfMemory, "the host has no memory for stacks of threads");
  return static_cast<unsigned char *>(memory);
}

}  // namespace

const Services BlockRunner::kServices = {wait_at_barrier, wait_for_warp, fail_thread,
                                         check_access,    begin_copy,    await_copies};

BlockRunner::BlockRunner()
    : stacks_(map_memory(kMostThreads * kStackBytes)),
      dynamic_(map_memory(kDynamicPages + kGuard)),
      fibers_(kMostThreads),
      threads_(new ThreadContext[kMostThreads]),
      states_(new State[kMostThreads]),
      fiber_of_(new Fiber *[kMostThreads]),
      copies_(kMostThreads) {
  mprotect(dynamic_ + kDynamicPages, kGuard, PROT_NONE);
  for (int i = 0; i < kMostThreads; i++) mprotect(stacks_ + i * kStackBytes, kGuard, PROT_NONE);
  reset_fibers();
}

BlockRunner::~BlockRunner() {
  munmap(stacks_, kMostThreads * kStackBytes);
  munmap(dynamic_, kDynamicPages + kGuard);
}

BlockRunner &BlockRunner::mine() {
  static thread_local std::unique_ptr<BlockRunner> runner;
  if (!runner) runner.reset(new BlockRunner);
  return *runner;
}

BlockRunner *BlockRunner::active() { return active_runner; }

void BlockRunner::reset_fibers() {
  idle_.clear();
  for (int i = kMostThreads - 1; i >= 0; i--) {
    // Staggered, or the tops of all stacks would compete for the same lines of the cache.
    unsigned char *top = stacks_ + (i + 1) * kStackBytes - (i % 16) * 256;
    fibers_[i] = {this, top, nullptr};
    fibers_[i].top = prepare_stack(top, fiber_main, &fibers_[i]);
    idle_.push_back(&fibers_[i]);
  }
  dirty_ = false;
}

void BlockRunner::prepare(const GridJob &job, const std::vector<SharedVariable> &shared) {
  if (dirty_) reset_fibers();
  job_ = job;
  shared_ = shared;
  count_ = job.block.x * job.block.y * job.block.z;
  size_t dynamic = (job.dynamic_bytes + 15) / 16 * 16;
  context_ = {{}, job.block, job.grid, dynamic_ + kDynamicPages - dynamic, &kServices};
  if (job.dynamic_bytes) {
    shared_.push_back({reinterpret_cast<char *>(context_.dynamic_shared), dynamic});
  }
  for (int i = 0; i < count_; i++) {
    unsigned n = i, x = n % job.block.x, y = n / job.block.x % job.block.y;
    threads_[i] = {};
    threads_[i].thread = {x, y, n / (job.block.x * job.block.y)};
    threads_[i].number = n;
    threads_[i].block = &context_;
  }
}

void BlockRunner::run(Index3 block) {
  context_.block = block;
  done_ = 0;
  dirty_ = true;
  active_runner = this;
  // Whoever reads what no thread of this block wrote gets not-a-number.
  for (const SharedVariable &variable : shared_) memset(variable.start, kGarbage, variable.bytes);
  for (int i = 0; i < count_; i++) copies_[i].clear();
  int warps = (count_ + kWarpSize - 1) / kWarpSize;
  for (int i = 0; i < warps; i++) start_warp(job_.reverse ? warps - 1 - i : i);
  while (done_ < count_) open_barrier();
  active_runner = nullptr;
  dirty_ = false;
}

void BlockRunner::abandon(int code, const std::string &text) {
  caught = {code, position() + ": " + text};
  active_runner = nullptr;
}

int BlockRunner::warp_end(int warp) const {
  int end = (warp + 1) * kWarpSize;
  return end < count_ ? end : count_;
}

void BlockRunner::start_warp(int warp) {
  next_ = warp * kWarpSize;
  limit_ = warp_end(warp);
  int before = done_, lanes = limit_ - next_;
  while (next_ < limit_) {
    Fiber *fiber = idle_.back();
    idle_.pop_back();
    enter(fiber);
  }
  if (done_ - before < lanes) settle_warp(warp);
}

void BlockRunner::fiber_main(void *argument) {
  Fiber *fiber = static_cast<Fiber *>(argument);
  BlockRunner &runner = *fiber->runner;
  for (;;) {
    while (runner.next_ < runner.limit_) {
      int i = runner.next_++;
      if (runner.job_.reverse) {
        int first = (i / kWarpSize) * kWarpSize;
        i = first + runner.limit_ - 1 - i;
      }
      ThreadContext *thread = &runner.threads_[i];
      runner.running_ = thread;
      runner.states_[i] = State::kRunning;
      runner.fiber_of_[i] = fiber;
      emulated_call(runner.job_.kernel->call, runner.job_.parameters, thread);
      runner.states_[thread->number] = State::kDone;
      runner.done_++;
    }
    runner.idle_.push_back(fiber);
    emulated_switch(&fiber->top, runner.scheduler_);
  }
}

void BlockRunner::enter(Fiber *fiber) {
  emulated_switch(&scheduler_, fiber->top);
  if (caught.code) {
    Failure failure = caught;
    caught = {0, ""};
    active_runner = nullptr;
    throw failure;
  }
}

void BlockRunner::resume(int thread) {
  states_[thread] = State::kRunning;
  running_ = &threads_[thread];
  enter(fiber_of_[thread]);
}

void BlockRunner::stop(ThreadContext *self, State state) {
  states_[self->number] = state;
  Fiber *fiber = fiber_of_[self->number];
  emulated_switch(&fiber->top, scheduler_);
}

void BlockRunner::wait_at_barrier(ThreadContext *self, int line) {
  self->line = line;
  active_runner->stop(self, State::kAtBarrier);
}

void BlockRunner::wait_for_warp(ThreadContext *self) { active_runner->stop(self, State::kAtWarp); }

void BlockRunner::fail_thread(ThreadContext *self, int code, const char *text) {
  BlockRunner &runner = *active_runner;
  runner.caught = {code, runner.position() + ": " + text};
  runner.stop(self, State::kDone);
}

void BlockRunner::begin_copy(ThreadContext *self, void *to, const void *from) {
  memset(to, kGarbage, kCopyBytes);
  active_runner->copies_[self->number].push_back({to, from});
}

void BlockRunner::await_copies(ThreadContext *self) {
  std::vector<Copy> &begun = active_runner->copies_[self->number];
  for (const Copy &copy : begun) memcpy(copy.to, copy.from, kCopyBytes);
  begun.clear();
}

void BlockRunner::open_barrier() {
  const ThreadContext *first = nullptr;
  for (int i = 0; i < count_; i++) {
    if (states_[i] != State::kAtBarrier) continue;
    if (!first) first = &threads_[i];
    if (threads_[i].line != first->line) {
      stuck(threads_[i],
            format_text("waits at the barrier of line %d, thread %u at that of line %d",
                        threads_[i].line, first->number, first->line));
    }
  }
  if (done_)
    stuck(*first, format_text("waits at the barrier of line %d that %d of %d threads never "
                              "reached",
                              first->line, done_, count_));
  int warps = (count_ + kWarpSize - 1) / kWarpSize;
  next_ = limit_ = 0;
  for (int w = 0; w < warps; w++) {
    int warp = job_.reverse ? warps - 1 - w : w;
    int start = warp * kWarpSize, end = warp_end(warp);
    for (int k = start; k < end; k++) resume(job_.reverse ? start + end - 1 - k : k);
    settle_warp(warp);
  }
}

void BlockRunner::stuck(const ThreadContext &thread, const std::string &why) {
  running_ = const_cast<ThreadContext *>(&thread);
  std::string text = position() + " " + why;
  active_runner = nullptr;
  throw Failure{kLaunchFailed, text};
}

std::string BlockRunner::position() const {
  if (!running_) return format_text("kernel %s", job_.kernel->name);
  const Index3 &b = context_.block, &t = running_->thread;
  return format_text("kernel %s, block (%u, %u, %u), thread (%u, %u, %u)", job_.kernel->name, b.x,
                     b.y, b.z, t.x, t.y, t.z);
}

bool BlockRunner::is_stack(uint64_t address) const {
  return address - reinterpret_cast<uint64_t>(stacks_) < kMostThreads * kStackBytes;
}

bool BlockRunner::owns(uint64_t address) const {
  auto within = [address](const void *start, size_t bytes) {
    return address - reinterpret_cast<uint64_t>(start) < bytes;
  };
  if (is_stack(address) || within(&context_, sizeof context_) ||
      within(threads_.get(), kMostThreads * sizeof(ThreadContext)) ||
      within(context_.services, sizeof *context_.services)) {  // that barriers and shuffles call
    return true;
  }
  for (const SharedVariable &variable : shared_) {
    if (within(variable.start, variable.bytes)) return true;
  }
  return false;
}

void BlockRunner::check_access(ThreadContext *self, uint64_t address, uint64_t bytes, bool write) {
  bool vector = bytes == 2 || bytes == 4 || bytes == 8 || bytes == 16;
  const char *verb = write ? "writes" : "reads";
  if (vector && address % bytes) {
    std::string text = format_text("%s %zu bytes at 0x%zx, which is misaligned", verb,
                                   size_t(bytes), size_t(address));
    fail_thread(self, kMisaligned, text.c_str());
  }
  if (active_runner->owns(address)) return;
  const Allocation *allocation = find_allocation(address);
  if (allocation && address + bytes <= allocation->start + allocation->bytes) return;
  if (!allocation && !is_device_address(address) && is_module_memory(address)) return;
  std::string text =
      format_text("%s %zu bytes at 0x%zx: %s", verb, size_t(bytes), size_t(address),
                  describe_address(allocation ? address + bytes - 1 : address).c_str());
  fail_thread(self, kIllegalAddress, text.c_str());
}

}  // namespace emulated
