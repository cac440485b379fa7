// What is done to the text of a .cu file, after the preprocessor, before the host's compiler sees it.
#pragma once

#include <string>
#include <vector>

namespace emulated {

struct KernelText {
  std::string text;
  std::vector<std::string> kernels;
};

// Finds the kernels, gives each `extern __shared__ T name[]` the launch's dynamic memory, and
// appends the table of kernels. `expressions` are instances of templates, by their C++ names.
KernelText prepare_text(const std::string &preprocessed,
                        const std::vector<std::string> &expressions);

}  // namespace emulated
