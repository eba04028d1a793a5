// Panic: a broken invariant, reported in one line, and the end of the run.
//
// Owner: the hart on which it happened. The line is
//   PANIC: cpu=<n> reason=<text> scause=<hex> stval=<hex> sepc=<hex> detail=<hex>
// Invariant: never returns; a panic while panicking prints nothing more and powers off at once.
// Pairs with: trap.S, which comes here; abi/markers.ts, which prints the prefix.
// Clauses: T4 (the canary's end), and the boundary's rule that a wasm trap fails closed.
#include "machine.h"

struct line {
  size_t length;
  char text[CONSOLE_LINE_BYTES];
};

static void append(struct line *line, const char *string) {
  while (*string != 0 && line->length < CONSOLE_LINE_BYTES) line->text[line->length++] = *string++;
}

static void append_number(struct line *line, uint64_t value, unsigned base) {
  char digits[21];
  int first = 20;
  digits[first] = 0;
  do {
    digits[--first] = "0123456789abcdef"[value % base];
    value /= base;
  } while (value != 0);
  if (base == 16) append(line, "0x");
  append(line, digits + first);
}

static const char *exception_name(uint64_t cause) {
  switch (cause) {
  case TRAP_CAUSE_INSTRUCTION_ACCESS: return "instruction access fault in the kernel";
  case TRAP_CAUSE_ILLEGAL_INSTRUCTION: return "unreachable or illegal instruction in the kernel";
  case TRAP_CAUSE_BREAKPOINT: return "breakpoint in the kernel";
  case TRAP_CAUSE_LOAD_MISALIGNED: return "misaligned load in the kernel";
  case TRAP_CAUSE_LOAD_ACCESS: return "load access fault in the kernel";
  case TRAP_CAUSE_STORE_MISALIGNED: return "misaligned store in the kernel";
  case TRAP_CAUSE_STORE_ACCESS: return "store access fault in the kernel";
  case TRAP_CAUSE_INSTRUCTION_PAGE: return "instruction page fault in the kernel";
  case TRAP_CAUSE_LOAD_PAGE: return "load page fault in the kernel";
  case TRAP_CAUSE_STORE_PAGE: return "store page fault in the kernel";
  default: return "unknown exception in the kernel";
  }
}

void machine_panic(const char *reason, uint64_t detail) {
  struct hart_block *block = machine_this_block();
  if (block->panicked) machine_powerOff(POWER_OFF_PANIC);
  block->panicked = 1;

  uint64_t scause, stval, sepc;
  __asm__ volatile("csrr %0, scause\n\tcsrr %1, stval\n\tcsrr %2, sepc" : "=r"(scause), "=r"(stval), "=r"(sepc));
  struct line line;
  line.length = 0;
  append(&line, "PANIC: cpu=");
  append_number(&line, (uint64_t)block->cpu, 10);
  append(&line, " reason=");
  append(&line, reason);
  append(&line, " scause=");
  append_number(&line, scause, 16);
  append(&line, " stval=");
  append_number(&line, stval, 16);
  append(&line, " sepc=");
  append_number(&line, sepc, 16);
  append(&line, " detail=");
  append_number(&line, detail, 16);
  // The ring may be full: then this waits until it is not, as the flush below does anyway.
  (void)console_write(line.text, line.length);
  machine_powerOff(POWER_OFF_PANIC);
  __builtin_unreachable();
}

// From trap.S: an exception in S-mode. detail: the address that faulted, or 0.
__attribute__((noreturn)) void machine_panic_fault(void) {
  uint64_t scause, stval;
  __asm__ volatile("csrr %0, scause\n\tcsrr %1, stval" : "=r"(scause), "=r"(stval));
  machine_panic(exception_name(scause), stval);
}

// From trap.S: the canary at the bottom of this hart's trap stack is gone. detail: what stands there.
__attribute__((noreturn)) void machine_panic_overrun(void) {
  machine_panic("trap stack overrun", *machine_this_block()->stack_bottom);
}

// From trap.S: the kernel returned neither a space nor IDLE_SPACE.
__attribute__((noreturn)) void machine_panic_space(int32_t space) {
  machine_panic("no such space to enter", (uint32_t)space);
}
