// Trap: the two ways into the kernel after boot, and the ways out. From a user task everything is saved, and the frame
// that the kernel chose is restored. A hart that idles holds nothing in its registers: nothing is saved or restored.
//
// Owner: each hart, on its own block, frame and trap stack, found through `sscratch`; there is no global here (T2).
// `stvec` is trap_entry while a hart runs a task, and after a task's trap; idle_entry while it idles, after that, and
// during its boot.
// Invariants: in the kernel interrupts are off. A user's registers, `tp` among them, never reach the kernel except
// as the arguments of a system call (C5). s0 (the block) and s1 (the frame) survive the C call by the ABI.
// Pairs with: hart-block.h (offsets), harts.c (blocks), panic.c (the ends that do not return), observer.c.
// Clauses: T2, T4 (the canary), C5.
#include "hart-block.h"

#define SSTATUS_SPP 0x100
#define SSTATUS_SPP_AND_SPIE 0x120

// All registers but x0, s0 (x8) and s1 (x9), which the paths below treat by hand.
.macro for_other_registers instruction
  \instruction x1, 8*1(s1)
  \instruction x2, 8*2(s1)
  \instruction x3, 8*3(s1)
  \instruction x4, 8*4(s1)
  \instruction x5, 8*5(s1)
  \instruction x6, 8*6(s1)
  \instruction x7, 8*7(s1)
  \instruction x10, 8*10(s1)
  \instruction x11, 8*11(s1)
  \instruction x12, 8*12(s1)
  \instruction x13, 8*13(s1)
  \instruction x14, 8*14(s1)
  \instruction x15, 8*15(s1)
  \instruction x16, 8*16(s1)
  \instruction x17, 8*17(s1)
  \instruction x18, 8*18(s1)
  \instruction x19, 8*19(s1)
  \instruction x20, 8*20(s1)
  \instruction x21, 8*21(s1)
  \instruction x22, 8*22(s1)
  \instruction x23, 8*23(s1)
  \instruction x24, 8*24(s1)
  \instruction x25, 8*25(s1)
  \instruction x26, 8*26(s1)
  \instruction x27, 8*27(s1)
  \instruction x28, 8*28(s1)
  \instruction x29, 8*29(s1)
  \instruction x30, 8*30(s1)
  \instruction x31, 8*31(s1)
.endm

.section .text.trap, "ax", @progbits
.globl trap_entry
.balign 64
trap_entry:
  csrrw s0, sscratch, s0
  sd s1, BLOCK_SCRATCH(s0)
  ld s1, BLOCK_FRAME(s0)
  for_other_registers sd
  ld t0, BLOCK_SCRATCH(s0)
  sd t0, 8*9(s1)
  csrrw t0, sscratch, s0
  sd t0, 8*8(s1)
  csrr t1, sepc
  ld sp, BLOCK_STACK_TOP(s0)
  ld tp, BLOCK_HART_POINTER(s0)
  // kernel_trap(cause, value, call, a0, a1, a2)
  mv a5, a2
  mv a4, a1
  mv a3, a0
  csrr a0, scause
  // One compare for two questions: an observed hart's block has no cause here.
  lw t0, BLOCK_CALL_CAUSE(s0)
  bne t0, a0, 1f
  mv a2, a7
  li a1, 0
  addi t1, t1, 4
  sd t1, FRAME_PC(s1)
  call kernel_trap

// a0: the space to enter, or IDLE_SPACE. s0: this hart's block. s1: the frame of BLOCK_SPACE.
trap_return:
  // The canary is the stack top's address, so one compare also proves that sp is back where it began.
  ld t0, BLOCK_STACK_BOTTOM(s0)
  ld t0, 0(t0)
  bne t0, sp, 5f
  lw t1, BLOCK_SPACE(s0)
  bne a0, t1, 3f
2:
  ld t0, FRAME_PC(s1)
  csrw sepc, t0
  for_other_registers ld
  ld s0, 8*8(s1)
  ld s1, 8*9(s1)
  sret

1: // An interrupt or a fault, and no system call; or anything on a hart that is observed.
  bltz t0, 12f
  sd t1, FRAME_PC(s1)
  csrr a1, stval
  li a2, 0
  bltz a0, 6f
  // The kernel itself must not fault: only idle waits in S-mode, and it takes interrupts only.
  csrr t0, sstatus
  andi t0, t0, SSTATUS_SPP
  bnez t0, 7f
  call kernel_trap
  j trap_return
6: // scause with its interrupt flag moved from bit 63 to bit 31, sign-extended.
  lui t0, 0x80000
  addw a0, a0, t0
  call kernel_trap
  j trap_return

12: // All of that, with a look before and after.
  addi t0, a0, -CAUSE_USER_ECALL
  bnez t0, 14f
  mv a2, a7
  li a1, 0
  addi t1, t1, 4
  sd t1, FRAME_PC(s1)
  call machine_observed_trap
  j trap_return
14:
  sd t1, FRAME_PC(s1)
  csrr a1, stval
  li a2, 0
  bltz a0, 15f
  csrr t0, sstatus
  andi t0, t0, SSTATUS_SPP
  bnez t0, 7f
  call machine_observed_trap
  j trap_return
15:
  lui t0, 0x80000
  addw a0, a0, t0
  call machine_observed_trap
  j trap_return

3: // Another context: its frame becomes this hart's.
  li t0, SPACES_MAX
  bgeu a0, t0, 4f
  sw a0, BLOCK_SPACE(s0)
  ld s1, BLOCK_FRAMES(s0)
  slli t0, a0, FRAME_LOG2
  add s1, s1, t0
  sd s1, BLOCK_FRAME(s0)
  ld t0, FRAME_SATP(s1)
  csrw satp, t0
  lw t0, BLOCK_FLUSHES(s0)
  bnez t0, 8f
9:
  li t0, SSTATUS_SPP
  csrc sstatus, t0
  j 2b
8:
  sfence.vma
  j 9b

4: // Idle, in whatever address space was left: what lies there is the kernel's or out of S-mode's reach.
  li t0, IDLE_SPACE
  bne a0, t0, 10f
  sw a0, BLOCK_SPACE(s0)
  la t0, idle_entry
  csrw stvec, t0
  la t0, idle_loop
  csrw sepc, t0
  li t0, SSTATUS_SPP_AND_SPIE
  csrs sstatus, t0
  sret

5:
  ld sp, BLOCK_STACK_TOP(s0)
  call machine_panic_overrun
7:
  call machine_panic_fault
10:
  call machine_panic_space

.globl idle_entry
.balign 4
idle_entry:
  csrr s0, sscratch
  ld sp, BLOCK_STACK_TOP(s0)
  ld tp, BLOCK_HART_POINTER(s0)
  csrr a0, scause
  // The kernel itself must not fault: idle takes interrupts only.
  bgez a0, 7b
  lui t0, 0x80000
  addw a0, a0, t0
  lw t0, BLOCK_CALL_CAUSE(s0)
  bltz t0, 13f
  li a1, 0
  li a2, 0
  li a3, 0
  li a4, 0
  li a5, 0
  call kernel_trap
  ld t0, BLOCK_STACK_BOTTOM(s0)
  ld t0, 0(t0)
  bne t0, sp, 5b
  // The hart idles on: sepc and sstatus are as the trap left them.
  li t0, IDLE_SPACE
  bne a0, t0, 11f
  sret
11:
  la t0, trap_entry
  csrw stvec, t0
  j 3b

13: // The same from idle, with a look before and after.
  li a1, 0
  li a2, 0
  li a3, 0
  li a4, 0
  li a5, 0
  call machine_observed_trap
  ld t0, BLOCK_STACK_BOTTOM(s0)
  ld t0, 0(t0)
  bne t0, sp, 5b
  li t0, IDLE_SPACE
  bne a0, t0, 11b
  sret

.globl boot_return
// a0: what the kernel's boot returned. s0: this hart's block. `stvec` is idle_entry.
boot_return:
  ld t0, BLOCK_STACK_BOTTOM(s0)
  ld t0, 0(t0)
  bne t0, sp, 5b
  li t0, IDLE_SPACE
  bne a0, t0, 11b
  j 4b

// Where a hart idles: interrupts are on here, and nowhere else in S-mode.
idle_loop:
  wfi
  j idle_loop
