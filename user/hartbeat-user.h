// Hartbeat user: the system calls for programs in C. A program defines
//   __attribute__((export_name("run"))) int32_t run(int64_t argument);
// and what that returns is its exit code. HARTBEAT_PROGRAM before the definition is short for the attribute.
//
// Times are ticks of 100 ns, absolute; task ids are what hartbeat_spawn and hartbeat_task_id return. A result below zero
// is one of enum hartbeat_error.
// Pairs with: sdk.ts, the same in AssemblyScript; abi/syscalls.ts, whose numbers these are.
#ifndef HARTBEAT_USER_H
#define HARTBEAT_USER_H

#include <stdint.h>

#define HARTBEAT_PROGRAM __attribute__((export_name("run")))

#define HARTBEAT_TICKS_PER_MILLISECOND INT64_C(10000)

// The number, for hartbeat_spawn, of the first program that the command line names; the built-in ones stand before.
#define HARTBEAT_FIRST_PROGRAM 9

enum hartbeat_qos {
  HARTBEAT_IDLE = 0,
  HARTBEAT_NORMAL = 1,
  HARTBEAT_INTERACTIVE = 2,
  HARTBEAT_PERF_BURST = 3,
};

enum hartbeat_error {
  HARTBEAT_UNKNOWN = -1,
  HARTBEAT_NOT_BOOT_HART = -2,
  HARTBEAT_QUEUE_FULL = -3,
  HARTBEAT_NOT_FOUND = -4,
  HARTBEAT_INVALID_ARGUMENT = -5,
  HARTBEAT_FAULT = -6,
  HARTBEAT_CONTENDED = -7,
  HARTBEAT_CONSOLE_FULL = -8,
  HARTBEAT_NO_FREE_TASK = -9,
};

__attribute__((import_module("os"), import_name("call"))) int64_t hartbeat_call(int32_t number, int64_t a0, int64_t a1,
                                                                               int64_t a2);

// Gives the hart to the next task of equal or higher class. 0.
static inline int64_t hartbeat_yield(void) {
  return hartbeat_call(0, 0, 0, 0);
}

// Ends the task with that code.
static inline _Noreturn void hartbeat_exit(int32_t code) {
  hartbeat_call(1, code, 0, 0);
  __builtin_trap();
}

// 0 when the time has come, 1 when another task woke this one, HARTBEAT_QUEUE_FULL: it did not sleep.
static inline int64_t hartbeat_sleep_until(int64_t ticks) {
  return hartbeat_call(2, ticks, 0, 0);
}

// 0; HARTBEAT_NOT_FOUND, HARTBEAT_QUEUE_FULL, HARTBEAT_CONTENDED.
static inline int64_t hartbeat_wake(int64_t task) {
  return hartbeat_call(3, task, 0, 0);
}

// The new task's id; HARTBEAT_NOT_BOOT_HART, HARTBEAT_INVALID_ARGUMENT, HARTBEAT_NO_FREE_TASK, HARTBEAT_QUEUE_FULL,
// HARTBEAT_CONTENDED.
static inline int64_t hartbeat_spawn(int32_t program, enum hartbeat_qos qos, int64_t argument) {
  return hartbeat_call(4, program, qos, argument);
}

// 0. Another task's class: on the boot hart only, else HARTBEAT_NOT_BOOT_HART. HARTBEAT_INVALID_ARGUMENT,
// HARTBEAT_NOT_FOUND, HARTBEAT_QUEUE_FULL, HARTBEAT_CONTENDED: it keeps its class.
static inline int64_t hartbeat_set_qos(int64_t task, enum hartbeat_qos qos) {
  return hartbeat_call(5, task, qos, 0);
}

// The time in ticks, the same on every hart.
static inline int64_t hartbeat_time(void) {
  return hartbeat_call(7, 0, 0, 0);
}

// The caller's id.
static inline int64_t hartbeat_task_id(void) {
  return hartbeat_call(8, 0, 0, 0);
}

// 0; HARTBEAT_NOT_BOOT_HART, HARTBEAT_NOT_FOUND, HARTBEAT_CONTENDED.
static inline int64_t hartbeat_kill(int64_t task) {
  return hartbeat_call(9, task, 0, 0);
}

// The CPU that runs the caller, as of now.
static inline int64_t hartbeat_cpu_id(void) {
  return hartbeat_call(10, 0, 0, 0);
}

// Writes a line of ASCII without line end; while the console is full, gives the hart to others and tries again. 0;
// HARTBEAT_INVALID_ARGUMENT: too long. HARTBEAT_FAULT: not the program's own memory.
static inline int64_t hartbeat_write_line(const char *text, int64_t length) {
  int64_t answer;
  do answer = hartbeat_call(6, (int64_t)(uintptr_t)text, length, 0);
  while (answer == HARTBEAT_CONSOLE_FULL && hartbeat_yield() == 0);
  return answer;
}

#endif
