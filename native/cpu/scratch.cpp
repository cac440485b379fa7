#include "scratch.hpp"

#include <sys/mman.h>

#include <cstdlib>
#include <new>

namespace siamban {

namespace {

constexpr size_t kPage = 1 << 21;  // a huge page

struct Block {
  void *memory = nullptr;
  size_t bytes = 0;
  ~Block() { std::free(memory); }
};

}  // namespace

void *scratch(ScratchUse use, size_t bytes) {
  thread_local Block blocks[kScratchUses];
  Block &block = blocks[use];
  if (block.bytes < bytes) {
    std::free(block.memory);
    block.bytes = (bytes + kPage - 1) / kPage * kPage;
    block.memory = std::aligned_alloc(kPage, block.bytes);
    if (!block.memory) {
      block.bytes = 0;
      throw std::bad_alloc();
    }
#ifdef MADV_HUGEPAGE
    madvise(block.memory, block.bytes, MADV_HUGEPAGE);
#endif
  }
  return block.memory;
}

}  // namespace siamban
