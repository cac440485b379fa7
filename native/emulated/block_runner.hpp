// Runs one block after the other on one operating-system thread.
//
// The threads of a warp start one after the other on the same stack; only one that waits (for a
// barrier or its warp) keeps that stack, and the next starts on another. So a kernel without
// barriers is a plain loop. When all lanes of a warp have stopped, requests whose mask is complete
// are answered; when all threads of the block stand at the same barrier, it opens. Whatever can
// never go on is what a real card leaves undefined, and fails here.
#pragma once

#include <csetjmp>
#include <memory>
#include <string>
#include <vector>

#include "core.hpp"
#include "device/abi.hpp"
#include "fiber.hpp"

namespace emulated {

constexpr int kMostThreads = 1024;
constexpr int kWarpSize = 32;
constexpr size_t kMostShared = 227 << 10;

// Memory of a module that its threads share, as it lies for this operating-system thread.
struct SharedVariable {
  char *start;
  size_t bytes;
};

// What is the same for all blocks of a launch.
struct GridJob {
  const Kernel *kernel;
  void **parameters;
  Index3 grid, block;
  size_t dynamic_bytes;
  bool reverse;
};

class BlockRunner {
 public:
  BlockRunner();
  ~BlockRunner();
  BlockRunner(const BlockRunner &) = delete;

  // The runner of the calling operating-system thread.
  static BlockRunner &mine();

  void prepare(const GridJob &job, const std::vector<SharedVariable> &shared);
  // Throws Failure; the runner must be prepared again after that.
  void run(Index3 block);

  // For the signal handler: what runs on this operating-system thread (NULL if nothing does), and
  // that it stops for good; the handler then jumps to `escape`.
  static BlockRunner *active();
  void abandon(int code, const std::string &text);
  std::string position() const;
  bool owns(uint64_t address) const;
  bool is_stack(uint64_t address) const;

  sigjmp_buf escape;
  Failure caught{0, ""};

 private:
  struct Fiber {
    BlockRunner *runner;
    unsigned char *stack;
    void *top;
  };
  enum class State : unsigned char { kRunning, kAtBarrier, kAtWarp, kDone };

  static void fiber_main(void *fiber);
  static void wait_at_barrier(ThreadContext *self, int line);
  static void wait_for_warp(ThreadContext *self);
  static void fail_thread(ThreadContext *self, int code, const char *text);
  static void check_access(ThreadContext *self, uint64_t address, uint64_t bytes, bool write);
  static void begin_copy(ThreadContext *self, void *to, const void *from);
  static void await_copies(ThreadContext *self);
  static const Services kServices;

  void stop(ThreadContext *self, State state);
  void start_warp(int warp);
  void settle_warp(int warp);
  bool answer_warp(int warp);
  void answer(int lane0, ThreadContext &lane);
  void open_barrier();
  void resume(int thread);
  void enter(Fiber *fiber);
  void reset_fibers();
  int warp_end(int warp) const;
  [[noreturn]] void stuck(const ThreadContext &thread, const std::string &why);

  // 16 bytes on their way to shared memory.
  struct Copy {
    void *to;
    const void *from;
  };

  unsigned char *stacks_;
  unsigned char *dynamic_;
  std::vector<Fiber> fibers_;
  std::vector<Fiber *> idle_;
  std::unique_ptr<ThreadContext[]> threads_;
  std::unique_ptr<State[]> states_;
  std::unique_ptr<Fiber *[]> fiber_of_;
  std::vector<SharedVariable> shared_;
  std::vector<std::vector<Copy>> copies_;  // that each thread has begun and not awaited
  BlockContext context_{};
  GridJob job_{};
  int count_ = 0;  // threads of a block
  int done_ = 0;
  int next_ = 0;  // next thread of the warp that is being started
  int limit_ = 0;
  void *scheduler_ = nullptr;
  ThreadContext *running_ = nullptr;
  bool dirty_ = false;
};

}  // namespace emulated
