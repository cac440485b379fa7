// NVRTC: compiles CUDA C++ for the host. A "cubin" is the shared object that g++ makes of it.
//
// The preprocessor first sees the source alone, without the system's headers, as NVRTC would: an
// include that NVRTC could not open fails here too. What it leaves is prepared (kernel_text.hpp) and
// compiled behind device/kernel.hpp. With --device-debug each access to memory is checked.
#include <cstring>
#include <map>

#include "compiler.hpp"
#include "core.hpp"
#include "handles.hpp"
#include "kernel_text.hpp"
#include "module.hpp"

#ifndef EMULATED_SOURCES
#error "EMULATED_SOURCES must name the folder that holds device/kernel.hpp"
#endif

using namespace emulated;

namespace {

enum Result {
  kNvrtcSuccess = 0,
  kInvalidInput = 3,
  kInvalidProgram = 4,
  kInvalidOption = 5,
  kCompilation = 6,
  kNoExpressionsAfter = 8,
  kNoLoweredNamesBefore = 9,
  kExpressionInvalid = 10,
  kInternal = 11,
};

struct Program {
  std::string source, name;
  std::map<std::string, std::string> headers;
  std::vector<std::string> expressions;
  std::map<std::string, std::string> lowered;
  std::string image, log;
  bool compiled = false;
};

Registry<Program> programs("program", kInvalidProgram);

const int kArchs[] = {75, 80, 86, 89, 90, 100, 120};

struct Options {
  std::vector<std::string> preprocess;
  std::string standard = "c++17";
  int arch = 75;
  bool checked = false;
};

bool starts(const std::string &text, const char *prefix) { return text.rfind(prefix, 0) == 0; }

std::string after(const std::string &text, char mark) { return text.substr(text.find(mark) + 1); }

bool is_plain_option(const std::string &option) {
  static const char *known[] = {"--fmad=",
                                "-fmad=",
                                "--use_fast_math",
                                "-use_fast_math",
                                "-lineinfo",
                                "--generate-line-info",
                                "-default-device",
                                "--device-as-default-execution-space",
                                "--minimal",
                                "-minimal",
                                "--ftz=",
                                "-ftz=",
                                "--prec-div=",
                                "-prec-div=",
                                "--prec-sqrt=",
                                "-prec-sqrt=",
                                "--split-compile=",
                                "--maxrregcount=",
                                "-maxrregcount=",
                                "--restrict",
                                "-restrict",
                                "--extra-device-vectorization",
                                "--disable-warnings",
                                "-w",
                                "--display-error-number",
                                "-no-source-include",
                                "--relocatable-device-code=false",
                                "-diag-suppress",
                                "--diag-suppress=",
                                "--dopt=",
                                "-dopt="};
  for (const char *prefix : known) {
    if (starts(option, prefix)) return true;
  }
  return false;
}

int read_arch(const std::string &value) {
  for (int arch : kArchs) {
    std::string number = std::to_string(arch);
    for (const char *kind : {"sm_", "compute_"}) {
      if (starts(value, (kind + number).c_str())) return arch;
    }
  }
  fail(kInvalidOption, "invalid value for --gpu-architecture: %s", value.c_str());
}

Options read_options(int count, const char *const *given) {
  Options options;
  for (int i = 0; i < count; i++) {
    std::string option = given[i];
    auto value = [&] {
      if (option.size() > 2) return option.substr(2);
      if (i + 1 >= count) fail(kInvalidOption, "option %s lacks its value", option.c_str());
      return std::string(given[++i]);
    };
    if (starts(option, "--gpu-architecture=") || starts(option, "-arch=")) {
      options.arch = read_arch(after(option, '='));
    } else if (starts(option, "--std=") || starts(option, "-std=")) {
      options.standard = after(option, '=');
    } else if (starts(option, "-D") || starts(option, "-U") || starts(option, "-I")) {
      std::string kind = option.substr(0, 2);
      options.preprocess.push_back(kind + value());
    } else if (starts(option, "--define-macro=")) {
      options.preprocess.push_back("-D" + after(option, '='));
    } else if (starts(option, "--include-path=")) {
      options.preprocess.push_back("-I" + after(option, '='));
    } else if (option == "-G" || option == "--device-debug") {
      options.checked = true;
    } else if (!is_plain_option(option)) {
      fail(kInvalidOption, "unrecognized option %s", option.c_str());
    }
  }
  return options;
}

// Runs the compiler on `input`; the log names the program, not the file that was written for it.
void compile_step(Program &program, std::vector<std::string> arguments, const WorkFolder &folder) {
  std::string log;
  int status = run_compiler(arguments, folder.path(), log);
  program.log += log;
  if (status == 0) return;
  if (status < 0) fail(kInternal, "%s: install g++, or set CXX", log.c_str());
  fail(kCompilation, "the compiler refused %s", program.name.c_str());
}

std::string preprocess(Program &program, const Options &options, const WorkFolder &folder) {
  std::string source = folder.path() + "/source/" + program.name,
              output = folder.path() + "/source.ii";
  write_file(source, "#line 1 \"" + program.name + "\"\n" + program.source);
  for (auto &[name, text] : program.headers) write_file(folder.path() + "/headers/" + name, text);
  std::vector<std::string> arguments = {"-E",
                                        "-x",
                                        "c++",
                                        "-nostdinc",
                                        "-std=gnu++" + options.standard.substr(3),
                                        "-D__CUDACC__",
                                        "-D__CUDACC_RTC__",
                                        "-D__CUDA_ARCH__=" + std::to_string(options.arch * 10),
                                        "-DSIAMBAN_EMULATED_DEVICE=1",
                                        "-I" + folder.path() + "/headers"};
  for (const std::string &option : options.preprocess) arguments.push_back(option);
  arguments.insert(arguments.end(), {source, "-o", output});
  compile_step(program, arguments, folder);
  return read_file(output);
}

void compile(Program &program, const Options &options) {
  WorkFolder folder;
  std::string preprocessed = preprocess(program, options, folder);
  KernelText prepared = prepare_text(preprocessed, program.expressions);
  std::string source = folder.path() + "/kernels.cpp", object = folder.path() + "/kernels.so";
  write_file(source, "#include \"" EMULATED_SOURCES "/device/kernel.hpp\"\n#line 1 \"" +
                         program.name + "\"\n" + prepared.text);
  std::vector<std::string> arguments = {"-x",
                                        "c++",
                                        "-std=gnu++" + options.standard.substr(3),
                                        "-O2",
                                        "-march=native",
                                        "-shared",
                                        "-fPIC",
                                        "-ffixed-r15",
                                        "-mtls-dialect=gnu2",
                                        "-ffp-contract=off",
                                        "-fno-math-errno",
                                        "-fno-trapping-math",
                                        "-fno-strict-aliasing",
                                        "-fno-exceptions",
                                        "-fno-stack-protector",
                                        "-fstack-clash-protection",
                                        "-fno-semantic-interposition",
                                        "-fno-gnu-unique",  // or the object could never be unloaded
                                        "-w",
                                        "-Wl,-Bsymbolic",
                                        "-Wl,-z,defs"};
  if (options.checked) {
    arguments.insert(
        arguments.end(),
        {"-fsanitize=kernel-address", "--param=asan-instrumentation-with-call-threshold=0",
         "--param=asan-stack=0", "--param=asan-globals=0", "-DEMULATED_CHECKED=1"});
  }
  arguments.insert(arguments.end(), {source, "-o", object});
  compile_step(program, arguments, folder);
  program.image = read_file(object);
}

void lower_names(Program &program) {
  if (program.expressions.empty()) return;
  Module *module = load_module(program.image.data());
  for (auto &[symbol, function] : module->functions)
    program.lowered[function.kernel->name] = symbol;
  unload_module(module);
}

int call(const std::function<void()> &body) { return guarded(kInternal, body); }

}  // namespace

EMULATED_API const char *nvrtcGetErrorString(int result) {
  static const std::map<int, const char *> names = {
      {0, "NVRTC_SUCCESS"},
      {3, "NVRTC_ERROR_INVALID_INPUT"},
      {4, "NVRTC_ERROR_INVALID_PROGRAM"},
      {5, "NVRTC_ERROR_INVALID_OPTION"},
      {6, "NVRTC_ERROR_COMPILATION"},
      {8, "NVRTC_ERROR_NO_NAME_EXPRESSIONS_AFTER_COMPILATION"},
      {9, "NVRTC_ERROR_NO_LOWERED_NAMES_BEFORE_COMPILATION"},
      {10, "NVRTC_ERROR_NAME_EXPRESSION_NOT_VALID"},
      {11, "NVRTC_ERROR_INTERNAL_ERROR"}};
  static thread_local std::string words;
  auto found = names.find(result);
  words = found == names.end() ? "NVRTC_ERROR unknown" : found->second;
  if (const char *detail = result ? last_report_of(result) : nullptr)
    words += std::string(": ") + detail;
  return words.c_str();
}

EMULATED_API int nvrtcVersion(int *major, int *minor) {
  *major = 13;
  *minor = 0;
  return kNvrtcSuccess;
}

EMULATED_API int nvrtcGetNumSupportedArchs(int *count) {
  *count = sizeof kArchs / sizeof *kArchs;
  return kNvrtcSuccess;
}

EMULATED_API int nvrtcGetSupportedArchs(int *archs) {
  memcpy(archs, kArchs, sizeof kArchs);
  return kNvrtcSuccess;
}

EMULATED_API int nvrtcCreateProgram(void **program, const char *source, const char *name,
                                    int headers, const char *const *texts,
                                    const char *const *names) {
  return call([&] {
    if (!program || !source) fail(kInvalidInput, "no source is given");
    auto made = std::make_unique<Program>();
    made->source = source;
    made->name = name && *name ? name : "default_program";
    for (int i = 0; i < headers; i++) made->headers[names[i]] = texts[i];
    *program = programs.add(std::move(made));
  });
}

EMULATED_API int nvrtcDestroyProgram(void **program) {
  return call([&] {
    programs.remove(*program);
    *program = nullptr;
  });
}

EMULATED_API int nvrtcAddNameExpression(void *program, const char *expression) {
  return call([&] {
    Program &found = programs.at(program);
    if (found.compiled) fail(kNoExpressionsAfter, "the program is compiled already");
    found.expressions.push_back(expression);
  });
}

EMULATED_API int nvrtcCompileProgram(void *program, int count, const char *const *options) {
  return call([&] {
    Program &found = programs.at(program);
    found.compiled = true;
    try {
      compile(found, read_options(count, options));
    } catch (const Failure &failure) {
      if (failure.code != kCompilation) found.log += failure.text + "\n";
      throw;
    }
    lower_names(found);
  });
}

EMULATED_API int nvrtcGetCUBINSize(void *program, size_t *bytes) {
  return call([&] { *bytes = programs.at(program).image.size(); });
}
EMULATED_API int nvrtcGetCUBIN(void *program, char *image) {
  return call([&] {
    Program &found = programs.at(program);
    if (found.image.empty()) fail(kInvalidProgram, "the program was not compiled");
    memcpy(image, found.image.data(), found.image.size());
  });
}
EMULATED_API int nvrtcGetPTXSize(void *program, size_t *bytes) {
  return nvrtcGetCUBINSize(program, bytes);
}
EMULATED_API int nvrtcGetPTX(void *program, char *image) { return nvrtcGetCUBIN(program, image); }

EMULATED_API int nvrtcGetProgramLogSize(void *program, size_t *bytes) {
  return call([&] { *bytes = programs.at(program).log.size() + 1; });
}
EMULATED_API int nvrtcGetProgramLog(void *program, char *log) {
  return call([&] {
    Program &found = programs.at(program);
    memcpy(log, found.log.c_str(), found.log.size() + 1);
  });
}

EMULATED_API int nvrtcGetLoweredName(void *program, const char *expression, const char **name) {
  return call([&] {
    Program &found = programs.at(program);
    if (!found.compiled) fail(kNoLoweredNamesBefore, "the program was not compiled");
    auto lowered = found.lowered.find(expression);
    if (lowered == found.lowered.end())
      fail(kExpressionInvalid, "\"%s\" was not added", expression);
    *name = lowered->second.c_str();
  });
}
