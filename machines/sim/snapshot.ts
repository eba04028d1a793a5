// Snapshot: a whole machine state as a value, and its fingerprint.
//
// Invariant: two states that differ in what they can do, or in what they have shown, differ here. How a state was
// reached does not count: the recording and the number of steps are kept, but are no part of the fingerprint.
// Partners: machine.ts captures and restores; fingerprint.ts mixes.

import type { Schedule } from "./choice.ts";
import type { ClockState } from "./clock.ts";
import type { Delivery } from "./courier.ts";
import { Fingerprint } from "./fingerprint.ts";
import type { FirmwareState } from "./firmware.ts";
import type { HartMode, HartState } from "./hart.ts";
import type { MachineEnd } from "./machine-parts.ts";
import type { Argument } from "./resumable.ts";
import type { ConsoleState } from "./console.ts";
import type { SpaceState } from "./space.ts";

export interface Snapshot {
  readonly memory: Uint8Array;
  readonly globals: readonly Argument[];
  /** A hart's frames are the saved stack of its kernel call, when that call is paused. */
  readonly harts: readonly (HartState & { readonly frames: Uint8Array })[];
  /** undefined: never prepared. */
  readonly spaces: readonly (SpaceState | undefined)[];
  readonly clock: ClockState;
  readonly firmware: FirmwareState;
  readonly underWay: readonly Delivery[];
  readonly console: ConsoleState;
  readonly recorded: Schedule;
  readonly end: MachineEnd | undefined;
}

/** Places in the fingerprint: each part has a range of its own. */
const MEMORY_PLACE = 0;
const SPACE_PLACE = 0x1000_0000;
const SPACE_STRIDE = 0x10_0000;
const SPACE_FRAMES = 0x8_0000;
const SPACE_FIELDS = 0xf_0000;
const HART_PLACE = 0x2000_0000;
const HART_STRIDE = 0x10_0000;
const HART_FRAMES = 0x1000;
const MACHINE_PLACE = 0x3000_0000;
const LINE_PLACE = 0x4000_0000;
const LINE_STRIDE = 64;
const UNDER_WAY_PLACE = 0x3800_0000;
const UNDER_WAY_STRIDE = 16;

export function hashSnapshot(snapshot: Snapshot): string {
  const print = new Fingerprint();
  print.addBytes(MEMORY_PLACE, snapshot.memory);
  snapshot.harts.forEach((hart, index) => addHart(print, HART_PLACE + index * HART_STRIDE, hart));
  snapshot.spaces.forEach((space, index) => {
    if (space !== undefined) addSpace(print, SPACE_PLACE + index * SPACE_STRIDE, space);
  });
  print.addNumber(MACHINE_PLACE, snapshot.clock.fractions);
  print.addNumber(MACHINE_PLACE + 2, snapshot.firmware.path);
  print.addNumber(MACHINE_PLACE + 4, snapshot.firmware.sends);
  print.addNumber(MACHINE_PLACE + 6, snapshot.console.lines.length);
  print.addNumber(MACHINE_PLACE + 8, snapshot.console.waiting.length);
  print.addNumber(MACHINE_PLACE + 10, snapshot.console.sentBytes);
  snapshot.underWay.forEach(({ due, hart, kind }, index) => {
    print.addNumber(UNDER_WAY_PLACE + index * UNDER_WAY_STRIDE, due);
    print.addText(UNDER_WAY_PLACE + index * UNDER_WAY_STRIDE + 2, `${hart} ${kind}`);
  });
  print.addText(MACHINE_PLACE + 0x100, JSON.stringify(snapshot.end ?? null));
  addArguments(print, MACHINE_PLACE + 0x1000, snapshot.globals);
  [...snapshot.console.lines, ...snapshot.console.waiting].forEach((line, index) =>
    print.addText(LINE_PLACE + index * LINE_STRIDE, line),
  );
  return print.hex();
}

function addHart(print: Fingerprint, place: number, hart: HartState & { readonly frames: Uint8Array }): void {
  print.addNumber(place, hart.site);
  print.addNumber(place + 2, hart.cpu);
  print.addBigint(place + 4, hart.pointer);
  print.addNumber(place + 6, hart.deadline);
  print.addWord(place + 8, hart.softPending ? 1 : 0);
  print.addWord(place + 9, hart.frames.length);
  print.addWord(place + 10, hart.scenario ? 1 : 0);
  print.addText(place + 16, modeText(hart.mode));
  if (hart.returned !== undefined) addArguments(print, place + 48, [hart.returned]);
  if (hart.mode.kind === "kernel") addArguments(print, place + 64, hart.mode.entry.values);
  print.addBytes(place + HART_FRAMES, hart.frames);
}

function modeText(mode: HartMode): string {
  switch (mode.kind) {
    case "kernel":
      return `kernel ${mode.entry.name}`;
    case "user":
      return `user ${mode.space}`;
    case "idle":
    case "stopped":
    case "starting":
      return mode.kind;
  }
}

function addSpace(print: Fingerprint, place: number, space: SpaceState): void {
  print.addBytes(place, space.memory);
  print.addBytes(place + SPACE_FRAMES, space.frames);
  const fields = place + SPACE_FIELDS;
  print.addWord(fields, space.program);
  print.addWord(fields + 2, space.fault);
  print.addWord(fields + 3, space.frames.length);
  print.addBigint(fields + 4, space.answer);
  print.addBigint(fields + 6, space.faultAddress);
  print.addBigint(fields + 24, space.argument);
  print.addText(fields + 8, space.phase);
  addArguments(print, fields + 32, space.globals);
}

function addArguments(print: Fingerprint, place: number, values: readonly Argument[]): void {
  values.forEach((value, index) => {
    if (typeof value === "bigint") print.addBigint(place + index * 2, value);
    else print.addNumber(place + index * 2, value);
  });
}
