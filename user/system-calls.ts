// System calls: the system calls under their names, for user programs.
//
// Times are ticks, absolute, as `time()` counts them; task ids are what `spawn` and `taskId` return. A result below zero
// is a SyscallError (abi/syscalls.ts); each function names those that it can return.
// Pairs with: sdk.ts, which offers these to programs of other folders; hartbeat-user.h, the same in C.

import { Syscall, SyscallError } from "../abi/syscalls";
import * as os from "./os";

/** Gives the hart to the next task of equal or higher class. 0. */
export function yieldHart(): i64 {
  return os.call(Syscall.Yield, 0, 0, 0);
}

/** Ends the task with that code. Does not return. A kernel that came back from it would meet a trap here. */
export function exit(code: i32): void {
  if (os.call(Syscall.Exit, code, 0, 0) != 0) unreachable();
}

/**
 * Sleeps until that time, in ticks; a time that has passed returns at once.
 * 0 when the time has come, 1 when another task woke this one, QueueFull: it did not sleep.
 */
export function sleepUntil(ticks: i64): i64 {
  return os.call(Syscall.SleepUntil, ticks, 0, 0);
}

/**
 * Wakes a task; one that does not sleep returns from its next sleep at once. 0. NotFound: there is no such task now.
 * QueueFull: its run queue is full. Contended: other harts were faster each time; try again.
 */
export function wake(task: i64): i64 {
  return os.call(Syscall.Wake, task, 0, 0);
}

/**
 * Makes a task, on the CPUs in turn; its id. On the boot hart only, else NotBootHart. InvalidArgument: no such program or
 * class. NoFreeTask, QueueFull, Contended: nothing was made; it may be possible later.
 */
export function spawn(program: i32, qos: i32, argument: i64): i64 {
  return os.call(Syscall.Spawn, program, qos, argument);
}

/**
 * Changes a task's class. 0. One's own on every hart; another task's on the boot hart only, else NotBootHart.
 * InvalidArgument: no such class. NotFound; QueueFull: it keeps its class and its place; Contended.
 */
export function setQos(task: i64, qos: i32): i64 {
  return os.call(Syscall.SetQos, task, qos, 0);
}

/** The time in ticks, the same on every hart. */
export function time(): i64 {
  return os.call(Syscall.Time, 0, 0, 0);
}

/** The caller's id. */
export function taskId(): i64 {
  return os.call(Syscall.TaskId, 0, 0, 0);
}

/** Ends a task. 0. On the boot hart only, else NotBootHart. NotFound; Contended. */
export function kill(task: i64): i64 {
  return os.call(Syscall.Kill, task, 0, 0);
}

/** The index of the CPU that runs the caller: as of now, since it may run elsewhere after the next instruction. */
export function cpuId(): i64 {
  return os.call(Syscall.CpuId, 0, 0, 0);
}

/** Any call, also one that there is not. */
export function callNumber(number: i32): i64 {
  return os.call(number, 0, 0, 0);
}

/**
 * Writes a line of ASCII, `length` bytes at `address`, without line end; while the console is full, gives the hart to
 * others and tries again. 0. InvalidArgument: too long for a line. Fault: some of it is not the program's own memory.
 */
export function writeBytes(address: i64, length: i64): i64 {
  let answer = os.call(Syscall.WriteLine, address, length, 0);
  while (answer == SyscallError.ConsoleFull) {
    if (yieldHart() != 0) return answer;
    answer = os.call(Syscall.WriteLine, address, length, 0);
  }
  return answer;
}
