// Output line: a line that a program builds and writes with one system call.

import { writeBytes } from "./system-calls";

// In the program's own memory, which no other task can see: past the constants, and one line long.
const LINE: i32 = 0x8000;
const LINE_BYTES: i32 = 120;

@unmanaged
class Text {
  length: i32;
}

function text(): Text {
  return changetype<Text>(LINE as usize);
}

function put(byte: i32): void {
  if (text().length >= LINE_BYTES) return;
  store<u8>((LINE + 8 + text().length) as usize, byte as u8);
  text().length += 1;
}

export function begin(characters: string): void {
  text().length = 0;
  add(characters);
}

export function add(characters: string): void {
  // bound: the length of a constant.
  for (let i = 0; i < characters.length; i++) put(characters.charCodeAt(i));
}

export function addNumber(value: i64): void {
  if (value < 0) put(45);
  let rest = value < 0 ? -value : value;
  let unit: i64 = 1;
  // bound: 18 digits.
  for (let i = 0; i < 18 && unit <= rest / 10; i++) unit *= 10;
  // bound: 19 digits.
  for (let i = 0; i < 19 && unit > 0; i++) {
    put(48 + ((rest / unit) as i32));
    rest %= unit;
    unit /= 10;
  }
}

/** Writes the line. What it answers is the caller's to judge: 0, or a SyscallError. */
export function end(): i64 {
  return writeBytes(LINE + 8, text().length);
}
