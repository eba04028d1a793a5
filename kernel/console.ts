// Console: lines of text, built in the hart's own buffer and written whole.
//
// Owner: each hart its buffer. A line that grows past LINE_LENGTH_MAX is cut there.
// Pairs with: machine.writeLine, which keeps the lines of several harts apart.

import { LINE_LENGTH_MAX } from "../abi/layout";
import { addressOf, Hart } from "./hart-local";
import { HARTS, HART_LOG2, LINE_STRIDE_LOG2, LINES_BASE } from "./layout";
import * as machine from "./machine";

@unmanaged
export class Line {
  length: i32;
}

const TEXT_OFFSET: i32 = 8;
const DIGITS_MAX: i32 = 19;

/** An empty line of this hart; it replaces one that was not written. */
export function beginLine(self: Hart): Line {
  const cpu = (addressOf(self) - HARTS) >> HART_LOG2;
  const line = changetype<Line>((LINES_BASE + (cpu << LINE_STRIDE_LOG2)) as usize);
  line.length = 0;
  return line;
}

export function putByte(line: Line, byte: i32): void {
  if (line.length >= LINE_LENGTH_MAX) return;
  store<u8>(changetype<usize>(line) + TEXT_OFFSET + (line.length as usize), byte as u8);
  line.length += 1;
}

export function putText(line: Line, text: string): void {
  const length = text.length;
  // bound: the length of a constant.
  for (let i = 0; i < length; i++) putByte(line, text.charCodeAt(i));
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

/** ` name=value`, as the summary and the evidence spell it. */
export function putField(line: Line, name: string, value: i64): void {
  putByte(line, 32);
  putText(line, name);
  putByte(line, 61);
  putNumber(line, value);
}

export function endLine(line: Line): void {
  machine.writeLine((changetype<usize>(line) as i32) + TEXT_OFFSET, line.length);
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
