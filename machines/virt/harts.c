// Harts: their blocks, their start, and the way IPIs take.
//
// Owner: machine_blocks[cpu] is written by the boot hart until that CPU's hart is started, then by that hart alone.
// Invariant: CPU 0 is the boot hart, whatever its hart id; a CPU is given to one hart and never to a second.
// Pairs with: boot.S (which finds a hart's block by its id), trap.S, hart-block.h.
#include "machine.h"
#include "observer.h"

struct hart_block machine_blocks[CPUS_MAX];

volatile uint32_t *machine_sswi;
static uint64_t sswi_address;
static bool harts_can_start;

struct hart_block *machine_this_block(void) {
  struct hart_block *block;
  __asm__ volatile("csrr %0, sscratch" : "=r"(block));
  return block;
}

static void prepare_block(int cpu) {
  struct hart_block *block = &machine_blocks[cpu];
  uintptr_t bottom = (uintptr_t)trap_stacks + (uintptr_t)cpu * TRAP_STACK_BYTES;
  // Below the end, so that an empty stack's sp lies within it too (machine_stackSlot).
  block->stack_top = bottom + TRAP_STACK_BYTES - STACK_RESERVE;
  block->stack_bottom = (uintptr_t *)bottom;
  *block->stack_bottom = block->stack_top;
  block->hart_pointer = HART_BASE + (uint64_t)cpu * HART_STRIDE;
  block->space = NO_SPACE;
  block->frames = space_frames;
  block->cpu = cpu;
  block->call_cause = machine_observer_base != 0 ? NO_CAUSE : CAUSE_USER_ECALL;
  block->hart = -1;
}

// The first C code of the boot hart: from here on a fault is a panic line. Returns the boot hart's block.
struct hart_block *machine_prepare_blocks(int64_t hart) {
  for (int cpu = 0; cpu < CPUS_MAX; cpu++) prepare_block(cpu);
  machine_blocks[0].hart = hart;
  return &machine_blocks[0];
}

// After the page tables are built. sswi: the device's physical address, or 0 when there is none.
void machine_prepare_harts(uint64_t sswi) {
  sswi_address = sswi;
  harts_can_start = sbi_call(SBI_BASE, SBI_BASE_PROBE, SBI_HSM, 0, 0).value != 0;
  for (int cpu = 0; cpu < CPUS_MAX; cpu++) machine_blocks[cpu].flushes = asids_missing;
}

int32_t machine_hartStateOf(int32_t hart) {
  if (!harts_can_start) return MACHINE_ERROR_NOT_SUPPORTED;
  struct sbi_answer answer = sbi_call(SBI_HSM, SBI_HSM_STATUS, hart, 0, 0);
  return (int32_t)(answer.error != 0 ? answer.error : answer.value);
}

int32_t machine_startHart(int32_t hart, int32_t cpu) {
  if (!harts_can_start) return MACHINE_ERROR_NOT_SUPPORTED;
  if (cpu <= 0 || cpu >= CPUS_MAX || hart < 0) return MACHINE_ERROR_INVALID_PARAMETER;
  struct hart_block *block = &machine_blocks[cpu];
  if (block->hart >= 0) return MACHINE_ERROR_ALREADY_AVAILABLE;
  block->hart = hart;
  // The hart starts with paging off and reads its block and the kernel's memory: both must be there before it.
  __asm__ volatile("fence rw, rw\n\tfence rw, o" : : : "memory");
  int64_t error = sbi_call(SBI_HSM, SBI_HSM_START, hart, IMAGE_BASE, 0).error;
  if (error != 0) block->hart = -1;
  return (int32_t)error;
}

// An explicit choice, not a fallback: a path that this machine lacks is refused and nothing changes.
int32_t machine_selectIpi(int32_t path, int64_t address) {
  switch (path) {
  case IPI_PATH_FIRMWARE:
    machine_sswi = 0;
    return MACHINE_ERROR_OK;
  case IPI_PATH_ACLINT_SSWI:
    if (sswi_address == 0) return MACHINE_ERROR_NOT_SUPPORTED;
    if ((uint64_t)address != sswi_address) return MACHINE_ERROR_INVALID_ADDRESS;
    machine_sswi = (volatile uint32_t *)SSWI_WINDOW;
    return MACHINE_ERROR_OK;
  default:
    return MACHINE_ERROR_INVALID_PARAMETER;
  }
}
