// Program bodies: what user tasks do. Each returns its exit code; 0 is what its author expects.

import { Intrusion } from "../abi/programs";
import { Qos, QOS_COUNT } from "../abi/qos";
import { SyscallError } from "../abi/syscalls";
import {
  callNumber,
  cpuId,
  kill,
  setQos,
  sleepUntil,
  spawn,
  taskId,
  time,
  wake,
  writeBytes,
  yieldHart,
} from "./system-calls";
import { Program } from "../abi/programs";
import { add, addNumber, begin, end } from "./output-line";

/** Rounds of arithmetic between two system calls. */
const ROUND: i32 = 2000;
const SLEEP_TICKS: i64 = 15000;
/** Longer than any run of the default set: a waiter is woken, or something is wrong. */
const LONG_TICKS: i64 = 100000000;

// Where a program keeps what its rounds compute, so that they compute something.
const RESULT: i32 = 0x8800;

function compute(rounds: i32): void {
  let value = load<i32>(RESULT as usize) + 1;
  for (let i = 0; i < rounds; i++) value = value * 1664525 + 1013904223;
  store<i32>(RESULT as usize, value);
}

export function work(rounds: i32): i32 {
  for (let i = 0; i < rounds; i++) {
    compute(ROUND);
    if (yieldHart() != 0) return 1;
  }
  return 0;
}

export function spin(rounds: i32): i32 {
  for (let i = 0; i < rounds; i++) compute(ROUND);
  return 0;
}

export function sleepOften(times: i32): i32 {
  for (let i = 0; i < times; i++) {
    const until = time() + SLEEP_TICKS;
    if (sleepUntil(until) != 0) return 1;
    if (time() < until) return 2;
  }
  return 0;
}

export function awaitWakes(times: i32): i32 {
  for (let i = 0; i < times; i++) {
    if (sleepUntil(time() + LONG_TICKS) != 1) return 1;
  }
  return 0;
}

/** Wakes a task until it is there no more. */
export function wakeOften(task: i64): i32 {
  let wakes = 0;
  let answer: i64 = 0;
  while (answer != SyscallError.NotFound) {
    answer = wake(task);
    if (answer == 0) wakes += 1;
    else if (answer != SyscallError.NotFound && answer != SyscallError.Contended && answer != SyscallError.QueueFull) {
      return 1;
    }
    if (sleepUntil(time() + SLEEP_TICKS) < 0) return 2;
  }
  begin("woke task ");
  addNumber(task);
  add(" until it had gone");
  if (end() != 0) return 3;
  return wakes > 0 ? 0 : 4;
}

export function climb(): i32 {
  for (let qos = Qos.Idle; qos < QOS_COUNT; qos++) {
    if (setQos(taskId(), qos) != 0) return 1;
    compute(ROUND);
  }
  return setQos(taskId(), QOS_COUNT) == SyscallError.InvalidArgument ? 0 : 2;
}

/** Asks for what needs the runtime authority. */
export function petition(): i32 {
  const spawned = spawn(Program.Probe, Qos.Normal, 0);
  // Only after the answer: the hart may change between two calls.
  const killed = kill(0x7ffffffe);
  begin("asked from cpu");
  addNumber(cpuId());
  add(" for a spawn: ");
  if (spawned >= 0) add("granted");
  else if (spawned == SyscallError.NotBootHart) add("NotBootHart");
  else addNumber(spawned);
  if (end() != 0) return 1;
  if (spawned < 0 && spawned != SyscallError.NotBootHart) return 2;
  return killed == SyscallError.NotFound || killed == SyscallError.NotBootHart ? 0 : 3;
}

// Offsets from the start of a program's memory, which lies at 0x40000000 on virt: 32-bit offsets that would
// lead to the kernel's memory at 0 and to its image at 0x80200000, and one just past the program's own.
const TO_KERNEL_MEMORY: u32 = 0xc0040040;
const TO_KERNEL_IMAGE: u32 = 0x40200000;
const BEYOND_OWN: u32 = 0x00010000;

/** Tries what must not be possible. Most attempts end the task; those that return are answered and checked. */
export function intrude(attempt: Intrusion): i32 {
  switch (attempt) {
    case Intrusion.ReadKernelMemory:
      return stolen(load<i32>(TO_KERNEL_MEMORY as usize));
    case Intrusion.WriteKernelMemory:
      store<i32>(TO_KERNEL_MEMORY as usize, 0);
      return 100;
    case Intrusion.ReadKernelImage:
      return stolen(load<i32>(TO_KERNEL_IMAGE as usize));
    case Intrusion.ReadBeyondOwnMemory:
      return stolen(load<i32>(BEYOND_OWN as usize));
    case Intrusion.UnknownSyscall:
      return callNumber(4711) == SyscallError.Unknown ? 0 : 101;
    default:
      return writeBytes(TO_KERNEL_MEMORY as i64, 16) == SyscallError.Fault ? 0 : 102;
  }
}

/** The exit code of an intruder that got something: never 0. */
function stolen(value: i32): i32 {
  store<i32>(RESULT as usize, value);
  return 100;
}
