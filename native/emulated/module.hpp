// A loaded kernel object: what cuModuleLoadData makes of the bytes that NVRTC's stand-in compiled.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "block_runner.hpp"
#include "device/abi.hpp"

namespace emulated {

struct Module;

struct Function {
  Module *module;
  const Kernel *kernel;
  std::string symbol;      // mangled, unless the kernel is extern "C"
  size_t static_bytes;     // of __shared__ variables
  int most_dynamic_bytes;  // raised by cuFuncSetAttribute
};

struct Module {
  void *library;
  int file;  // stays open: dlopen would take the next one under its number for this one
  const KernelTable *table;
  // Thread-local symbols of the object: mangled name, offset from the anchor, size.
  struct Shared {
    std::string name;
    long offset;
    size_t bytes;
  };
  std::vector<Shared> shared;
  std::map<std::string, Function> functions;  // by symbol
  std::map<std::string, size_t> variables;    // sizes of global variables by name
};

// Throws Failure{kInvalidImage}, or kNoBinary for an object of another version of this library.
Module *load_module(const void *image);
void unload_module(Module *module);
// By the symbol. Throws Failure{kNotFound}.
Function *find_function(Module &module, const std::string &name);

// The kernel's static shared memory as it lies for the calling operating-system thread.
std::vector<SharedVariable> shared_variables(const Function &function);

}  // namespace emulated
