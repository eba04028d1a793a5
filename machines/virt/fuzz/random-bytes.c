// Random bytes: user programs that are no programs. A task jumps into an area of bytes that the host has filled from a
// seed; how it goes on is chance. A task that begins on the boot hart is a reaper instead: it lets the others run, then
// kills every task that it finds until there is none.
//
// Owner: each task itself; linked as a user image of its own in place of the printed programs.
// Invariant: the area follows AREA's four words, by which toolchain/fuzz-image.ts finds it in the linked file.
// Pairs with: fuzz-image.ts, which fills it; user-entry.S, which calls user_start.
#include "os-calls.h"
#include "abi.h"
#include "user.h"

#define PROGRAMS 9
#define PROGRAM_PROBE 0
#define AREA_BYTES 16384
// Past the task's entry there are at least so many random bytes.
#define AREA_TAIL_BYTES 512

#define FIRST_SLEEP_TICKS 200000
#define SWEEP_SLEEP_TICKS 50000
#define QUIET_SWEEPS 3
// Ids: the entry's index, and above it which life of the entry.
#define ID_INDEX_BITS 10
#define LIVES 6

__asm__(
    ".section .text.area, \"ax\", @progbits\n"
    ".balign 4\n"
    ".word 0x7a5f4842, 0x5eed0002, 0x2c9277b5, 0xf17e0a11\n"
    ".globl area\n"
    "area: .space 16384\n"
    ".text\n");
extern const char area[AREA_BYTES];

static void sleep_for(int64_t ticks) {
  os_call(SYSCALL_SLEEP_UNTIL, os_call(SYSCALL_TIME, 0, 0, 0) + ticks, 0, 0);
}

// How many tasks it ended.
static int sweep(int64_t own) {
  int ended = 0;
  for (int64_t index = 0; index < SPACES_MAX; index++)
    for (int64_t life = 1; life <= LIVES; life++) {
      int64_t id = life << ID_INDEX_BITS | index;
      if (id != own && os_call(SYSCALL_KILL, id, 0, 0) == 0) ended++;
    }
  return ended;
}

static void reap(int64_t own) {
  int quiet = 0;
  os_call(SYSCALL_SET_QOS, own, 3, 0);
  sleep_for(FIRST_SLEEP_TICKS);
  while (quiet < QUIET_SWEEPS) {
    quiet = sweep(own) == 0 ? quiet + 1 : 0;
    sleep_for(SWEEP_SLEEP_TICKS);
  }
  os_call(SYSCALL_EXIT, 0, 0, 0);
}

void user_start(int32_t program, int64_t argument) {
  if (program == PROGRAM_PROBE) os_call(SYSCALL_EXIT, argument, 0, 0);
  int64_t own = os_call(SYSCALL_TASK_ID, 0, 0, 0);
  if (os_call(SYSCALL_CPU_ID, 0, 0, 0) == 0) reap(own);
  uint32_t place = (uint32_t)own * 2654435761u + (uint32_t)program * 40503u + (uint32_t)argument * 97u;
  // Any even address may be one of an instruction.
  const char *entry = area + ((place >> 8) % (AREA_BYTES - AREA_TAIL_BYTES) & ~1u);
  ((void (*)(int64_t, int64_t, int64_t))entry)(own, (int64_t)place, argument);
  // Chance brought it back.
  os_call(SYSCALL_EXIT, 0, 0, 0);
}

int32_t user_programCount(void) {
  return PROGRAMS;
}
