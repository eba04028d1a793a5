// Bench: what the files of the benchmark share: the boot hart, the lines that it prints, the memory that it sets up.
//
// Owner: the boot hart, alone.
// Pairs with: bench.c (lines, operations), situations.c, resched-chains.c; measure.S.
#ifndef BENCH_H
#define BENCH_H
#include <stdbool.h>
#include "machine.h"
#include "state.h"
#include "twin.h"
#define WASM_MEMORY_BASE 0
#include "wasm-c.h"
#include "kernel.h"

#define ADDRESS(pointer) ((int64_t)(intptr_t)(pointer))

static struct hart *const self = HARTS;
extern int cpus;
extern int32_t hart_of[CPUS_MAX];

// measure.S
int64_t bench_count(void *function, const int64_t arguments[6], int64_t *result);
void bench_ring_and_wait(void *function, int64_t a0, int64_t a1, int64_t stamps[2]);
void bench_nothing(void);
// Only in the image that measures resched chains.
extern int64_t bench_trap_stamps[2] __attribute__((weak));
extern void *bench_trap __attribute__((weak));
// What --wrap leaves of kernel_trap.
int32_t __real_kernel_trap(int32_t, int64_t, int32_t, int64_t, int64_t, int64_t) __attribute__((weak));

// bench.c
struct line {
  size_t length;
  char text[CONSOLE_LINE_BYTES];
};

void put(struct line *line, const char *string);
void put_number(struct line *line, const char *name, int64_t value);
void end_line(struct line *line);
// Instructions that a measurement adds to what it measures.
int64_t overhead(void);

// situations.c: makes the kernel's memory that of a machine on which nothing runs yet.
void reset(void);
// FNV-1a over whole words.
uint64_t hash_words(uint64_t hash, const void *from, const void *to);
// Everything that an operation of the kernel or its twin may have written.
uint64_t digest(void);

// resched-chains.c
void measure_chains(void);

#endif
