// Sharing a kernel's work among threads, alone or within a recorded program.
//
// A kernel that runs by itself opens a parallel region and closes it again: some microseconds, which is
// what most kernels of a small network take. A program (program.cpp) opens one region for a run of
// kernels instead; each thread calls each kernel, takes its parts, and meets the others at the end of it.
// So a kernel that program.cpp knows as sharing its work must not throw, and must reach `share` on every
// thread alike.
#pragma once

#include <omp.h>

#include <cstdint>

namespace siamban {

// Runs part(0) … part(count - 1), on threads where that is worth it.
template <typename Part>
void share(int64_t count, bool worth, Part part) {
  if (omp_in_parallel()) {
#pragma omp for schedule(static)
    for (int64_t i = 0; i < count; i++) part(i);
    return;
  }
#pragma omp parallel for schedule(static) if (worth)
  for (int64_t i = 0; i < count; i++) part(i);
}

// Threads that a kernel divides its work among, in a region or about to open one.
inline int64_t team_size() { return omp_in_parallel() ? omp_get_num_threads() : omp_get_max_threads(); }

// Runs part(first, last) for pieces of 0 … size, one a thread where that is worth it.
template <typename Part>
void share_range(int64_t size, bool worth, Part part) {
  const int64_t parts = worth ? team_size() : 1;
  share(parts, worth, [&](int64_t i) { part(size * i / parts, size * (i + 1) / parts); });
}

// Multiplications below which a thread more costs more than it brings.
constexpr int64_t kSharedProducts = 1 << 17;

}  // namespace siamban
