// Boot: from the firmware's jump to the kernel's first instruction, on the boot hart and on every other.
//
// All harts enter at the same place and are distinguished by their ids. A start address of their own would not do:
// OpenSBI 1.1, which comes with QEMU 7.2, marks a hart as starting before it writes down where that hart shall go; a
// hart that looks in between goes where the boot hart went, with the boot hart's arguments (seen once in 35 boots).
//
// Owner: each hart runs this once. Afterwards the kernel is entered through trap.S only.
// Invariant: `sscratch` and `stvec` are set before anything that could fault; from there a fault is a panic line.
// Pairs with: machine.c (machine_prepare), harts.c (machine_startHart), trap.S (boot_return).
#include "address-map.h"
#include "hart-block.h"

#define SIE_SOFT_AND_TIMER 0x22
#define SCOUNTEREN_CYCLE_TIME_INSTRET 0x7

// Bits of boot_state.
#define BOOT_CLAIMED 1
#define BOOT_BLOCKS_READY 2

// Sets this hart's CSRs; s0 is its block. Floating point, vectors, SUM and MXR are off: a user who tries them
// faults, and the kernel never sees user memory.
.macro prepare_csrs
  csrw sscratch, s0
  la t0, idle_entry
  csrw stvec, t0
  csrw sstatus, zero
  li t0, SIE_SOFT_AND_TIMER
  csrw sie, t0
  li t0, SCOUNTEREN_CYCLE_TIME_INSTRET
  csrw scounteren, t0
.endm

.section .text.boot, "ax", @progbits
.globl _start
// a0: hart id. a1: physical address of the device tree, on the first hart. Paging is off.
_start:
  la t0, boot_state
  li t1, BOOT_CLAIMED
  amoor.w.aqrl t1, t1, (t0)
  bnez t1, secondary
  mv s2, a0
  mv s3, a1
  la t0, bss_start
  la t1, bss_end
1:
  bgeu t0, t1, 2f
  sd zero, 0(t0)
  addi t0, t0, 8
  j 1b
2:
  la sp, trap_stacks + TRAP_STACK_BYTES - STACK_RESERVE
  mv a0, s2
  call machine_prepare_blocks
  mv s0, a0
  la t0, boot_state
  li t1, BOOT_BLOCKS_READY
  amoor.w.aqrl zero, t1, (t0)
  prepare_csrs
  mv a0, s3
  call machine_prepare
  sfence.vma
  csrw satp, a0
  sfence.vma
  ld tp, BLOCK_HART_POINTER(s0)
  call machine_load_memory
  mv a0, s2
  call machine_main
  j boot_return

// Another hart: its block is the one that machine_startHart gave to its id. t1: boot_state as it found it.
secondary:
  andi t1, t1, BOOT_BLOCKS_READY
  beqz t1, park
  la s0, machine_blocks
  li t0, CPUS_MAX
3:
  ld t1, BLOCK_HART(s0)
  beq t1, a0, 4f
  addi s0, s0, 1 << BLOCK_LOG2
  addi t0, t0, -1
  bnez t0, 3b
  // Nobody asked for this hart: it stays out of the way.
park:
  csrw sie, zero
5:
  wfi
  j 5b
4:
  prepare_csrs
  ld sp, BLOCK_STACK_TOP(s0)
  la t0, kernel_satp
  ld t0, 0(t0)
  sfence.vma
  csrw satp, t0
  sfence.vma
  ld tp, BLOCK_HART_POINTER(s0)
  lw a0, BLOCK_CPU(s0)
  call kernel_bootSecondary
  j boot_return

// Not in .bss, which the first hart clears after claiming the boot.
.section .data.boot, "aw", @progbits
.balign 4
boot_state:
  .word 0
