#include "module.hpp"

#include <dlfcn.h>
#include <elf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>

#include "device_memory.hpp"

namespace emulated {

namespace {

const char kAnchor[] = "emulated_shared_anchor";

// Length of an ELF file whose section headers come last, as linkers write it.
size_t image_bytes(const Elf64_Ehdr *header) {
  return header->e_shoff + size_t{header->e_shnum} * header->e_shentsize;
}

const Elf64_Ehdr *check_image(const void *image) {
  auto *header = static_cast<const Elf64_Ehdr *>(image);
  if (!image || memcmp(header->e_ident, ELFMAG, SELFMAG)) {
    fail(kInvalidImage,
         "the module is no image of this device; the emulated device takes only what "
         "its own NVRTC compiled");
  }
  if (header->e_machine != EM_X86_64) fail(kNoBinary, "the module is compiled for another device");
  return header;
}

void *open_image(const void *image, size_t bytes, int &file) {
  file = memfd_create("siamban-kernels", MFD_CLOEXEC);
  if (file < 0) fail(kOutOfMemory, "no file in memory can be made for a module");
  for (size_t done = 0; done < bytes;) {
    ssize_t wrote = write(file, static_cast<const char *>(image) + done, bytes - done);
    if (wrote <= 0) break;
    done += wrote;
  }
  std::string path = format_text("/proc/self/fd/%d", file);
  void *library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  std::string reason = library ? "" : dlerror();
  if (library) return library;
  close(file);
  fail(kInvalidImage, "the module cannot be loaded: %s", reason.c_str());
}

// dlopen knows libraries by the path they were opened under: the number may be used again only when
// the loader has let go of it.
void close_image(void *library, int file) {
  std::string path = format_text("/proc/self/fd/%d", file);
  dlclose(library);
  if (!dlopen(path.c_str(), RTLD_NOW | RTLD_NOLOAD)) close(file);
}

// Calls visit(name, symbol) for each symbol of the image's full symbol table.
template <typename Visit>
void each_symbol(const Elf64_Ehdr *header, Visit visit) {
  auto *bytes = reinterpret_cast<const char *>(header);
  auto *sections = reinterpret_cast<const Elf64_Shdr *>(bytes + header->e_shoff);
  for (int i = 0; i < header->e_shnum; i++) {
    if (sections[i].sh_type != SHT_SYMTAB) continue;
    const char *names = bytes + sections[sections[i].sh_link].sh_offset;
    auto *symbols = reinterpret_cast<const Elf64_Sym *>(bytes + sections[i].sh_offset);
    for (size_t k = 0; k < sections[i].sh_size / sizeof(Elf64_Sym); k++) {
      visit(std::string(names + symbols[k].st_name), symbols[k]);
    }
  }
}

void read_symbols(const Elf64_Ehdr *header, Module &module) {
  long anchor = 0;
  each_symbol(header, [&](const std::string &name, const Elf64_Sym &symbol) {
    int type = ELF64_ST_TYPE(symbol.st_info);
    if (type == STT_TLS && name == kAnchor) {
      anchor = symbol.st_value;
    } else if (type == STT_TLS && symbol.st_shndx != SHN_UNDEF) {
      module.shared.push_back({name, static_cast<long>(symbol.st_value), symbol.st_size});
    } else if (type == STT_OBJECT && symbol.st_shndx != SHN_UNDEF) {
      module.variables[name] = symbol.st_size;
    }
  });
  for (Module::Shared &shared : module.shared) shared.offset -= anchor;
}

// Whether a shared variable is a local of the kernel: `_ZZ6kernelE4tile`, `_ZZ6kernelPfE4tile`.
bool is_local_of(const std::string &variable, const std::string &kernel) {
  std::string prefix = kernel.rfind("_Z", 0) == 0
                           ? "_ZZ" + kernel.substr(2) + "E"
                           : format_text("_ZZ%zu%sE", kernel.size(), kernel.c_str());
  return variable.rfind(prefix, 0) == 0;
}

// Locals of other kernels are not this one's; whatever else there is may be.
bool may_use(const Function &function, const std::string &variable) {
  if (is_local_of(variable, function.symbol)) return true;
  for (auto &[symbol, other] : function.module->functions) {
    if (is_local_of(variable, symbol)) return false;
  }
  return true;
}

void list_functions(Module &module) {
  for (int i = 0; i < module.table->count; i++) {
    const Kernel &kernel = module.table->kernels[i];
    Dl_info info = {};
    bool named = dladdr(kernel.address, &info) && info.dli_saddr == kernel.address;
    std::string symbol = named ? info.dli_sname : kernel.name;
    module.functions[symbol] = {&module, &kernel, symbol, 0, 48 << 10};
  }
  for (auto &[symbol, function] : module.functions) {
    for (const Module::Shared &shared : module.shared) {
      if (may_use(function, shared.name)) function.static_bytes += shared.bytes;
    }
  }
}

void own_variables(Module &module, bool add) {
  for (auto &[name, bytes] : module.variables) {
    void *start = dlsym(module.library, name.c_str());
    if (!start || !bytes) continue;
    if (add) {
      add_module_memory(reinterpret_cast<Address>(start), bytes);
    } else {
      remove_module_memory(reinterpret_cast<Address>(start));
    }
  }
}

}  // namespace

Module *load_module(const void *image) {
  const Elf64_Ehdr *header = check_image(image);
  int file;
  void *library = open_image(image, image_bytes(header), file);
  auto *module = new Module{library, file, nullptr, {}, {}, {}};
  using Table = const KernelTable *();
  auto *table = reinterpret_cast<Table *>(dlsym(library, "emulated_kernel_table"));
  if (table) module->table = table();
  if (!table || module->table->abi != kAbi) {
    close_image(library, file);
    delete module;
    fail(kNoBinary, "the module was compiled by another version of the emulated device");
  }
  read_symbols(header, *module);
  list_functions(*module);
  own_variables(*module, true);
  return module;
}

void unload_module(Module *module) {
  own_variables(*module, false);
  close_image(module->library, module->file);
  delete module;
}

Function *find_function(Module &module, const std::string &name) {
  auto found = module.functions.find(name);
  if (found != module.functions.end()) return &found->second;
  std::string known;
  for (auto &[other, function] : module.functions) known += " " + other;
  fail(kNotFound, "the module has no kernel \"%s\", it has:%s", name.c_str(), known.c_str());
}

std::vector<SharedVariable> shared_variables(const Function &function) {
  std::vector<SharedVariable> variables;
  if (function.static_bytes == 0) return variables;
  char *anchor = function.module->table->shared_anchor();
  for (const Module::Shared &shared : function.module->shared) {
    if (may_use(function, shared.name)) {
      variables.push_back({anchor + shared.offset, shared.bytes});
    }
  }
  return variables;
}

}  // namespace emulated
