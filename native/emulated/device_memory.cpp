#include "device_memory.hpp"

#include <sys/mman.h>

#include <cstring>
#include <deque>
#include <map>

#include "core.hpp"

namespace emulated {

namespace {

// Far from where Linux places libraries and heaps, and recognisable in a message; other programs may
// have reserved one of the places.
constexpr Address kFirstPlace = 0x200000000000, kPlaceStep = 0x020000000000;
constexpr int kPlaces = 32;
constexpr Address kSpan = Address{1} << 38;
constexpr size_t kUnusedStart =
    1 << 30;  // what lies before the first allocation is the device's too
constexpr size_t kPage = 4096;
constexpr size_t kAlignment = 256;
constexpr unsigned char kCanary = 0xC5;
constexpr int kPoison = 0xFF;
constexpr size_t kMostPoisoned = 64 << 20;
constexpr size_t kRemembered = 4096;

std::map<Address, Allocation> live;
std::map<Address, size_t> module_memory;
std::deque<Allocation> freed;
std::map<int, size_t> held;
Address base = 0, next_page = 0;
int views = 0;

unsigned char *bytes_at(Address address) { return reinterpret_cast<unsigned char *>(address); }

bool is_strict() { return setting("SIAMBAN_EMULATED_STRICT", 0) != 0; }

size_t round_up(size_t value, size_t step) { return (value + step - 1) / step * step; }

void protect(const Allocation &allocation, int protection) {
  mprotect(bytes_at(allocation.first_page), allocation.page_bytes, protection);
}

void reserve_range() {
  if (base) return;
  for (int i = 0; i < kPlaces; i++) {
    void *want = reinterpret_cast<void *>(kFirstPlace + i * kPlaceStep);
    void *got = mmap(want, kSpan, PROT_NONE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    if (got == want) {
      base = reinterpret_cast<Address>(got);
      next_page = base + kUnusedStart;
      return;
    }
    if (got != MAP_FAILED) munmap(got, kSpan);
  }
  fail(kOutOfMemory, "no range of device addresses can be reserved");
}

Allocation place(size_t bytes, int device) {
  reserve_range();
  size_t rounded = round_up(bytes, kAlignment);
  size_t pages = round_up(rounded, kPage);
  if (next_page + pages + kPage > base + kSpan) {
    fail(kOutOfMemory, "no device addresses are left");
  }
  Allocation made{next_page + pages - rounded, bytes, next_page, pages, device};
  next_page += pages + kPage;
  return made;
}

// Whether each byte is `value`: it is the first, and each equals the one before.
bool holds(Address from, Address to, unsigned char value) {
  if (from == to) return true;
  return *bytes_at(from) == value && !memcmp(bytes_at(from), bytes_at(from) + 1, to - from - 1);
}

// Unmaps what an allocation occupied; the addresses stay reserved.
void unmap(const Allocation &allocation) {
  mmap(bytes_at(allocation.first_page), allocation.page_bytes, PROT_NONE,
       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
  held[allocation.device] -= allocation.bytes;
  freed.push_back(allocation);
  if (freed.size() > kRemembered) freed.pop_front();
}

std::string relation(Address address, const Allocation &allocation, const char *kind) {
  Address end = allocation.start + allocation.bytes;
  std::string where = address < allocation.start
                          ? format_text("%zu bytes before", size_t(allocation.start - address))
                      : address >= end
                          ? format_text("%zu bytes past the end of", size_t(address - end))
                          : format_text("at offset %zu of", size_t(address - allocation.start));
  return format_text("%s %s of %zu bytes at 0x%zx", where.c_str(), kind, allocation.bytes,
                     size_t(allocation.start));
}

}  // namespace

Address allocate(size_t bytes, int device) {
  if (bytes == 0) fail(kInvalidValue, "an allocation of 0 bytes was asked for");
  size_t limit = static_cast<size_t>(memory_limit());
  if (bytes > limit || held[device] + bytes > limit) {
    fail(kOutOfMemory, "%zu bytes were asked for, %zu of %zu are held", bytes, held[device], limit);
  }
  Allocation made = place(bytes, device);
  protect(made, PROT_READ | PROT_WRITE);
  memset(bytes_at(made.first_page), kCanary, made.start - made.first_page);
  // Of very large ones only the ends: they are workspaces, and filling them takes long.
  size_t poisoned = bytes <= kMostPoisoned ? bytes : kMostPoisoned / 2;
  memset(bytes_at(made.start), kPoison, poisoned);
  memset(bytes_at(made.start + bytes - poisoned), kPoison, poisoned);
  memset(bytes_at(made.start + bytes), kCanary,
         made.first_page + made.page_bytes - made.start - bytes);
  if (is_strict() && views == 0) protect(made, PROT_NONE);
  held[device] += bytes;
  live.emplace(made.start, made);
  return made.start;
}

void release(Address start) {
  auto found = live.find(start);
  if (found == live.end()) {
    fail(kInvalidValue, "0x%zx cannot be freed: %s", size_t(start),
         describe_address(start).c_str());
  }
  Allocation allocation = found->second;
  live.erase(found);
  DeviceView view;
  if (is_strict()) protect(allocation, PROT_READ | PROT_WRITE);
  std::string broken;
  try {
    require_canaries(allocation);
  } catch (const Failure &failure) {
    broken = failure.text;
  }
  unmap(allocation);
  if (!broken.empty()) throw Failure{kIllegalAddress, broken};
}

void release_all(int device) {
  for (auto at = live.begin(); at != live.end();) {
    if (at->second.device != device) {
      ++at;
      continue;
    }
    unmap(at->second);
    at = live.erase(at);
  }
}

size_t held_bytes(int device) { return held[device]; }

bool is_device_address(Address address) { return base && address - base < kSpan; }

void add_module_memory(Address start, size_t bytes) { module_memory[start] = bytes; }

void remove_module_memory(Address start) { module_memory.erase(start); }

bool is_module_memory(Address address) {
  auto after = module_memory.upper_bound(address);
  if (after == module_memory.begin()) return false;
  --after;
  return address - after->first < after->second;
}

const Allocation *find_allocation(Address address) {
  auto after = live.upper_bound(address);
  if (after == live.begin()) return nullptr;
  const Allocation &candidate = std::prev(after)->second;
  return address - candidate.start < candidate.bytes ? &candidate : nullptr;
}

void require_range(const char *what, Address start, size_t bytes) {
  if (bytes == 0) return;
  if (is_module_memory(start) && is_module_memory(start + bytes - 1)) return;
  const Allocation *allocation = find_allocation(start);
  if (allocation && start + bytes <= allocation->start + allocation->bytes) return;
  fail(kIllegalAddress, "%s: %zu bytes at 0x%zx are not in one allocation: %s", what, bytes,
       size_t(start), describe_address(allocation ? start + bytes - 1 : start).c_str());
}

void require_canaries(const Allocation &allocation) {
  Address end = allocation.start + allocation.bytes;
  Address last = allocation.first_page + allocation.page_bytes;
  bool before = holds(allocation.first_page, allocation.start, kCanary);
  bool after = holds(end, last, kCanary);
  if (before && after) return;
  fail(kIllegalAddress, "memory just %s the allocation of %zu bytes at 0x%zx was written",
       after ? "before" : "behind", allocation.bytes, size_t(allocation.start));
}

std::string describe_address(Address address) {
  if (!is_device_address(address)) return "it is no device address";
  if (const Allocation *around = find_allocation(address)) {
    return relation(address, *around, "an allocation");
  }
  for (auto old = freed.rbegin(); old != freed.rend(); ++old) {
    if (address - old->first_page < old->page_bytes) {
      return relation(address, *old, "an allocation, already freed,");
    }
  }
  auto after = live.upper_bound(address);
  if (after != live.begin()) return relation(address, std::prev(after)->second, "an allocation");
  if (after != live.end()) return relation(address, after->second, "an allocation");
  return "nothing is allocated";
}

DeviceView::DeviceView() {
  if (views++ > 0 || !is_strict()) return;
  for (auto &[start, allocation] : live) protect(allocation, PROT_READ | PROT_WRITE);
}

DeviceView::~DeviceView() {
  if (--views > 0 || !is_strict()) return;
  for (auto &[start, allocation] : live) protect(allocation, PROT_NONE);
}

}  // namespace emulated
