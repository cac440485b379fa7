// Copies of 16 bytes from global to shared memory that a thread goes on beside, as cp.async does from
// sm_80 on. The target holds not-a-number until the thread awaits them, so that a kernel that does
// not shows it.
#pragma once

inline void emulated_copy_16_bytes(void *to_shared, const void *from_global) {
#ifdef EMULATED_CHECKED
  emulated_access(const_cast<void *>(from_global), 16, false);
  emulated_access(to_shared, 16, true);
#endif
  emulated_self->block->services->copy(emulated_self, to_shared, from_global);
}

inline void emulated_wait_for_copies() {
  emulated_self->block->services->await_copies(emulated_self);
  asm volatile("" ::: "memory");
}
