// Machine calls: the imports of kernel.wasm as C functions, in the order of kernel/machine.ts, which describes them.
//
// Owner: none; what costs a few instructions is inlined into the kernel's code, the rest lives beside this file.
// Invariant: nothing here reads or writes linear memory; what needs it (user-space.c, console.c) checks its bounds.
// Pairs with: the printed kernel.c, which includes this file and nothing else.
#ifndef MACHINE_CALLS_H
#define MACHINE_CALLS_H

#include <stdint.h>
#include "abi.h"
#include "sbi.h"

#define SIP_SOFT 2

// The page of the SSWI that is mapped holds so many registers, a word each.
#define SSWI_REGISTERS 1024

extern volatile uint32_t *machine_sswi; // the selected device, or 0: the firmware sends IPIs
extern char trap_stacks[];

// The register itself, read where it is needed.
register uintptr_t machine_tp __asm__("tp");

static inline int64_t machine_hartPointer(void) {
  return (int64_t)machine_tp;
}

static inline void machine_setHartPointer(int64_t value) {
  machine_tp = (uintptr_t)value;
}

// The image lies below 4 GiB, the stacks are aligned to their size, and sp never stands at a stack's very end (harts.c).
static inline int32_t machine_stackSlot(void) {
  int32_t slot;
  __asm__("srliw %0, sp, %1" : "=r"(slot) : "i"(__builtin_ctz(TRAP_STACK_BYTES)));
  return slot;
}

static inline int32_t machine_stackSlotFirst(void) {
  return (int32_t)((uint32_t)(uintptr_t)trap_stacks / TRAP_STACK_BYTES);
}

int32_t machine_hartStateOf(int32_t hart);
int32_t machine_startHart(int32_t hart, int32_t cpu);

// Atomics order memory, not I/O: the fence puts every earlier store before the doorbell.
static inline int32_t machine_sendIpi(int32_t doorbell) {
  volatile uint32_t *sswi = machine_sswi;
  if (sswi != 0) {
    if ((uint32_t)doorbell >= SSWI_REGISTERS) return MACHINE_ERROR_INVALID_PARAMETER;
    __asm__ volatile("fence rw, o" : : : "memory");
    sswi[doorbell] = 1;
    return MACHINE_ERROR_OK;
  }
  __asm__ volatile("fence rw, o" : : : "memory");
  return (int32_t)sbi_call(SBI_IPI, SBI_IPI_SEND, 1, doorbell, 0).error;
}

static inline void machine_raiseSoft(void) {
  __asm__ volatile("fence rw, o\n\tcsrsi sip, %0" : : "i"(SIP_SOFT) : "memory");
}

// A CSR is ordered as a device is: what follows reads memory as it was after the bit fell.
static inline void machine_clearSoft(void) {
  __asm__ volatile("csrci sip, %0\n\tfence o, rw" : : "i"(SIP_SOFT) : "memory");
}

int32_t machine_selectIpi(int32_t path, int64_t address);

static inline int64_t machine_timeTicks(void) {
  int64_t ticks;
  __asm__ volatile("rdtime %0" : "=r"(ticks));
  return ticks;
}

int32_t machine_ticksPerSecond(void);

static inline void machine_setTimer(int64_t deadlineTicks) {
  sbi_call(SBI_TIME, SBI_TIME_SET, deadlineTicks, 0, 0);
}

int32_t machine_deviceTreeBytes(void);
int32_t machine_deviceTreeWord(int32_t offset);

int32_t machine_taskWord(int32_t index);

int32_t machine_prepareSpace(int32_t space, int32_t program, int64_t argument);
int32_t machine_programCount(void);
void machine_setReturn(int32_t space, int64_t value);
int32_t machine_copyFromUser(int32_t space, int64_t userAddress, int32_t kernelAddress, int32_t lengthBytes);

void machine_writeLine(int32_t address, int32_t lengthBytes);
int32_t machine_offerLine(int32_t address, int32_t lengthBytes);
void machine_drainConsole(void);
int32_t machine_consoleRoom(void);
void machine_powerOff(int32_t result);

#endif
