// Barriers, shuffles and votes: the thread leaves a request in its context and waits.
//
// They are macros so that the source's line is known: threads that wait at different barriers, or
// lanes at different shuffles, are found out.
#pragma once

inline void emulated_barrier(int line) {
  asm volatile("" ::: "memory");
  emulated_self->block->services->barrier(emulated_self, line);
  asm volatile("" ::: "memory");
}

inline uint64_t emulated_warp(emulated::WarpOp op, int line, unsigned mask, unsigned source,
                              uint64_t value) {
  emulated::ThreadContext *self = emulated_self;
  self->op = op;
  self->line = line;
  self->mask = mask;
  self->source = source;
  self->value = value;
  asm volatile("" ::: "memory");
  self->block->services->warp(self);
  asm volatile("" ::: "memory");
  return self->result;
}

template <typename T>
inline T emulated_exchange(int line, unsigned mask, T value, unsigned source) {
  static_assert(sizeof(T) <= 8, "a shuffle moves up to 8 bytes");
  uint64_t bits = 0;
  memcpy(&bits, &value, sizeof value);
  bits = emulated_warp(emulated::WarpOp::kShuffle, line, mask, source, bits);
  memcpy(&value, &bits, sizeof value);
  return value;
}

inline unsigned emulated_lane() { return emulated_self->number % 32; }

template <typename T>
inline T emulated_shfl(int line, unsigned mask, T value, int lane, int width = 32) {
  unsigned segment = emulated_lane() & ~(width - 1);
  return emulated_exchange(line, mask, value, segment + (lane & (width - 1)));
}
template <typename T>
inline T emulated_shfl_up(int line, unsigned mask, T value, unsigned delta, int width = 32) {
  unsigned lane = emulated_lane(), place = lane & (width - 1);
  return emulated_exchange(line, mask, value, place < delta ? lane : lane - delta);
}
template <typename T>
inline T emulated_shfl_down(int line, unsigned mask, T value, unsigned delta, int width = 32) {
  unsigned lane = emulated_lane(), place = lane & (width - 1);
  return emulated_exchange(line, mask, value,
                           place + delta < unsigned(width) ? lane + delta : lane);
}
template <typename T>
inline T emulated_shfl_xor(int line, unsigned mask, T value, int bits, int width = 32) {
  unsigned lane = emulated_lane(), source = lane ^ bits;
  bool within = (source & ~(width - 1)) <= (lane & ~(width - 1));
  return emulated_exchange(line, mask, value, within ? source : lane);
}
inline unsigned emulated_ballot(int line, unsigned mask, bool predicate) {
  return static_cast<unsigned>(emulated_warp(emulated::WarpOp::kBallot, line, mask, predicate, 0));
}
inline void emulated_sync(int line, unsigned mask = 0xFFFFFFFFu) {
  emulated_warp(emulated::WarpOp::kSync, line, mask, 0, 0);
}

#define __syncthreads() emulated_barrier(__LINE__)
#define __syncwarp(...) emulated_sync(__LINE__, ##__VA_ARGS__)
#define __shfl_sync(...) emulated_shfl(__LINE__, __VA_ARGS__)
#define __shfl_up_sync(...) emulated_shfl_up(__LINE__, __VA_ARGS__)
#define __shfl_down_sync(...) emulated_shfl_down(__LINE__, __VA_ARGS__)
#define __shfl_xor_sync(...) emulated_shfl_xor(__LINE__, __VA_ARGS__)
#define __ballot_sync(...) emulated_ballot(__LINE__, __VA_ARGS__)
#define __any_sync(...) (emulated_ballot(__LINE__, __VA_ARGS__) != 0)
#define __all_sync(mask, predicate) (emulated_ballot(__LINE__, mask, !(predicate)) == 0)

[[noreturn]] inline void emulated_fail(int code, const char *text) {
  emulated_self->block->services->fail(emulated_self, code, text);
  __builtin_unreachable();
}
#define __trap() emulated_fail(719, "ran into __trap()")
#define assert(condition) \
  ((condition) ? (void)0 : emulated_fail(710, "assertion failed: " #condition))
