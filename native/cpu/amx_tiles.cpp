#include "amx_tiles.hpp"

#ifdef SIAMBAN_AMX
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace siamban {

bool amx_usable() {
#ifdef SIAMBAN_AMX
  // Linux saves the 8 KB of tile registers only for processes that ask for them.
  constexpr int request_permission = 0x1023, tile_data = 18;
  static const bool usable = syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
  return usable;
#else
  return false;
#endif
}

}  // namespace siamban
