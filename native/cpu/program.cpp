// Runs a list of calls that was recorded before, one after the other: one way into native code for a
// whole network instead of one a layer.

#include <dlfcn.h>

#include "native.hpp"

namespace {

struct AddressArgs {
  const char *name;
  uint64_t *address;  // out
};

struct RunArgs {
  const uint64_t *functions;  // addresses, each of an int32_t (const void *block)
  const uint64_t *blocks;     // addresses of their arguments
  int64_t *failed;            // out: which call failed
  int64_t count;
};

}  // namespace

// The address of an exported function of this library by name.
SIAMBAN_EXPORT int32_t siamban_function_address(const AddressArgs *args) {
  return siamban::guarded([&] {
    Dl_info self;
    void *address = nullptr;
    if (dladdr(reinterpret_cast<void *>(&siamban_function_address), &self)) {
      // Opened already; this only counts one more user.
      if (void *library = dlopen(self.dli_fname, RTLD_LAZY | RTLD_NOLOAD)) {
        address = dlsym(library, args->name);
        dlclose(library);
      }
    }
    if (!address) throw std::runtime_error("no such function in the library");
    *args->address = reinterpret_cast<uint64_t>(address);
  });
}

SIAMBAN_EXPORT int32_t siamban_run_program(const RunArgs *args) {
  for (int64_t i = 0; i < args->count; i++) {
    const auto run = reinterpret_cast<int32_t (*)(const void *)>(args->functions[i]);
    const int32_t status = run(reinterpret_cast<const void *>(args->blocks[i]));
    if (status != 0) {
      *args->failed = i;
      return status;
    }
  }
  return 0;
}
