// Working memory of the calling thread, kept for the next call: only one pass runs at a time, and its
// largest need bounds the memory.
#pragma once

#include <cstddef>

namespace siamban {

enum ScratchUse { kFilters, kImages, kGradients, kSums, kScratchUses };

// At least `bytes`, aligned to a cache line, not cleared; valid until the next call for the same use.
void *scratch(ScratchUse use, size_t bytes);

}  // namespace siamban
