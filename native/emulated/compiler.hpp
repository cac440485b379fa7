// Runs the host's C++ compiler for NVRTC's stand-in.
#pragma once

#include <string>
#include <vector>

namespace emulated {

// A folder of its own under the system's temporary one; removed with what is in it.
class WorkFolder {
 public:
  WorkFolder();
  ~WorkFolder();
  WorkFolder(const WorkFolder &) = delete;
  const std::string &path() const { return path_; }

 private:
  std::string path_;
};

std::string read_file(const std::string &path);
void write_file(const std::string &path, const std::string &text);

// Runs the compiler (environment variable CXX, or g++) to its end; `log` takes what it says.
// Returns its status, or -1 if there is none.
int run_compiler(const std::vector<std::string> &arguments, const std::string &folder,
                 std::string &log);

}  // namespace emulated
