#include "progress.hpp"

#include <chrono>
#include <thread>

namespace emulated {

namespace {

constexpr std::chrono::milliseconds kPatience(5);

std::vector<Mark> promised;

// Under the lock: runs what was promised; a failure stays with the device and meets its owner there.
void keep_promises() {
  std::vector<Mark> due;
  due.swap(promised);
  for (const Mark &mark : due) {
    try {
      // Whoever runs the stream now may stop before the mark.
      if (mark.stream->running) {
        promised.push_back(mark);
        continue;
      }
      drain(*mark.stream, mark.position);
    } catch (const Failure &) {
    }
  }
}

void work() {
  for (;;) {
    std::this_thread::sleep_for(kPatience);
    std::lock_guard<std::mutex> hold(lock());
    keep_promises();
  }
}

}  // namespace

void ensure_progress(Stream &stream) {
  static bool started = (std::thread(work).detach(), true);
  (void)started;
  promised.push_back({&stream, stream.queued});
}

}  // namespace emulated
