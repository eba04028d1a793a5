// Console: lines of text, built in the hart's own buffer and written whole.
//
// Owner: each hart its buffer. A line that grows past LINE_LENGTH_MAX is cut there.
// Pairs with: the machine's console, which keeps the lines of several harts apart and sends them in turns.
// Clauses: T5.

import { LINE_LENGTH_MAX } from "../abi/layout";
import { LineOutcome } from "../abi/results";
import { addressOf, Hart } from "./hart-local";
import { HARTS, HART_LOG2, LINE_STRIDE_LOG2, LINES_BASE } from "./layout";
import * as machine from "./machine";
import { byteOf } from "./text";

@unmanaged
export class Line {
  length: i32;
  /** How much of its form has been copied. */
  copied: i32;
  /** What putNext copies from. */
  form: string;
}

const TEXT_OFFSET: i32 = 16;
const DIGITS_MAX: i32 = 19;

/** An empty line of this hart; it replaces one that was not written. */
export function beginLine(self: Hart): Line {
  const cpu = (addressOf(self) - HARTS) >> HART_LOG2;
  const line = changetype<Line>((LINES_BASE + (cpu << LINE_STRIDE_LOG2)) as usize);
  line.length = 0;
  return line;
}

export function putByte(line: Line, byte: i32): void {
  // T5: a line has a length at most.
  if (line.length >= LINE_LENGTH_MAX) return;
  store<u8>(changetype<usize>(line) + TEXT_OFFSET + (line.length as usize), byte as u8);
  line.length += 1;
}

export function putText(line: Line, text: string): void {
  // bound: the length of a constant.
  for (let i = 0; byteOf(text, i) != 0; i++) putByte(line, byteOf(text, i));
}

export function putNumber(line: Line, value: i64): void {
  if (value < 0) putByte(line, 45);
  let rest = value < 0 ? -value : value;
  let unit: i64 = 1;
  // bound: DIGITS_MAX.
  for (let digits = 1; digits < DIGITS_MAX && unit <= rest / 10; digits++) unit *= 10;
  // bound: DIGITS_MAX.
  for (let digits = 0; digits < DIGITS_MAX && unit > 0; digits++) {
    putByte(line, 48 + ((rest / unit) as i32));
    rest %= unit;
    unit /= 10;
  }
}

/** A line that begins with `prefix` and goes on with `form`, in which each `#` stands for a number or a word. */
export function beginForm(self: Hart, prefix: string, form: string): Line {
  const line = beginLine(self);
  putText(line, prefix);
  line.copied = 0;
  line.form = form;
  return line;
}

function putForm(line: Line): void {
  const form = line.form;
  let at = line.copied;
  // bound: the length of a constant.
  while (byteOf(form, at) != 0 && byteOf(form, at) != 35) {
    putByte(line, byteOf(form, at));
    at += 1;
  }
  line.copied = at + 1;
}

/** The form as far as its next `#`, and a number for that. */
// @outline: size, it is called from some thirty places.
export function putNext(line: Line, value: i64): void {
  putForm(line);
  putNumber(line, value);
}

/** The same with a word of a list: the one at `index`, counted from 0. */
export function putNextWord(line: Line, list: string, index: i32): void {
  putForm(line);
  let at = 0;
  // bound: the length of a constant; at its end there is no such word.
  for (let before = 0; before < index && byteOf(list, at) != 0; at++) {
    if (byteOf(list, at) == 32) before += 1;
  }
  // bound: as above.
  for (; byteOf(list, at) != 0 && byteOf(list, at) != 32; at++) putByte(line, byteOf(list, at));
}

export function endLine(line: Line): void {
  machine.writeLine((changetype<usize>(line) as i32) + TEXT_OFFSET, line.length);
}

/** The same for a user's line, which may be refused. */
export function offerLine(line: Line): LineOutcome {
  return machine.offerLine((changetype<usize>(line) as i32) + TEXT_OFFSET, line.length);
}

/** Where the next byte of a line goes: text copied there becomes part of it byte by byte, with putByte. */
export function textOf(line: Line): i32 {
  return (changetype<usize>(line) as i32) + TEXT_OFFSET + line.length;
}

export function writeText(self: Hart, text: string): void {
  const line = beginLine(self);
  putText(line, text);
  endLine(line);
}
