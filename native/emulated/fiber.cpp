#include "fiber.hpp"

#if !defined(__x86_64__)
#error "The emulated device switches stacks in x86-64 assembly"
#endif

asm(R"(
.text
.globl emulated_switch
.hidden emulated_switch
.type emulated_switch, @function
emulated_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  # Not ret: the processor would expect to return to the stack it came from.
  popq %rcx
  jmpq *%rcx
.size emulated_switch, .-emulated_switch

.hidden emulated_first
.type emulated_first, @function
emulated_first:
  movq %r13, %rdi
  callq *%r12
  ud2
.size emulated_first, .-emulated_first

.globl emulated_call
.hidden emulated_call
.type emulated_call, @function
emulated_call:
  pushq %r15
  movq %rdi, %rax
  movq %rsi, %rdi
  movq %rdx, %r15
  callq *%rax
  popq %r15
  ret
.size emulated_call, .-emulated_call
)");

extern "C" __attribute__((visibility("hidden"))) void emulated_first();

namespace emulated {

void *prepare_stack(unsigned char *stack, void (*entry)(void *), void *argument) {
  // Popped by emulated_switch: r15 r14 r13 r12 rbx rbp, then the return address; the call in
  // emulated_first expects the stack, which is then at top + 7, to be 16-byte aligned before it pushes.
  void **top = reinterpret_cast<void **>(stack) - 9;
  top[0] = top[1] = top[4] = top[5] = nullptr;
  top[2] = argument;
  top[3] = reinterpret_cast<void *>(entry);
  top[6] = reinterpret_cast<void *>(&emulated_first);
  top[7] = nullptr;
  return top;
}

}  // namespace emulated
