// Driver API: device and host memory, copies, fills.
#include <cstring>
#include <memory>

#include "device.hpp"
#include "device_memory.hpp"
#include "driver_call.hpp"
#include "graph.hpp"
#include "host_memory.hpp"

using namespace emulated;

namespace {

char *memory_at(Address address) { return reinterpret_cast<char *>(address); }

void to_device(const char *call, Stream &stream, Address to, const void *from, size_t bytes) {
  require_host(call, from);
  std::string name = call;
  if (is_pinned(from, bytes)) {
    submit(stream, {Task::kCopy,
                    name,
                    [=] {
                      require_range(name.c_str(), to, bytes);
                      memcpy(memory_at(to), from, bytes);
                    },
                    nullptr,
                    {}});
    if (reverse_order() && !stream.capture) run_ready_copies(stream);
    return;
  }
  require_not_capturing("a copy from host memory that is not pinned", stream);
  // Ordinary host memory is staged during the call.
  auto *first = static_cast<const char *>(from);
  auto staged = std::make_shared<std::vector<char>>(first, first + bytes);
  submit(stream, {Task::kCopy,
                  name,
                  [=] {
                    require_range(name.c_str(), to, bytes);
                    memcpy(memory_at(to), staged->data(), bytes);
                  },
                  nullptr,
                  {}});
}

void to_host(const char *call, Stream &stream, void *to, Address from, size_t bytes) {
  require_host(call, to);
  std::string name = call;
  bool pinned = is_pinned(to, bytes);
  if (!pinned) require_not_capturing(call, stream);
  // Whoever reads too early shall notice.
  if (pinned && !stream.capture) memset(to, 0xFF, bytes);
  submit(stream, {Task::kCopy,
                  name,
                  [=] {
                    require_range(name.c_str(), from, bytes);
                    memcpy(to, memory_at(from), bytes);
                  },
                  nullptr,
                  {}});
  if (!pinned) drain(stream);
}

void on_device(const char *call, Stream &stream, Address to, Address from, size_t bytes) {
  std::string name = call;
  submit(stream, {Task::kCopy,
                  name,
                  [=] {
                    require_range(name.c_str(), from, bytes);
                    require_range(name.c_str(), to, bytes);
                    memmove(memory_at(to), memory_at(from), bytes);
                  },
                  nullptr,
                  {}});
}

template <typename T>
void fill(const char *call, Stream &stream, Address to, T value, size_t count) {
  std::string name = call;
  if (to % sizeof(T)) fail(kInvalidValue, "%s: 0x%zx is misaligned", call, size_t(to));
  submit(stream, {Task::kFill,
                  name,
                  [=] {
                    require_range(name.c_str(), to, count * sizeof(T));
                    T *first = reinterpret_cast<T *>(to);
                    for (size_t i = 0; i < count; i++) first[i] = value;
                  },
                  nullptr,
                  {}});
}

Stream &legacy(const char *call) {
  Device &device = current_device();
  require_no_capture(call);
  return device.legacy_stream;
}

}  // namespace

EMULATED_API int cuMemGetInfo_v2(size_t *free, size_t *total) {
  return driver_call([&] {
    *total = memory_limit();
    size_t held = held_bytes(current_device().number);
    *free = held < *total ? *total - held : 0;
  });
}

EMULATED_API int cuMemAlloc_v2(Address *address, size_t bytes) {
  return driver_call([&] {
    Device &device = current_device();
    require_no_capture("cuMemAlloc");
    *address = allocate(bytes, device.number);
  });
}

EMULATED_API int cuMemFree_v2(Address address) {
  return driver_call([&] {
    Device &device = current_device();
    require_no_capture("cuMemFree");
    if (!address) return;
    drain(device);
    release(address);
  });
}

EMULATED_API int cuMemAllocAsync(Address *address, size_t bytes, uint64_t stream) {
  return driver_call([&] {
    Stream &found = stream_at(stream);
    if (found.capture) fail(kNotSupported, "the emulated device captures no allocations");
    *address = allocate(bytes, found.device->number);
  });
}

EMULATED_API int cuMemFreeAsync(Address address, uint64_t stream) {
  return driver_call([&] {
    Stream &found = stream_at(stream);
    if (found.capture) fail(kNotSupported, "the emulated device captures no releases");
    if (!find_allocation(address) || find_allocation(address)->start != address) {
      fail(kInvalidValue, "0x%zx cannot be freed: %s", size_t(address),
           describe_address(address).c_str());
    }
    submit(found, {Task::kOrder, "cuMemFreeAsync", [=] { release(address); }, nullptr, {}});
  });
}

EMULATED_API int cuDeviceGetDefaultMemPool(void **pool, int device) {
  return driver_call([&] { *pool = &device_at(device); });
}
EMULATED_API int cuMemPoolSetAttribute(void *, int, void *) { return kSuccess; }
EMULATED_API int cuMemPoolGetAttribute(void *pool, int, uint64_t *value) {
  return driver_call([&] { *value = held_bytes(static_cast<Device *>(pool)->number); });
}
EMULATED_API int cuMemPoolTrimTo(void *, size_t) { return kSuccess; }

EMULATED_API int cuMemAllocHost_v2(void **start, size_t bytes) {
  return driver_call([&] {
    current_device();
    *start = allocate_host(bytes);
  });
}
EMULATED_API int cuMemHostAlloc(void **start, size_t bytes, unsigned) {
  return cuMemAllocHost_v2(start, bytes);
}
EMULATED_API int cuMemFreeHost(void *start) {
  return driver_call([&] {
    drain(current_device());
    release_host(start);
  });
}
EMULATED_API int cuMemHostRegister_v2(void *start, size_t bytes, unsigned) {
  return driver_call([&] {
    current_device();
    register_host(start, bytes);
  });
}
EMULATED_API int cuMemHostUnregister(void *start) {
  return driver_call([&] {
    drain(current_device());
    unregister_host(start);
  });
}

EMULATED_API int cuMemcpyHtoD_v2(Address to, const void *from, size_t bytes) {
  return driver_call([&] {
    Stream &stream = legacy("cuMemcpyHtoD");
    to_device("cuMemcpyHtoD", stream, to, from, bytes);
    if (is_pinned(from, bytes)) drain(stream);
  });
}
EMULATED_API int cuMemcpyDtoH_v2(void *to, Address from, size_t bytes) {
  return driver_call([&] {
    Stream &stream = legacy("cuMemcpyDtoH");
    drain_blocking(*stream.device);
    to_host("cuMemcpyDtoH", stream, to, from, bytes);
    drain(stream);
  });
}
EMULATED_API int cuMemcpyDtoD_v2(Address to, Address from, size_t bytes) {
  return driver_call([&] { on_device("cuMemcpyDtoD", legacy("cuMemcpyDtoD"), to, from, bytes); });
}
EMULATED_API int cuMemcpyHtoDAsync_v2(Address to, const void *from, size_t bytes, uint64_t stream) {
  return driver_call([&] { to_device("cuMemcpyHtoDAsync", stream_at(stream), to, from, bytes); });
}
EMULATED_API int cuMemcpyDtoHAsync_v2(void *to, Address from, size_t bytes, uint64_t stream) {
  return driver_call([&] { to_host("cuMemcpyDtoHAsync", stream_at(stream), to, from, bytes); });
}
EMULATED_API int cuMemcpyDtoDAsync_v2(Address to, Address from, size_t bytes, uint64_t stream) {
  return driver_call([&] { on_device("cuMemcpyDtoDAsync", stream_at(stream), to, from, bytes); });
}
EMULATED_API int cuMemcpyPeerAsync(Address to, void *, Address from, void *, size_t bytes,
                                   uint64_t stream) {
  return driver_call([&] { on_device("cuMemcpyPeerAsync", stream_at(stream), to, from, bytes); });
}

EMULATED_API int cuMemsetD8_v2(Address to, unsigned char value, size_t count) {
  return driver_call([&] { fill("cuMemsetD8", legacy("cuMemsetD8"), to, value, count); });
}
EMULATED_API int cuMemsetD32_v2(Address to, unsigned value, size_t count) {
  return driver_call([&] { fill("cuMemsetD32", legacy("cuMemsetD32"), to, value, count); });
}
EMULATED_API int cuMemsetD8Async(Address to, unsigned char value, size_t count, uint64_t stream) {
  return driver_call([&] { fill("cuMemsetD8Async", stream_at(stream), to, value, count); });
}
EMULATED_API int cuMemsetD16Async(Address to, unsigned short value, size_t count, uint64_t stream) {
  return driver_call([&] { fill("cuMemsetD16Async", stream_at(stream), to, value, count); });
}
EMULATED_API int cuMemsetD32Async(Address to, unsigned value, size_t count, uint64_t stream) {
  return driver_call([&] { fill("cuMemsetD32Async", stream_at(stream), to, value, count); });
}
