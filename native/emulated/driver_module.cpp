// Driver API: modules, functions, launches.
#include <dlfcn.h>

#include <algorithm>

#include "device.hpp"
#include "driver_call.hpp"
#include "launch.hpp"

using namespace emulated;

namespace {

Module &module_at(void *handle) {
  auto &modules = current_device().modules;
  auto found = std::find(modules.begin(), modules.end(), handle);
  if (found == modules.end()) fail(kInvalidHandle, "0x%zx is no live module", size_t(handle));
  return **found;
}

Function &function_at(void *handle) {
  for (Module *module : current_device().modules) {
    for (auto &[name, function] : module->functions) {
      if (&function == handle) return function;
    }
  }
  fail(kInvalidHandle, "0x%zx is no function of a live module", size_t(handle));
}

int attribute_of(const Function &function, int attribute) {
  switch (attribute) {
    case 0:
      return function.kernel->most_threads ? function.kernel->most_threads : kMostThreads;
    case 1:
      return static_cast<int>(function.static_bytes);
    case 4:
      return 32;
    case 5:
    case 6:
      return 90;
    case 8:
      return function.most_dynamic_bytes;
    default:
      return 0;
  }
}

}  // namespace

EMULATED_API int cuModuleLoadData(void **module, const void *image) {
  return driver_call([&] {
    Device &device = current_device();
    device.modules.push_back(load_module(image));
    *module = device.modules.back();
  });
}

EMULATED_API int cuModuleLoadDataEx(void **module, const void *image, unsigned, int *, void **) {
  return cuModuleLoadData(module, image);
}

EMULATED_API int cuModuleUnload(void *module) {
  return driver_call([&] {
    Device &device = current_device();
    Module &found = module_at(module);
    drain(device);
    device.modules.erase(std::find(device.modules.begin(), device.modules.end(), &found));
    unload_module(&found);
  });
}

EMULATED_API int cuModuleGetFunction(void **function, void *module, const char *name) {
  return driver_call([&] { *function = find_function(module_at(module), name); });
}

EMULATED_API int cuModuleGetGlobal_v2(uint64_t *address, size_t *bytes, void *module,
                                      const char *name) {
  return driver_call([&] {
    Module &found = module_at(module);
    void *start = dlsym(found.library, name);
    if (!start || !found.variables.count(name))
      fail(kNotFound, "the module has no variable \"%s\"", name);
    if (address) *address = reinterpret_cast<uint64_t>(start);
    if (bytes) *bytes = found.variables[name];
  });
}

EMULATED_API int cuFuncSetAttribute(void *function, int attribute, int value) {
  return driver_call([&] {
    Function &found = function_at(function);
    if (attribute == 9) return;  // carveout: a preference
    if (attribute != 8) fail(kInvalidValue, "function attribute %d cannot be set", attribute);
    if (value < 0 || found.static_bytes + value > kMostShared) {
      fail(kInvalidValue,
           "kernel %s: %d dynamic bytes of shared memory beside %zu static ones exceed %zu",
           found.kernel->name, value, found.static_bytes, kMostShared);
    }
    found.most_dynamic_bytes = value;
  });
}

EMULATED_API int cuFuncGetAttribute(int *value, int attribute, void *function) {
  return driver_call([&] { *value = attribute_of(function_at(function), attribute); });
}

EMULATED_API int cuFuncGetParamInfo(void *function, size_t index, size_t *offset, size_t *bytes) {
  return driver_call([&] {
    const Kernel &kernel = *function_at(function).kernel;
    if (index >= size_t(kernel.count))
      fail(kInvalidValue, "kernel %s has %d parameters", kernel.name, kernel.count);
    size_t end = 0;
    for (size_t i = 0; i <= index; i++) {
      const Parameter &parameter = kernel.parameters[i];
      *offset = (end + parameter.alignment - 1) / parameter.alignment * parameter.alignment;
      end = *offset + parameter.bytes;
      if (bytes) *bytes = parameter.bytes;
    }
  });
}

EMULATED_API int cuLaunchKernel(void *function, unsigned grid_x, unsigned grid_y, unsigned grid_z,
                                unsigned block_x, unsigned block_y, unsigned block_z,
                                unsigned dynamic_bytes, uint64_t stream, void **parameters,
                                void **extra) {
  return driver_call([&] {
    Function &found = function_at(function);
    Stream &on = stream_at(stream);
    auto launch = make_launch(&found, {grid_x, grid_y, grid_z}, {block_x, block_y, block_z},
                              dynamic_bytes, parameters, extra);
    submit(on, {Task::kKernel, found.kernel->name, [launch] { run_launch(*launch); }, &found, {}});
  });
}

EMULATED_API int cuOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, void *function,
                                                             int threads, size_t dynamic_bytes) {
  return driver_call([&] {
    size_t shared = function_at(function).static_bytes + dynamic_bytes;
    if (threads <= 0) fail(kInvalidValue, "%d threads a block", threads);
    int by_threads = 2048 / threads;
    int by_shared = shared ? static_cast<int>((size_t{228} << 10) / shared) : 32;
    *blocks = std::max(0, std::min({by_threads, by_shared, 32}));
  });
}

EMULATED_API int cuOccupancyMaxPotentialBlockSize(int *grid, int *block, void *function,
                                                  size_t (*)(int), size_t, int limit) {
  return driver_call([&] {
    int most = attribute_of(function_at(function), 0);
    *block = limit > 0 && limit < most ? limit : most;
    *grid = 2 * 2048 / *block;
  });
}
