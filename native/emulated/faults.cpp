#include "faults.hpp"

#include <memory>

#include "block_runner.hpp"
#include "device_memory.hpp"

namespace emulated {

namespace {

constexpr int kCount = 4;
constexpr size_t kHandlerStack = 64 << 10;
struct sigaction previous_handlers[kCount];
const int signals[kCount] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};

void pass_on(int signal, siginfo_t *info, void *context) {
  for (int i = 0; i < kCount; i++) {
    if (signals[i] != signal) continue;
    struct sigaction &old = previous_handlers[i];
    if (old.sa_flags & SA_SIGINFO) {
      old.sa_sigaction(signal, info, context);
    } else if (old.sa_handler == SIG_DFL || old.sa_handler == SIG_IGN) {
      sigaction(signal, &old, nullptr);  // the instruction runs again and ends the process
    } else {
      old.sa_handler(signal);
    }
  }
}

Failure explain(int signal, const siginfo_t *info, const BlockRunner &runner) {
  if (signal == SIGFPE) return {kLaunchFailed, "divides an integer by zero"};
  if (signal == SIGILL) return {kLaunchFailed, "ran into a trap"};
  // A general protection fault carries no address: vector moves demand alignment.
  if (info->si_code == SI_KERNEL) return {kMisaligned, "accesses a vector at a misaligned address"};
  Address address = reinterpret_cast<Address>(info->si_addr);
  if (runner.is_stack(address)) {
    return {
        kLaunchFailed,
        format_text("needs more than the %zu bytes of stack that a thread has here", kStackBytes)};
  }
  return {kIllegalAddress,
          format_text("accesses 0x%zx: %s", size_t(address), describe_address(address).c_str())};
}

void handle(int signal, siginfo_t *info, void *context) {
  BlockRunner *runner = BlockRunner::active();
  if (!runner) return pass_on(signal, info, context);
  Failure failure = explain(signal, info, *runner);
  runner->abandon(failure.code, failure.text);
  siglongjmp(runner->escape, 1);
}

}  // namespace

FaultHandlers::FaultHandlers() {
  struct sigaction action = {};
  action.sa_sigaction = handle;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  for (int i = 0; i < kCount; i++) sigaction(signals[i], &action, &previous_handlers[i]);
}

FaultHandlers::~FaultHandlers() {
  for (int i = 0; i < kCount; i++) sigaction(signals[i], &previous_handlers[i], nullptr);
}

HandlerStack::HandlerStack() {
  static thread_local std::unique_ptr<char[]> memory(new char[kHandlerStack]);
  stack_t stack = {};
  stack.ss_sp = memory.get();
  stack.ss_size = kHandlerStack;
  sigaltstack(&stack, &previous_);
}

HandlerStack::~HandlerStack() { sigaltstack(&previous_, nullptr); }

}  // namespace emulated
