// Turns processor faults inside emulated kernels into CUDA errors.
//
// While a launch runs, handlers for SIGSEGV, SIGBUS, SIGFPE and SIGILL are in place; a fault on a
// thread that runs no kernel goes on to whoever handled it before. Afterwards everything is as it was.
#pragma once

#include <csignal>

namespace emulated {

// Installs the handlers for the process until it is destroyed.
class FaultHandlers {
 public:
  FaultHandlers();
  ~FaultHandlers();
  FaultHandlers(const FaultHandlers &) = delete;
};

// Gives the calling thread a stack for its handler: the fault may be a stack that is full.
class HandlerStack {
 public:
  HandlerStack();
  ~HandlerStack();
  HandlerStack(const HandlerStack &) = delete;

 private:
  stack_t previous_;
};

}  // namespace emulated
