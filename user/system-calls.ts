// System calls: the system calls under their names, for user programs.

import { Syscall, SyscallError } from "../abi/syscalls";
import * as os from "./os";

export function yieldHart(): i64 {
  return os.call(Syscall.Yield, 0, 0, 0);
}

/** Does not return. A kernel that came back from it would meet a trap here. */
export function exit(code: i32): void {
  if (os.call(Syscall.Exit, code, 0, 0) != 0) unreachable();
}

/** 1 when another task woke this one, 0 when the time came, below zero a SyscallError. */
export function sleepUntil(ticks: i64): i64 {
  return os.call(Syscall.SleepUntil, ticks, 0, 0);
}

export function wake(task: i64): i64 {
  return os.call(Syscall.Wake, task, 0, 0);
}

export function spawn(program: i32, qos: i32, argument: i64): i64 {
  return os.call(Syscall.Spawn, program, qos, argument);
}

export function setQos(task: i64, qos: i32): i64 {
  return os.call(Syscall.SetQos, task, qos, 0);
}

export function time(): i64 {
  return os.call(Syscall.Time, 0, 0, 0);
}

export function taskId(): i64 {
  return os.call(Syscall.TaskId, 0, 0, 0);
}

export function kill(task: i64): i64 {
  return os.call(Syscall.Kill, task, 0, 0);
}

export function cpuId(): i64 {
  return os.call(Syscall.CpuId, 0, 0, 0);
}

/** Any call, also one that there is not. */
export function callNumber(number: i32): i64 {
  return os.call(number, 0, 0, 0);
}

/** Writes a line; while the console is full, gives the hart to others and tries again. */
export function writeBytes(address: i64, length: i64): i64 {
  let answer = os.call(Syscall.WriteLine, address, length, 0);
  while (answer == SyscallError.ConsoleFull) {
    if (yieldHart() != 0) return answer;
    answer = os.call(Syscall.WriteLine, address, length, 0);
  }
  return answer;
}
