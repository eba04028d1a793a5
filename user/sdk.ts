// SDK: what `import { … } from "hartbeat/user"` gives a program: the system calls, the classes, the errors, and lines.
//
// A program exports `run(argument: i64): i32`; what it returns is its exit code. It has one page of memory and no
// allocator: `memory.data(bytes)` gives it static memory. docs/running.md has the rest.
// Owner: the calling task. Pairs with: system-calls.ts, which documents each call; hartbeat-user.h, the same in C.

export { Qos, QOS_COUNT } from "../abi/qos";
export { SyscallError } from "../abi/syscalls";
export {
  cpuId,
  exit,
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
import { writeBytes } from "./system-calls";

/** Ticks of `time` in a millisecond, on sim and on virt: a tick is 100 ns. */
export const TICKS_PER_MILLISECOND: i64 = 10000;

/** The number, for `spawn`, of the first program that the command line names; the built-in ones stand before. */
export const FIRST_PROGRAM: i32 = 9;

/** Characters of a line; what a task adds beyond them is left out. */
export const LINE_BYTES: i32 = 144;

const OWN_LINE: usize = memory.data(144);

// Globals are a task's own, also in a module with shared memory.
let line: usize = 0;
let length: i32 = 0;

/**
 * Where this task builds its lines: LINE_BYTES of memory. Tasks that share their memory need it, each with a place of its
 * own; others need not call it.
 */
export function useLineMemory(address: usize): void {
  line = address;
}

/** Writes one line: ASCII, without line end. 0, or a SyscallError: InvalidArgument when it is too long. */
export function writeLine(text: string): i64 {
  beginLine(text);
  return endLine();
}

/** Begins a line of several parts; `endLine` writes it. */
export function beginLine(text: string): void {
  length = 0;
  addText(text);
}

export function addText(text: string): void {
  for (let i = 0; i < text.length; i++) addByte(text.charCodeAt(i));
}

/** Adds a number, decimal. */
export function addNumber(value: i64): void {
  if (value < 0) addByte(45);
  let unit: u64 = 1;
  const size: u64 = value < 0 ? 0 - (value as u64) : (value as u64);
  while (size / unit >= 10) unit *= 10;
  for (; unit > 0; unit /= 10) addByte(48 + (((size / unit) % 10) as i32));
}

/** Writes the line that was begun. 0, or a SyscallError. */
export function endLine(): i64 {
  return writeBytes(lineMemory() as i64, length);
}

function lineMemory(): usize {
  return line == 0 ? OWN_LINE : line;
}

function addByte(byte: i32): void {
  if (length >= LINE_BYTES) return;
  store<u8>(lineMemory() + (length as usize), byte as u8);
  length += 1;
}
