// User entry: what runs in U-mode around a program: its start, its end, and the system call.
//
// Owner: the calling task; linked into the user image, at its very beginning.
// Invariant: user_entry is the first instruction of the image, at USER_CODE_BASE.
// Pairs with: user-space.c, which points a fresh frame here; user-start.c; abi/syscalls.ts.
#include "abi.h"

.section .text.entry, "ax", @progbits
.globl user_entry
// a0: program. a1: its argument. sp: the stack's top. Everything else is zero.
user_entry:
  mv s0, a0
  mv s1, a1
  call program_load
  mv a0, s0
  mv a1, s1
  // The exit code comes back.
  call program_start
  li a7, SYSCALL_EXIT
  ecall
  // Exit does not return; if it ever did, the task must not run on into what follows.
  ebreak

.text
.globl os_call
// int64_t os_call(int32_t number, int64_t a0, int64_t a1, int64_t a2)
os_call:
  mv a7, a0
  mv a0, a1
  mv a1, a2
  mv a2, a3
  ecall
  ret
