// Atomic operations: blocks run on several operating-system threads, so they are real ones.
#pragma once

template <size_t bytes>
struct EmulatedBits;
template <>
struct EmulatedBits<4> {
  using Type = unsigned;
};
template <>
struct EmulatedBits<8> {
  using Type = unsigned long long;
};

template <typename T, typename Change>
inline T emulated_atomic(T *address, Change change) {
  using Bits = typename EmulatedBits<sizeof(T)>::Type;
  Bits *cell = reinterpret_cast<Bits *>(address);
  Bits before = __atomic_load_n(cell, __ATOMIC_RELAXED);
  for (;;) {
    Bits after = emulated_bits<Bits>(change(emulated_bits<T>(before)));
    if (__atomic_compare_exchange_n(cell, &before, after, true, __ATOMIC_RELAXED,
                                    __ATOMIC_RELAXED)) {
      return emulated_bits<T>(before);
    }
  }
}

#define EMULATED_ATOMIC(name, T, expression)                                     \
  inline T name(T *address, T value) {                                           \
    return emulated_atomic(address, [value](T old) -> T { return expression; }); \
  }
#define EMULATED_ATOMIC_INTEGERS(name, expression) \
  EMULATED_ATOMIC(name, int, expression)           \
  EMULATED_ATOMIC(name, unsigned, expression)      \
  EMULATED_ATOMIC(name, unsigned long long, expression)
EMULATED_ATOMIC_INTEGERS(atomicAdd, old + value)
EMULATED_ATOMIC(atomicAdd, float, old + value)
EMULATED_ATOMIC(atomicAdd, double, old + value)
EMULATED_ATOMIC(atomicSub, int, old - value)
EMULATED_ATOMIC(atomicSub, unsigned, old - value)
EMULATED_ATOMIC_INTEGERS(atomicMin, value < old ? value : old)
EMULATED_ATOMIC_INTEGERS(atomicMax, old < value ? value : old)
EMULATED_ATOMIC_INTEGERS(atomicAnd, old &value)
EMULATED_ATOMIC_INTEGERS(atomicOr, old | value)
EMULATED_ATOMIC_INTEGERS(atomicXor, old ^ value)
EMULATED_ATOMIC_INTEGERS(atomicExch, ((void)old, value))
EMULATED_ATOMIC(atomicExch, float, ((void)old, value))
EMULATED_ATOMIC(atomicInc, unsigned, old >= value ? 0u : old + 1)
EMULATED_ATOMIC(atomicDec, unsigned, old == 0 || old > value ? value : old - 1)
#undef EMULATED_ATOMIC_INTEGERS
#undef EMULATED_ATOMIC

#define EMULATED_CAS(T)                                                                    \
  inline T atomicCAS(T *address, T expected, T value) {                                    \
    return emulated_atomic(address, [=](T old) { return old == expected ? value : old; }); \
  }
EMULATED_CAS(int)
EMULATED_CAS(unsigned)
EMULATED_CAS(unsigned long long)
#undef EMULATED_CAS

inline void __threadfence() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
inline void __threadfence_block() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
inline void __threadfence_system() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
