// Runs a list of calls that was recorded before, one after the other: one way into native code for a
// whole network instead of one a layer. Calls that share their work among threads run in one region,
// from the first such call to the next that does not (team.hpp).

#include <dlfcn.h>
#include <omp.h>

#include <stdexcept>

#include "native.hpp"
#include "program.hpp"

// As a program calls them, whatever struct each takes its block for.
extern "C" {
int32_t siamban_activation(const void *), siamban_channel_gate(const void *), siamban_conv2d_forward(const void *),
    siamban_conv2d_backward_input(const void *), siamban_conv2d_backward_weight(const void *),
    siamban_copy_box(const void *), siamban_exp(const void *), siamban_hard_swish(const void *),
    siamban_spatial_mean(const void *), siamban_xcorr_depthwise(const void *);
}

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

using Function = int32_t (*)(const void *block);

int32_t call(const RunArgs &args, int64_t i) {
  return reinterpret_cast<Function>(args.functions[i])(reinterpret_cast<const void *>(args.blocks[i]));
}

bool shares(const RunArgs &args, int64_t i) {
  const auto function = reinterpret_cast<Function>(args.functions[i]);
  const auto block = reinterpret_cast<const void *>(args.blocks[i]);
  if (function == siamban_conv2d_forward) return siamban::shares_conv2d_forward(block);
  if (function == siamban_conv2d_backward_input) return siamban::shares_conv2d_backward_input(block);
  if (function == siamban_conv2d_backward_weight) return siamban::shares_conv2d_backward_weight(block);
  if (function == siamban_xcorr_depthwise) return siamban::shares_xcorr_depthwise(block);
  return function == siamban_activation || function == siamban_hard_swish || function == siamban_exp ||
         function == siamban_spatial_mean || function == siamban_channel_gate || function == siamban_copy_box;
}

// Runs calls that share their work in one region; none of them can fail.
void run_together(const RunArgs &args, int64_t first, int64_t last) {
#pragma omp parallel
  for (int64_t i = first; i < last; i++) call(args, i);
}

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
  for (int64_t i = 0; i < args->count;) {
    int64_t last = i;
    if (omp_get_max_threads() > 1) {
      while (last < args->count && shares(*args, last)) last++;
    }
    if (last > i) {
      run_together(*args, i, last);
      i = last;
      continue;
    }
    const int32_t status = call(*args, i);
    if (status != 0) {
      *args->failed = i;
      return status;
    }
    i++;
  }
  return 0;
}
