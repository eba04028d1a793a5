// Hart block and frame: what the trap path keeps for each hart and for each space.
//
// Owner: a hart block is written by its hart, and by the boot hart before it starts that hart; a frame by the hart
// that runs its space. Both lie outside linear memory: no store of the kernel can redirect a trap.
// Invariant: `sscratch` points at the hart's block whenever that hart may trap.
// Pairs with: trap.S and boot.S, which use the offsets; harts.c, which fills the blocks.
#ifndef HART_BLOCK_H
#define HART_BLOCK_H

#include "abi.h"

// Offsets in a hart block. The trap path touches only its first cache line.
#define BLOCK_FRAME 0
#define BLOCK_SCRATCH 8
#define BLOCK_STACK_TOP 16
#define BLOCK_STACK_BOTTOM 24
#define BLOCK_HART_POINTER 32
#define BLOCK_SPACE 40
#define BLOCK_FLUSHES 44
#define BLOCK_FRAMES 48
#define BLOCK_CPU 56
#define BLOCK_CALL_CAUSE 60
#define BLOCK_HART 64
#define BLOCK_PANICKED 72
#define BLOCK_LOG2 7

// Offsets in a frame: register x<n> lies at 8 * n, and the program counter where x0 would.
#define FRAME_PC 0
#define FRAME_SATP 256
#define FRAME_LOG2 9

// scause of a system call, and no cause at all: below 0, and no cause of an interrupt either.
#define CAUSE_USER_ECALL 8
#define NO_CAUSE -1

// BLOCK_SPACE before a hart has entered anything; no space, and not IDLE_SPACE either.
#define NO_SPACE -2

// Bytes at a trap stack's upper end that are never used.
#define STACK_RESERVE 16

#ifndef __ASSEMBLER__

#include <stddef.h>
#include <stdint.h>

struct frame {
  uint64_t registers[32]; // [0] is the program counter
  uint64_t satp;          // of the space; written once, at boot
} __attribute__((aligned(1 << FRAME_LOG2)));

struct hart_block {
  struct frame *frame;     // of the space that runs now, or ran last
  uint64_t scratch;        // one register during trap entry
  uintptr_t stack_top;     // also the value of the canary at the stack's bottom
  uintptr_t *stack_bottom;
  uint64_t hart_pointer;   // S-mode `tp`: the kernel's own block of this hart, in linear memory
  int32_t space;           // that runs now, IDLE_SPACE or NO_SPACE
  int32_t flushes;         // not 0: a change of address space needs a fence, because ASIDs are missing
  struct frame *frames;    // of the spaces
  int32_t cpu;
  int32_t call_cause;      // CAUSE_USER_ECALL, or NO_CAUSE where traps are observed (observer.c)
  int64_t hart;            // id, or -1 while no hart has been given to this CPU
  int32_t panicked;        // not 0: this hart is printing its panic already
} __attribute__((aligned(1 << BLOCK_LOG2)));

_Static_assert(offsetof(struct frame, satp) == FRAME_SATP, "trap.S restores satp from here");
_Static_assert(sizeof(struct frame) == 1 << FRAME_LOG2, "trap.S indexes frames by shifting");
_Static_assert(offsetof(struct hart_block, frame) == BLOCK_FRAME, "offset");
_Static_assert(offsetof(struct hart_block, scratch) == BLOCK_SCRATCH, "offset");
_Static_assert(offsetof(struct hart_block, stack_top) == BLOCK_STACK_TOP, "offset");
_Static_assert(offsetof(struct hart_block, stack_bottom) == BLOCK_STACK_BOTTOM, "offset");
_Static_assert(offsetof(struct hart_block, hart_pointer) == BLOCK_HART_POINTER, "offset");
_Static_assert(offsetof(struct hart_block, space) == BLOCK_SPACE, "offset");
_Static_assert(offsetof(struct hart_block, flushes) == BLOCK_FLUSHES, "offset");
_Static_assert(offsetof(struct hart_block, frames) == BLOCK_FRAMES, "offset");
_Static_assert(offsetof(struct hart_block, cpu) == BLOCK_CPU, "offset");
_Static_assert(offsetof(struct hart_block, call_cause) == BLOCK_CALL_CAUSE, "offset");
_Static_assert(offsetof(struct hart_block, hart) == BLOCK_HART, "offset");
_Static_assert(offsetof(struct hart_block, panicked) == BLOCK_PANICKED, "offset");
_Static_assert(sizeof(struct hart_block) == 1 << BLOCK_LOG2, "one block, its own cache lines");

#endif
#endif
