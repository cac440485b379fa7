#include "launch.hpp"

#include <atomic>
#include <cstring>

#include "device_memory.hpp"
#include "faults.hpp"

namespace emulated {

namespace {

// Fewer threads than this are not worth waking a second worker for.
constexpr uint64_t kParallelThreads = 2048;

void check_sizes(const Function &function, Index3 grid, Index3 block, size_t dynamic_bytes) {
  const char *name = function.kernel->name;
  uint64_t threads = uint64_t{block.x} * block.y * block.z;
  if (!threads || !grid.x || !grid.y || !grid.z) {
    fail(kInvalidValue, "kernel %s: a grid of (%u, %u, %u) blocks of (%u, %u, %u) threads is empty",
         name, grid.x, grid.y, grid.z, block.x, block.y, block.z);
  }
  if (threads > kMostThreads || block.x > kMostBlockXY || block.y > kMostBlockXY ||
      block.z > kMostBlockZ) {
    fail(kInvalidValue,
         "kernel %s: a block of (%u, %u, %u) threads exceeds %d, at most (%u, %u, %u)", name,
         block.x, block.y, block.z, kMostThreads, kMostBlockXY, kMostBlockXY, kMostBlockZ);
  }
  if (grid.x > kMostGridX || grid.y > kMostGridYZ || grid.z > kMostGridYZ) {
    fail(kInvalidValue, "kernel %s: a grid of (%u, %u, %u) blocks exceeds (%u, %u, %u)", name,
         grid.x, grid.y, grid.z, kMostGridX, kMostGridYZ, kMostGridYZ);
  }
  if (function.kernel->most_threads && threads > unsigned(function.kernel->most_threads)) {
    fail(kOutOfResources, "kernel %s: %zu threads a block exceed its launch bounds of %d", name,
         size_t(threads), function.kernel->most_threads);
  }
  if (dynamic_bytes > size_t(function.most_dynamic_bytes) ||
      function.static_bytes + dynamic_bytes > kMostShared ||
      (function.most_dynamic_bytes <= int(kMostPlainShared) &&
       function.static_bytes + dynamic_bytes > kMostPlainShared)) {
    fail(kInvalidValue,
         "kernel %s: %zu static and %zu dynamic bytes of shared memory exceed %d, raise "
         "CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES (at most %zu with the static ones)",
         name, function.static_bytes, dynamic_bytes, function.most_dynamic_bytes, kMostShared);
  }
}

size_t align_up(size_t offset, size_t alignment) {
  return (offset + alignment - 1) / alignment * alignment;
}

void copy_parameters(Launch &launch, void **parameters, void **extra) {
  const Kernel &kernel = *launch.function->kernel;
  if (parameters && extra)
    fail(kInvalidValue, "kernel %s: both params and extra are given", kernel.name);
  const char *packed = nullptr;
  if (extra) {
    for (int i = 0; extra[i]; i += 2) {
      if (extra[i] == reinterpret_cast<void *>(1)) packed = static_cast<const char *>(extra[i + 1]);
    }
  }
  if (kernel.count && !parameters && !packed) {
    fail(kInvalidValue, "kernel %s: it takes %d parameters, none are given", kernel.name,
         kernel.count);
  }
  std::vector<size_t> offsets;
  size_t end = 0, source = 0;
  for (int i = 0; i < kernel.count; i++) {
    offsets.push_back(align_up(end, 16));
    end = offsets.back() + kernel.parameters[i].bytes;
  }
  launch.values.resize(end);
  for (int i = 0; i < kernel.count; i++) {
    const Parameter &parameter = kernel.parameters[i];
    source = align_up(source, parameter.alignment);
    const void *value = packed ? packed + source : parameters[i];
    source += parameter.bytes;
    if (!value)
      fail(kInvalidValue, "kernel %s: parameter %d is NULL, it takes %d", kernel.name, i,
           kernel.count);
    memcpy(launch.values.data() + offsets[i], value, parameter.bytes);
    launch.parameters.push_back(launch.values.data() + offsets[i]);
  }
}

// A pointer that is no device address faults on a card as soon as it is used; here host memory
// would be readable, so it is refused before the kernel runs.
std::vector<const Allocation *> check_pointers(const Launch &launch) {
  const Kernel &kernel = *launch.function->kernel;
  std::vector<const Allocation *> touched;
  for (int i = 0; i < kernel.count; i++) {
    if (!kernel.parameters[i].pointee) continue;
    Address address;
    memcpy(&address, launch.parameters[i], sizeof address);
    if (!address || is_module_memory(address)) continue;
    if (!is_device_address(address)) {
      fail(kIllegalAddress, "kernel %s: parameter %d is 0x%zx, which is no device address",
           kernel.name, i, size_t(address));
    }
    if (const Allocation *allocation = find_allocation(address)) touched.push_back(allocation);
  }
  return touched;
}

struct Progress {
  std::atomic<uint64_t> next{0};
  std::atomic<bool> failed{false};
  Failure failure{0, ""};
};

Index3 block_at(uint64_t number, const GridJob &job) {
  return {unsigned(number % job.grid.x), unsigned(number / job.grid.x % job.grid.y),
          unsigned(number / job.grid.x / job.grid.y)};
}

void run_blocks(BlockRunner &runner, const GridJob &job, Progress &progress, uint64_t chunk) {
  uint64_t total = uint64_t{job.grid.x} * job.grid.y * job.grid.z;
  if (sigsetjmp(runner.escape, 1)) {
    Failure failure = runner.caught;
    runner.caught = {0, ""};
    throw failure;
  }
  for (;;) {
    uint64_t from = progress.next.fetch_add(chunk);
    uint64_t to = from + chunk < total ? from + chunk : total;
    for (uint64_t i = from; i < to; i++) {
      if (progress.failed.load(std::memory_order_relaxed)) return;
      runner.run(block_at(job.reverse ? total - 1 - i : i, job));
    }
    if (to >= total) return;
  }
}

void work(const Launch &launch, const GridJob &job, Progress &progress, uint64_t chunk) {
  try {
    BlockRunner &runner = BlockRunner::mine();
    HandlerStack stack;
    runner.prepare(job, shared_variables(*launch.function));
    run_blocks(runner, job, progress, chunk);
  } catch (const Failure &failure) {
    if (!progress.failed.exchange(true)) progress.failure = failure;
  }
}

}  // namespace

std::shared_ptr<Launch> make_launch(Function *function, Index3 grid, Index3 block,
                                    size_t dynamic_bytes, void **parameters, void **extra) {
  check_sizes(*function, grid, block, dynamic_bytes);
  auto launch = std::make_shared<Launch>();
  launch->function = function;
  launch->grid = grid;
  launch->block = block;
  launch->dynamic_bytes = dynamic_bytes;
  copy_parameters(*launch, parameters, extra);
  return launch;
}

void run_launch(const Launch &launch) {
  std::vector<const Allocation *> touched = check_pointers(launch);
  GridJob job{launch.function->kernel,
              const_cast<void **>(launch.parameters.data()),
              launch.grid,
              launch.block,
              launch.dynamic_bytes,
              reverse_order()};
  uint64_t blocks = uint64_t{job.grid.x} * job.grid.y * job.grid.z;
  uint64_t threads = blocks * job.block.x * job.block.y * job.block.z;
  int workers = blocks > 1 && threads >= kParallelThreads ? worker_threads() : 1;
  uint64_t chunk = blocks / (8 * workers) + 1;
  Progress progress;
  {
    FaultHandlers handlers;
    if (workers == 1) {
      work(launch, job, progress, chunk);
    } else {
#pragma omp parallel num_threads(workers)
      work(launch, job, progress, chunk);
    }
  }
  if (progress.failed) throw progress.failure;
  for (const Allocation *allocation : touched) {
    try {
      require_canaries(*allocation);
    } catch (const Failure &failure) {
      fail(failure.code, "kernel %s: %s", job.kernel->name, failure.text.c_str());
    }
  }
}

}  // namespace emulated
