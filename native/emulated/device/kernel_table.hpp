// How a kernel object tells the library what kernels it holds. The lines that use this are appended
// to the source when it is compiled (kernel_text.cpp).
#pragma once

#define EMULATED_UNCHECKED __attribute__((no_sanitize("kernel-address")))

namespace emulated {

template <size_t... i>
struct Numbers {};
template <size_t n, size_t... i>
struct NumbersTo : NumbersTo<n - 1, n - 1, i...> {};
template <size_t... i>
struct NumbersTo<0, i...> {
  using Type = Numbers<i...>;
};

template <typename T>
struct ParameterOf {
  static constexpr Parameter value{sizeof(T), alignof(T), 0};
};
template <typename T>
struct ParameterOf<T *> {
  static constexpr Parameter value{sizeof(T *), alignof(T *), 1};
};

template <auto function>
struct KernelOf;

template <typename... P, void (*function)(P...)>
struct KernelOf<function> {
  static constexpr Parameter parameters[sizeof...(P) + 1] = {ParameterOf<P>::value..., {0, 0, 0}};

  // The values lie in the host's memory, so these two are not checked.
  template <size_t... i>
  EMULATED_UNCHECKED static void unpack(void **values, Numbers<i...>) {
    function(*static_cast<P *>(values[i])...);
  }
  EMULATED_UNCHECKED static void call(void **values) {
    unpack(values, typename NumbersTo<sizeof...(P)>::Type{});
  }

  EMULATED_UNCHECKED static Kernel describe(const char *name, int most_threads) {
    return {
        name,        reinterpret_cast<const void *>(function), call, parameters, int(sizeof...(P)),
        most_threads};
  }
};

}  // namespace emulated

// The first thread-local variable: the library finds the __shared__ ones by their distance from it.
extern "C" thread_local char emulated_shared_anchor;
thread_local char emulated_shared_anchor = 0;
inline char *emulated_anchor() { return &emulated_shared_anchor; }

// A function, because its body must not be checked: it runs while no thread does.
#define EMULATED_KERNELS(...)                                                                     \
  extern "C" EMULATED_UNCHECKED const emulated::KernelTable *emulated_kernel_table() {            \
    static const emulated::Kernel kernels[] = {__VA_ARGS__};                                      \
    static const emulated::KernelTable table = {emulated::kAbi, sizeof kernels / sizeof *kernels, \
                                                kernels, emulated_anchor};                        \
    return &table;                                                                                \
  }
