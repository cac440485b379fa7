// Checks each access to memory, in programs compiled with --device-debug.
//
// The compiler calls one of these before every load and store (-fsanitize=kernel-address, whose
// reports we replace). Only kernel code is compiled so.
#pragma once

#ifdef EMULATED_CHECKED
EMULATED_UNCHECKED static inline void emulated_access(void *address, long bytes, bool write) {
  emulated_self->block->services->access(emulated_self, reinterpret_cast<uint64_t>(address), bytes,
                                         write);
}

#define EMULATED_ACCESS(bytes)                                           \
  EMULATED_UNCHECKED void __asan_load##bytes##_noabort(void *address) {  \
    emulated_access(address, bytes, false);                              \
  }                                                                      \
  EMULATED_UNCHECKED void __asan_store##bytes##_noabort(void *address) { \
    emulated_access(address, bytes, true);                               \
  }
extern "C" {
EMULATED_ACCESS(1)
EMULATED_ACCESS(2)
EMULATED_ACCESS(4)
EMULATED_ACCESS(8)
EMULATED_ACCESS(16)
EMULATED_UNCHECKED void __asan_loadN_noabort(void *address, long bytes) {
  emulated_access(address, bytes, false);
}
EMULATED_UNCHECKED void __asan_storeN_noabort(void *address, long bytes) {
  emulated_access(address, bytes, true);
}
EMULATED_UNCHECKED void __asan_handle_no_return() {}
EMULATED_UNCHECKED void __asan_before_dynamic_init(const void *) {}
EMULATED_UNCHECKED void __asan_after_dynamic_init() {}
}
#undef EMULATED_ACCESS
#endif
