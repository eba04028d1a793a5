// Programs: the user tasks of the benchmark's image. Each counts retired instructions from U-mode and prints the least
// that it saw, in a line that main.ts reads.
//
// Owner: the task that runs it. Pairs with: bench.c, which spawns them one class after the other.
#include "abi.h"
#include "address-map.h"
#include "os-calls.h"
#include "user.h"

#define ROUNDS 200
#define TEXT 0x100

static void print_count(const char *name, int64_t count) {
  char digits[20];
  int first = 20, length = 0;
  volatile char *text = (volatile char *)(USER_MEMORY_BASE + TEXT);
  while (*name) text[length++] = *name++;
  do digits[--first] = (char)('0' + count % 10); while ((count /= 10) != 0);
  while (first < 20) text[length++] = digits[first++];
  os_call(SYSCALL_WRITE_LINE, TEXT, length, 0);
}

// The least number of instructions from one reading to the next, with a system call and two moves in between; the
// reading and the moves are not counted.
static int64_t least(int64_t call) {
  int64_t fewest = INT64_MAX;
  for (int round = 0; round < ROUNDS; round++) {
    int64_t before, after;
    __asm__ volatile("mv a7, %2\n\tmv a0, zero\n\trdinstret %0\n\tecall\n\trdinstret %1"
                     : "=&r"(before), "=&r"(after) : "r"(call) : "a0", "a7", "memory");
    if (after - before < fewest) fewest = after - before;
  }
  return fewest - 1;
}

// Two of these run: what lies between two returns of one of them is two switches and two rounds of this loop.
static int64_t least_of_switches(void) {
  int64_t fewest = INT64_MAX, last, now;
  __asm__ volatile("rdinstret %0" : "=r"(last));
  for (int round = 0; round < ROUNDS; round++) {
    __asm__ volatile("mv a7, %1\n\tecall\n\trdinstret %0" : "=&r"(now) : "r"((int64_t)SYSCALL_YIELD) : "a0", "a7", "memory");
    if (now - last < fewest) fewest = now - last;
    last = now;
  }
  return fewest;
}

// The same loop with a move in the place of the system call: what the loop itself costs.
static int64_t least_of_loop(void) {
  int64_t fewest = INT64_MAX, last, now;
  __asm__ volatile("rdinstret %0" : "=r"(last));
  for (int round = 0; round < ROUNDS; round++) {
    __asm__ volatile("mv a7, %1\n\tmv a0, zero\n\trdinstret %0" : "=&r"(now) : "r"((int64_t)SYSCALL_YIELD) : "a0", "a7", "memory");
    if (now - last < fewest) fewest = now - last;
    last = now;
  }
  return fewest;
}

void user_start(int32_t program, int32_t argument) {
  switch (program) {
  case 0:
    print_count("BENCH user=cpu-id-call count=", least(SYSCALL_CPU_ID));
    print_count("BENCH user=yield-alone count=", least(SYSCALL_YIELD));
    break;
  case 1: {
    int64_t both = least_of_switches();
    // The ecall itself takes the place of the move.
    if (argument == 1) print_count("BENCH user=switch count=", (both + 1) / 2 - least_of_loop() + 1);
    break;
  }
  case 2: print_count("BENCH end=", 0); break;
  }
}

int32_t user_programCount(void) { return 3; }
