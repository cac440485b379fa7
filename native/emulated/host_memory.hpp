// Page-locked host memory, which alone is copied asynchronously.
#pragma once

#include <cstddef>

namespace emulated {

void *allocate_host(size_t bytes);
void release_host(void *start);
void register_host(void *start, size_t bytes);
void unregister_host(void *start);
bool is_pinned(const void *start, size_t bytes);
// Throws Failure{kInvalidValue} for a device address in a host pointer's place.
void require_host(const char *what, const void *start);

}  // namespace emulated
