// Model: the machine's own state, above the kernel's pages, and the one rule for who may touch it.
//
// Words that several threads touch are atomic, one cache line each; everything else belongs to one hart, or to the
// holder of a space. Nothing here is the kernel's.
//
// Owner: stated beside each word. Pairs with: machine.ts (the calls), hart.ts (the loop), invariant.ts and rest-checks.ts (read all).

import { HART_BASE, HART_STRIDE_LOG2, KERNEL_PAGES } from "../../../abi/layout";

const BASE: i32 = KERNEL_PAGES << 16;

/** S_SOFT and the timer interrupt of a hart, as bits: devices and senders set them, the hart clears them. */
export const SOFT_PENDING: i32 = 1;
export const TIMER_PENDING: i32 = 2;
const PENDING: i32 = BASE;
/** Bit cpu a line: that hart is inside the kernel. Each hart its own. */
const INSIDE: i32 = BASE + 0x400;
/** The mode that a hart begins in: a space or IDLE_SPACE. Init writes. */
const MODES: i32 = BASE + 0x800;
/** The time in ticks. The clock alone writes. */
export const NOW: i32 = BASE + 0xc00;
/** While this is not 0, sends fail with it. The saboteur alone writes. */
export const SEND_ERROR: i32 = BASE + 0xc40;
/** Harts to which a send fails, as bits; the mender alone writes. */
export const SEND_REFUSED: i32 = BASE + 0xc44;
/** The byte, plus 1, that every task's memory holds; 0: tasks have no memory. The author alone writes. */
export const TEXT_BYTE: i32 = BASE + 0xcc4;
/** IPIs that the machine has accepted and not yet delivered, a bit a CPU. Senders set, the courier clears. */
export const IN_FLIGHT: i32 = BASE + 0xdc0;
/** See setDelivered; the courier alone writes. */
const DELIVERED: i32 = BASE + 0xe40;
/** 1: IPIs arrive when the courier delivers them. Init writes. */
const SEND_LATE: i32 = BASE + 0xd68;
/** 1: an IPI to a hart that has one pending is a violation. Init writes. */
const QUIET: i32 = BASE + 0xd6c;
/** A PowerOff result + 1 once the machine has been powered off. */
export const POWERED_OFF: i32 = BASE + 0xc80;
/** 1: the scenario begins with harts that are online. Init writes. */
export const BEGUN_ONLINE: i32 = BASE + 0xd70;
/** 1: each trap looks whether its task had been killed before. Init writes. */
const KILL_WATCHED: i32 = BASE + 0xd64;
/** 1: at rest no hart may be idle while a task is ready anywhere. Init writes. */
const CONSERVES: i32 = BASE + 0xd54;
/** 1: the scenario ends where the selftests make their first own S_SOFT pending. Init writes. */
export const ENDS_AT_RAISE: i32 = BASE + 0xd5c;
/** Tasks that the selftests spawn. */
const PROBES: i32 = 2;
/** Spaces that may still be prepared before the scenario ends there, plus 1; 0: any number. Init and the boot hart write. */
export const SPAWNS_LEFT: i32 = BASE + 0xd58;
/** The PowerOff result that the scenario must end with. Init writes. */
export const EXPECTED_RESULT: i32 = BASE + 0xc88;
/** Where a scenario has a lazy clock: how many harts wait, and above it how often that changed; else it stays 0. */
export const RESTING: i32 = BASE + 0xd50;
export const A_CHANGE: i32 = 256;
/** How many harts will ever wait; 0: there is no lazy clock. Init writes. */
const RESTERS: i32 = BASE + 0xd4c;
/** What starting a hart does: see machine.ts. Init writes HARTS_REFUSED, startHart adds to HARTS_STARTED. */
export const HARTS_REFUSED: i32 = BASE + 0xcc0;
export const HARTS_STARTED: i32 = BASE + 0xd00;
/** Harts and tasks of the scenario, for the checks. Init writes. */
const HART_COUNT: i32 = BASE + 0xd40;
const TASK_COUNT: i32 = BASE + 0xd44;
/** 1: the evidence rings are part of the state, and the checks read them. Init writes. */
const EVIDENCE_KEPT: i32 = BASE + 0xd48;
/** What has to have become of each task at rest: see Fate. Init writes. */
const FATES: i32 = BASE + 0xe80;
/** What a space was started with; prepareSpace writes. */
const ARGUMENTS: i32 = BASE + 0x1c00;
/** The answer to a space's pending system call; its holder writes. */
const ANSWERS: i32 = BASE + 0x1000;
/** Whether a space has asked and not been answered; the holder of its task writes. */
const OWED: i32 = BASE + 0x1400;
/** The next step of a space's program; the holder of its task writes. */
const POSITIONS: i32 = BASE + 0x1800;
/** Programs: STEPS_MAX steps of 40 bytes a space, for the first PROGRAMS_MAX spaces. Init writes. */
const PROGRAMS: i32 = BASE + 0x2000;
const STEPS_MAX: i32 = 16;
export const PROGRAMS_MAX: i32 = 16;
const STEP_BYTES: i32 = 40;

export function pendingOf(cpu: i32): i32 {
  return PENDING + (cpu << 6);
}

/** Makes an interrupt pending on a hart, and ends its wait; what was pending before. */
export function raise(cpu: i32, bit: i32): i32 {
  const address = pendingOf(cpu);
  const before = atomic.or<i32>(address as usize, bit);
  if (before == 0) atomic.notify(address as usize, 1);
  return before;
}

export function hartAddress(cpu: i32): i32 {
  return HART_BASE + (cpu << HART_STRIDE_LOG2);
}

export function hartCount(): i32 {
  return load<i32>(HART_COUNT as usize);
}

export function setHartCount(count: i32): void {
  store<i32>(HART_COUNT as usize, count);
}

export function taskCount(): i32 {
  return load<i32>(TASK_COUNT as usize);
}

export function setTaskCount(count: i32): void {
  store<i32>(TASK_COUNT as usize, count);
}

export function isInside(cpu: i32): bool {
  return load<i32>((INSIDE + (cpu << 6)) as usize) != 0;
}

export function setInside(cpu: i32, inside: bool): void {
  store<i32>((INSIDE + (cpu << 6)) as usize, inside ? 1 : 0);
}

/** What a hart does outside the kernel, by its loop: its own line, after \`inside\`. */
enum Outside {
  /** It calls single operations. */
  Unknown = 0,
  Idle = 1,
  User = 2,
}
const OUTSIDE: i32 = INSIDE + 4;
/** Tasks that the hart has stolen since its last tick began. */
const STEALS: i32 = INSIDE + 8;

/** What the hart notes of the trap that it is in: ack-checks.ts. */
const WATCH: i32 = INSIDE + 16;

export function watchOf(cpu: i32): usize {
  return (WATCH + (cpu << 6)) as usize;
}

export function setOutside(cpu: i32, idle: bool): void {
  store<i32>((OUTSIDE + (cpu << 6)) as usize, idle ? Outside.Idle : Outside.User);
}

export function isIdle(cpu: i32): bool {
  return load<i32>((OUTSIDE + (cpu << 6)) as usize) == Outside.Idle;
}

export function isUser(cpu: i32): bool {
  return load<i32>((OUTSIDE + (cpu << 6)) as usize) == Outside.User;
}

export function stealsOf(cpu: i32): i32 {
  return load<i32>((STEALS + (cpu << 6)) as usize);
}

export function setSteals(cpu: i32, count: i32): void {
  store<i32>((STEALS + (cpu << 6)) as usize, count);
}

export function modeOf(cpu: i32): i32 {
  return load<i32>((MODES + (cpu << 2)) as usize);
}

export function setMode(cpu: i32, mode: i32): void {
  store<i32>((MODES + (cpu << 2)) as usize, mode);
}

export function answerOf(space: i32): i64 {
  return load<i64>((ANSWERS + (space << 3)) as usize);
}

export function setAnswer(space: i32, value: i64): void {
  store<i64>((ANSWERS + (space << 3)) as usize, value);
}

export function isOwed(space: i32): bool {
  return load<i32>((OWED + (space << 3)) as usize) != 0;
}

export function setOwed(space: i32, owed: bool): void {
  store<i32>((OWED + (space << 3)) as usize, owed ? 1 : 0);
}

export function positionOf(space: i32): i32 {
  return load<i32>((POSITIONS + (space << 3)) as usize);
}

export function setPosition(space: i32, position: i32): void {
  store<i32>((POSITIONS + (space << 3)) as usize, position);
}

/** One step of a user program: a system call, or one of the endings below. */
@unmanaged
export class Step {
  call: i32;
  /** 1: any other answer than `least` to `most` is a violation. */
  isJudged: i32;
  a0: i64;
  a1: i64;
  least: i64;
  most: i64;
}

/** A step that goes on for ever: the task computes, and only an interrupt takes the hart from it. */
export const COMPUTE: i32 = 1000;
/** A step that faults. */
export const FAULT: i32 = 1001;

/** A space's step; past the end of its program, and for a space without one, a step of zeroes. */
export function stepAt(space: i32, position: i32): Step {
  const program = programOf(space);
  return stepOf(program == 0 ? space : rowOf(program), position);
}

/** Program 0 is each space's own; the others are shared, and have the last rows of the table. */
export function rowOf(program: i32): i32 {
  return PROGRAMS_MAX - program;
}

export function stepOf(row: i32, position: i32): Step {
  const known = row < PROGRAMS_MAX && position < STEPS_MAX;
  return changetype<Step>((known ? PROGRAMS + (row * STEPS_MAX + position) * STEP_BYTES : NO_STEP) as usize);
}

/** Zero for ever: steps are kept as call + 1, so that this one means that there is none. */
const NO_STEP: i32 = BASE + 0xe00;

export function argumentOf(space: i32): i32 {
  return load<i32>((ARGUMENTS + (space << 3)) as usize);
}

export function setArgument(space: i32, argument: i32): void {
  store<i32>((ARGUMENTS + (space << 3)) as usize, argument);
}

/** The program that a space was started with; prepareSpace writes. */
export function programOf(space: i32): i32 {
  return load<i32>((ARGUMENTS + (space << 3) + 4) as usize);
}

export function setProgram(space: i32, program: i32): void {
  store<i32>((ARGUMENTS + (space << 3) + 4) as usize, program);
}

export function isKillWatched(): bool {
  return load<i32>(KILL_WATCHED as usize) != 0;
}

export function watchKill(): void {
  store<i32>(KILL_WATCHED as usize, 1);
}

export function isSentLate(): bool {
  return load<i32>(SEND_LATE as usize) != 0;
}

export function sendLate(): void {
  store<i32>(SEND_LATE as usize, 1);
}

/** Has the machine accepted an IPI for a CPU that is yet to arrive? */
export function isInFlight(cpu: i32): bool {
  return ((load<i32>(IN_FLIGHT as usize) >> cpu) & 1) != 0 || load<i32>(DELIVERED as usize) == cpu + 1;
}

/** cpu + 1 while the courier has an IPI for that CPU, else 0. */
export function setDelivered(value: i32): void {
  store<i32>(DELIVERED as usize, value);
}

export function isQuiescent(): bool {
  return load<i32>(QUIET as usize) != 0;
}

export function expectQuiet(): void {
  store<i32>(QUIET as usize, 1);
}

/** The scenario ends when the probes have run, where the default tasks would be spawned. */
export function setRungs(): void {
  store<i32>(SPAWNS_LEFT as usize, PROBES + 1);
}

export function conserves(): bool {
  return load<i32>(CONSERVES as usize) != 0;
}

export function expectConservation(): void {
  store<i32>(CONSERVES as usize, 1);
}

export function isEvidenceKept(): bool {
  return load<i32>(EVIDENCE_KEPT as usize) != 0;
}

export function resters(): i32 {
  return load<i32>(RESTERS as usize);
}

export function setResters(count: i32): void {
  store<i32>(RESTERS as usize, count);
}

export function keepEvidence(): void {
  store<i32>(EVIDENCE_KEPT as usize, 1);
}

/** What has to have become of a task when everything rests. */
export enum Fate {
  /** Anything that the other checks allow. */
  Any = 0,
  Ended = 1,
  Asleep = 2,
  /** Class q: HasClass + q. */
  HasClass = 4,
}

export function fateOf(index: i32): Fate {
  return load<u8>((FATES + index) as usize) as i32;
}

export function setFate(index: i32, fate: Fate): void {
  store<u8>((FATES + index) as usize, fate as u8);
}
