// Task line: a line that a task of a shared memory builds in its own block and writes with one system call.
//
// Pairs with: workload.ts; output-line.ts does the same for tasks with a memory of their own.

import { writeBytes } from "./system-calls";
import { Block, LINE_OFFSET } from "./workload-memory";

const LINE_BYTES: i32 = 128;

function lineOf(block: Block): usize {
  return changetype<usize>(block) + (LINE_OFFSET as usize);
}

function put(block: Block, byte: i32): void {
  if (block.length >= LINE_BYTES) return;
  store<u8>(lineOf(block) + (block.length as usize), byte as u8);
  block.length += 1;
}

function addText(block: Block, characters: string): void {
  // bound: the length of a constant.
  for (let i = 0; i < characters.length; i++) put(block, characters.charCodeAt(i));
}

/** value: 0 or more. */
function addNumber(block: Block, value: i32): void {
  let unit = 1;
  // bound: 9 digits.
  while (unit <= value / 10) unit *= 10;
  for (let rest = value; unit > 0; unit /= 10) {
    put(block, 48 + rest / unit);
    rest %= unit;
  }
}

export function beginTaskLine(block: Block, prefix: string, value: i32): void {
  block.length = 0;
  addField(block, prefix, value);
}

export function addField(block: Block, name: string, value: i32): void {
  addText(block, name);
  addNumber(block, value);
}

/** What the system call answers: 0, or a SyscallError. */
export function endTaskLine(block: Block): i64 {
  return writeBytes(lineOf(block) as i64, block.length);
}
