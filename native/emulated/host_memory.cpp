#include "host_memory.hpp"

#include <cstdlib>
#include <map>

#include "core.hpp"
#include "device_memory.hpp"

namespace emulated {

namespace {
struct Pinned {
  size_t bytes;
  bool owned;
};
std::map<const char *, Pinned> pinned;

void remove(void *start, bool owned) {
  auto found = pinned.find(static_cast<char *>(start));
  if (found == pinned.end() || found->second.owned != owned) {
    fail(owned ? kInvalidValue : kNotRegistered, "0x%zx is no pinned host memory", size_t(start));
  }
  pinned.erase(found);
}
}  // namespace

void *allocate_host(size_t bytes) {
  if (bytes == 0) fail(kInvalidValue, "0 bytes of host memory were asked for");
  void *start = aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
  if (!start) fail(kOutOfMemory, "%zu bytes of host memory cannot be had", bytes);
  pinned[static_cast<char *>(start)] = {bytes, true};
  return start;
}

void release_host(void *start) {
  remove(start, true);
  free(start);
}

void register_host(void *start, size_t bytes) {
  if (!start || !bytes) fail(kInvalidValue, "no host memory is given");
  if (is_pinned(start, 1)) fail(kAlreadyRegistered, "0x%zx is pinned already", size_t(start));
  pinned[static_cast<char *>(start)] = {bytes, false};
}

void unregister_host(void *start) { remove(start, false); }

bool is_pinned(const void *start, size_t bytes) {
  auto *first = static_cast<const char *>(start);
  auto after = pinned.upper_bound(first);
  if (after == pinned.begin()) return false;
  --after;
  return first + bytes <= after->first + after->second.bytes;
}

void require_host(const char *what, const void *start) {
  if (!start) fail(kInvalidValue, "%s: the host pointer is NULL", what);
  if (is_device_address(reinterpret_cast<Address>(start))) {
    fail(kInvalidValue, "%s: 0x%zx is a device address, a host pointer is expected", what,
         size_t(start));
  }
}

}  // namespace emulated
