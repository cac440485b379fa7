// Checks each access to memory, in programs compiled with --device-debug.
//
// The compiler calls one of these before every load and store (-fsanitize=kernel-address, whose
// reports we replace). Only kernel code is compiled so.
#pragma once

#ifdef EMULATED_CHECKED
#define EMULATED_UNCHECKED __attribute__((no_sanitize("kernel-address")))

EMULATED_UNCHECKED static inline void emulated_access(unsigned long address, unsigned long bytes, bool write) {
  emulated_self->block->services->access(emulated_self, address, bytes, write);
}

#define EMULATED_ACCESS(bytes)                                                            \
  EMULATED_UNCHECKED void __asan_load##bytes##_noabort(unsigned long address) {           \
    emulated_access(address, bytes, false);                                               \
  }                                                                                       \
  EMULATED_UNCHECKED void __asan_store##bytes##_noabort(unsigned long address) {          \
    emulated_access(address, bytes, true);                                                \
  }
extern "C" {
EMULATED_ACCESS(1)
EMULATED_ACCESS(2)
EMULATED_ACCESS(4)
EMULATED_ACCESS(8)
EMULATED_ACCESS(16)
EMULATED_UNCHECKED void __asan_loadN_noabort(unsigned long address, unsigned long bytes) {
  emulated_access(address, bytes, false);
}
EMULATED_UNCHECKED void __asan_storeN_noabort(unsigned long address, unsigned long bytes) {
  emulated_access(address, bytes, true);
}
EMULATED_UNCHECKED void __asan_handle_no_return() {}
}
#undef EMULATED_ACCESS
#endif
