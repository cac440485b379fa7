// Device memory: a range of addresses of its own, in which only live allocations are mapped.
//
//   | unmapped guard page | slack | allocation | slack < 256 B | unmapped guard page |
//
// An allocation ends as near to its guard page as 256-byte alignment lets it; the slack holds a
// canary that is compared later. Addresses are never given out twice, so that a pointer kept too
// long always faults. Fresh memory holds 0xFF bytes: not-a-number as float.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace emulated {

using Address = uint64_t;

struct Allocation {
  Address start;
  size_t bytes;
  Address first_page;
  size_t page_bytes;
  int device;
};

// Throws Failure{kOutOfMemory}; `held` is what the device holds already.
Address allocate(size_t bytes, int device);
// Throws Failure{kInvalidValue} for what is no live allocation, kIllegalAddress for a broken canary.
void release(Address start);
void release_all(int device);
size_t held_bytes(int device);

bool is_device_address(Address address);
// Makes host memory of a loaded module (its __constant__ and __device__ variables) count as device's.
void add_module_memory(Address start, size_t bytes);
void remove_module_memory(Address start);
bool is_module_memory(Address address);

// The allocation around an address; NULL if there is none.
const Allocation *find_allocation(Address address);
// Throws Failure{kIllegalAddress} unless [start, start + bytes) lies in one live allocation.
void require_range(const char *what, Address start, size_t bytes);
// Throws Failure{kIllegalAddress} if a byte next to the allocation was written.
void require_canaries(const Allocation &allocation);
// What an address is, in words: "4 bytes past the end of an allocation of 400 bytes at 0x...".
std::string describe_address(Address address);

// Shows device memory to code that runs for the device, and hides it from the host again
// (with SIAMBAN_EMULATED_STRICT=1). Calls nest.
class DeviceView {
 public:
  DeviceView();
  ~DeviceView();
};

}  // namespace emulated
