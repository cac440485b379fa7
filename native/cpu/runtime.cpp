// State of the library itself: the last error, the number of threads, and advice on memory.

#include <omp.h>
#ifdef __linux__
#include <sched.h>
#endif
#include <sys/mman.h>

#include <cstring>

#include "native.hpp"

namespace siamban {

namespace {
thread_local char last_error[512] = "";
}

void set_last_error(const char *text) noexcept {
  std::strncpy(last_error, text, sizeof last_error - 1);
}

}  // namespace siamban

// The words for the last failure on this thread.
SIAMBAN_EXPORT const char *siamban_last_error() { return siamban::last_error; }

// Uses `count` threads from now on, or one a core for 0; returns the number.
SIAMBAN_EXPORT int32_t siamban_set_threads(int32_t count) {
  omp_set_num_threads(count > 0 ? count : omp_get_num_procs());
  return omp_get_max_threads();
}

// Ties each thread but the calling one to a processor of its own, of those that the process may use; returns
// how many. The calling thread stays free, because threads that it starts later would be tied with it.
SIAMBAN_EXPORT int32_t siamban_pin_threads() {
  int32_t pinned = 0;
#ifdef __linux__
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return 0;
#pragma omp parallel reduction(+ : pinned)
  {
    // The processor with as many allowed ones before it as this thread's number.
    int before = omp_get_thread_num(), own = 0;
    while (own < CPU_SETSIZE && (!CPU_ISSET(own, &allowed) || before-- > 0)) own++;
    if (omp_get_thread_num() > 0 && own < CPU_SETSIZE) {
      cpu_set_t one;
      CPU_ZERO(&one);
      CPU_SET(own, &one);
      pinned += sched_setaffinity(0, sizeof one, &one) == 0;
    }
  }
#endif
  return pinned;
}

// Asks for huge pages behind fresh memory; with 4 KB pages, first touches and address translation
// cost about a tenth of a step. Advice only: what the system refuses changes nothing.
SIAMBAN_EXPORT void siamban_advise_huge_pages(uint64_t address, uint64_t bytes) {
#ifdef MADV_HUGEPAGE
  constexpr uint64_t page = 4096;
  uint64_t first = (address + page - 1) & ~(page - 1);
  uint64_t last = (address + bytes) & ~(page - 1);
  if (last > first) madvise(reinterpret_cast<void *>(first), last - first, MADV_HUGEPAGE);
#else
  (void)address, (void)bytes;
#endif
}
