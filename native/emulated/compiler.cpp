#include "compiler.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

extern char **environ;

namespace emulated {

namespace {
const char kLog[] = "/compiler.log";
}

WorkFolder::WorkFolder() {
  std::string pattern = std::filesystem::temp_directory_path() / "siamban-kernel-XXXXXX";
  path_ = mkdtemp(pattern.data()) ? pattern : "";
}

WorkFolder::~WorkFolder() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

std::string read_file(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void write_file(const std::string &path, const std::string &text) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

int run_compiler(const std::vector<std::string> &arguments, const std::string &folder,
                 std::string &log) {
  const char *program = getenv("CXX");
  if (!program || !*program) program = "g++";
  std::vector<char *> list{const_cast<char *>(program)};
  for (const std::string &argument : arguments)
    list.push_back(const_cast<char *>(argument.c_str()));
  list.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 2, (folder + kLog).c_str(),
                                   O_WRONLY | O_CREAT | O_TRUNC, 0600);
  pid_t process;
  int error = posix_spawnp(&process, program, &actions, nullptr, list.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error) {
    log = std::string("Cannot run the compiler ") + program;
    return -1;
  }
  int status = 0;
  while (waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  log += read_file(folder + kLog);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace emulated
