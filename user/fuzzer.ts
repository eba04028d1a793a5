// Fuzzer: a program of random system calls with random arguments, which follow from a seed. It checks each answer against
// what the call may answer, and its own memory and registers after each call.
//
// It ends with code 0, by a fault of its own choice, or with the number of the check that did not hold (enum Check).
// It sleeps for ever only with a permit of its own, so a run ends by itself.
// Pairs with: proof/soak/judge.ts, which reads codes and `calls=` lines; abi/syscalls.ts.

import { CPUS_MAX } from "../abi/layout";
import { QOS_COUNT } from "../abi/qos";
import { Syscall, SyscallError } from "../abi/syscalls";
import * as os from "./os";
import { add, addNumber, begin, end } from "./output-line";

/** The exit code of a fuzzer whose check did not hold. */
enum Check {
  None = 0,
  Yield = 11,
  TimeGoesBack = 12,
  TaskId = 13,
  CpuId = 14,
  Wake = 15,
  Sleep = 16,
  SleptTooShort = 17,
  PastSleep = 18,
  OwnPermitLost = 19,
  OwnQos = 20,
  SetQos = 21,
  Spawn = 22,
  Kill = 23,
  OutlivedItsKill = 24,
  UnknownCall = 25,
  WriteLine = 26,
  WriteRefusal = 27,
  Memory = 28,
}

/**
 * Three words by which the host finds the slot, then what it sets: the seed, and how many calls a first task makes. No byte
 * is zero: zeros are left out of the data segments, so there would be nothing to set.
 */
const SLOT: usize = memory.data<u32>([0x7a5f4842, 0x5eed1101, 0x13c6a5d9, 0x11111111, 0x11111111]);
const SEED_OFFSET: usize = 12;
const CALLS_OFFSET: usize = 16;

/** Calls of a task that a fuzzer spawned; its own children make none. */
const CHILD_CALLS: i32 = 48;
/** In the argument of a task that a fuzzer spawned. */
const CHILD_MARK: i64 = 0x4000_0000;
const REPORT_CALLS: i32 = 256;

// Fixed places in the program's own memory, past what output-line.ts and program-bodies.ts use.
const STATE: usize = 0x9000;
const IDS: usize = 0x9010;
const IDS_MASK: i32 = 7;
const PATTERN: usize = 0x9100;
const PATTERN_MASK: i32 = 127;
const TEXT: i64 = 0x9800;

const SOON_TICKS: i32 = 4000;
const FAR_TICKS: i64 = 10_000_000_000;

export function seedSlot(): i32 {
  return SLOT as i32;
}

export function fuzz(program: i32, argument: i64): i32 {
  const id = os.call(Syscall.TaskId, 0, 0, 0);
  const isChild = (argument & CHILD_MARK) != 0;
  let state =
    load<i32>(SLOT + SEED_OFFSET) * 0x2545f491 + program * 0x9e3779b + (argument as i32) * 0x85ebca6b + (id as i32);
  state ^= state >>> 15;
  store<i32>(STATE, state == 0 ? 1 : state);
  // bound: the words of the pattern.
  for (let i = 0; i <= PATTERN_MASK; i++) store<i32>(PATTERN + ((i as usize) << 2), patternAt(i, id));
  const calls = isChild ? CHILD_CALLS : load<i32>(SLOT + CALLS_OFFSET);
  let reported = 0;
  for (let i = 0; i < calls; i++) {
    const failed = step(id, isChild);
    if (failed != Check.None) return failed;
    const word = random() & PATTERN_MASK;
    if (load<i32>(PATTERN + ((word as usize) << 2)) != patternAt(word, id)) return Check.Memory;
    if (i - reported == REPORT_CALLS) {
      report(i - reported);
      reported = i;
    }
  }
  report(calls - reported);
  return finish();
}

/** Some end by a fault: an address past their memory, or an instruction that there is not. */
function finish(): i32 {
  const address = (random() | 0x10000) as usize;
  switch (below(8)) {
    case 0:
      store<i32>(STATE + 12, load<i32>(address));
      return 0;
    case 1:
      store<i32>(address, 1);
      return 0;
    case 2:
      unreachable();
  }
  return 0;
}

function report(calls: i32): void {
  begin("calls=");
  addNumber(calls);
  add(" ");
  // A console that refuses the line loses a figure of the tally and nothing else.
  if (end() < 0) return;
}

function step(id: i64, isChild: bool): Check {
  switch (below(32)) {
    case 0:
    case 1:
    case 2:
    case 3:
      return os.call(Syscall.Yield, anything(), anything(), anything()) == 0 ? Check.None : Check.Yield;
    case 4:
    case 5:
      return lookAtTime();
    case 6:
      return os.call(Syscall.TaskId, anything(), 0, 0) == id ? Check.None : Check.TaskId;
    case 7:
      return inRange(os.call(Syscall.CpuId, anything(), 0, 0), CPUS_MAX) ? Check.None : Check.CpuId;
    case 8:
    case 9:
    case 10:
    case 11:
      return isWakeAnswer(os.call(Syscall.Wake, anyId(id), anything(), 0)) ? Check.None : Check.Wake;
    case 12:
    case 13:
      return sleepSoon();
    case 14:
      return os.call(Syscall.SleepUntil, pastTime(), 0, 0) == 0 ? Check.None : Check.PastSleep;
    case 15:
      return sleepWithPermit(id);
    case 16:
    case 17:
      return os.call(Syscall.SetQos, id, below(QOS_COUNT), anything()) == 0 ? Check.None : Check.OwnQos;
    case 18:
      return setAnyQos(id);
    case 19:
      return isChild ? Check.None : spawnAny();
    case 20:
      return killAny(id);
    case 21:
      return os.call(unknownCall(), anything(), anything(), anything()) == SyscallError.Unknown
        ? Check.None
        : Check.UnknownCall;
    case 22:
      return below(4) == 0 ? writeText() : Check.None;
    case 23:
      return writeBadly();
    default:
      return compute();
  }
}

function compute(): Check {
  const rounds = below(200);
  let value = random();
  for (let i = 0; i < rounds; i++) value = value * 1664525 + 1013904223;
  store<i32>(STATE + 8, value);
  return Check.None;
}

function lookAtTime(): Check {
  const before = os.call(Syscall.Time, anything(), 0, 0);
  const after = os.call(Syscall.Time, 0, anything(), 0);
  return before >= 0 && after >= before ? Check.None : Check.TimeGoesBack;
}

function isWakeAnswer(answer: i64): bool {
  if (answer == SyscallError.QueueFull || answer == SyscallError.Contended) return true;
  return answer == 0 || answer == SyscallError.NotFound;
}

function sleepSoon(): Check {
  const until = os.call(Syscall.Time, 0, 0, 0) + below(SOON_TICKS);
  const answer = os.call(Syscall.SleepUntil, until, anything(), 0);
  if (answer == 1 || answer == SyscallError.QueueFull) return Check.None;
  if (answer != 0) return Check.Sleep;
  return os.call(Syscall.Time, 0, 0, 0) >= until ? Check.None : Check.SleptTooShort;
}

/** A permit that it has given itself lets the next sleep return at once, however long it was to be. */
function sleepWithPermit(id: i64): Check {
  if (os.call(Syscall.Wake, id, 0, 0) != 0) return Check.Wake;
  const until = below(2) == 0 ? i64.MAX_VALUE : os.call(Syscall.Time, 0, 0, 0) + FAR_TICKS;
  return os.call(Syscall.SleepUntil, until, 0, 0) == 1 ? Check.None : Check.OwnPermitLost;
}

function setAnyQos(id: i64): Check {
  const qos = below(2) == 0 ? (below(QOS_COUNT) as i64) : anything();
  const answer = os.call(Syscall.SetQos, anyId(id), qos, anything());
  if (!inRange(qos, QOS_COUNT)) return answer == SyscallError.InvalidArgument ? Check.None : Check.SetQos;
  if (isWakeAnswer(answer) || answer == SyscallError.NotBootHart) return Check.None;
  return Check.SetQos;
}

function spawnAny(): Check {
  const program = below(4) == 0 ? anything() : ((1 + below(8)) as i64);
  const qos = below(4) == 0 ? anything() : (below(QOS_COUNT) as i64);
  const answer = os.call(Syscall.Spawn, program, qos, anything() | CHILD_MARK);
  if (answer >= 0) {
    const slot = below(IDS_MASK + 1);
    store<i64>(IDS + ((slot as usize) << 3), answer);
    return Check.None;
  }
  if (answer == SyscallError.InvalidArgument || answer == SyscallError.NotBootHart) return Check.None;
  if (answer == SyscallError.NoFreeTask) return Check.None;
  return answer == SyscallError.QueueFull || answer == SyscallError.Contended ? Check.None : Check.Spawn;
}

/** Mostly tasks that there are not, or the run would soon be over. */
function killAny(id: i64): Check {
  const victim = below(8) == 0 ? anyId(id) : anything() | (1 << 30);
  const answer = os.call(Syscall.Kill, victim, anything(), anything());
  if (answer == 0 && victim == id) return Check.OutlivedItsKill;
  if (answer == 0 || answer == SyscallError.NotFound || answer == SyscallError.NotBootHart) return Check.None;
  return answer == SyscallError.Contended ? Check.None : Check.Kill;
}

function writeText(): Check {
  const length = below(40);
  // bound: 40. Every byte may stand there; the kernel lets no line end through.
  for (let i = 0; i < length; i++) store<u8>((TEXT as usize) + (i as usize), random() as u8);
  const answer = os.call(Syscall.WriteLine, TEXT, length, anything());
  return answer == 0 || answer == SyscallError.ConsoleFull ? Check.None : Check.WriteLine;
}

/** A length or an address that cannot be. */
function writeBadly(): Check {
  const badLength = below(2) == 0;
  const length = badLength ? badLengthOf(anything()) : ((1 + below(32)) as i64);
  const address = badLength && below(2) == 0 ? TEXT : badAddressOf(anything());
  const answer = os.call(Syscall.WriteLine, address, length, 0);
  if (answer == SyscallError.InvalidArgument) return Check.None;
  return !badLength && answer == SyscallError.Fault ? Check.None : Check.WriteRefusal;
}

function badLengthOf(value: i64): i64 {
  return inRange(value, 200) ? value - 300 : value;
}

function badAddressOf(value: i64): i64 {
  return inRange(value, 0x10000) ? value - 0x20000 : value;
}

function unknownCall(): i32 {
  const number = random();
  return number >= 0 && number <= 64 ? number + 1000 : number;
}

function pastTime(): i64 {
  switch (below(4)) {
    case 0:
      return 0;
    case 1:
      return i64.MIN_VALUE;
    case 2:
      return os.call(Syscall.Time, 0, 0, 0);
    default:
      return -((random() >>> 1) as i64);
  }
}

/** Ids of tasks that live, lived, never lived, and numbers that are no id. */
function anyId(own: i64): i64 {
  switch (below(8)) {
    case 0:
      return own;
    case 1:
    case 2:
      return own + below(33) - 16;
    case 3:
      return load<i64>(IDS + ((below(IDS_MASK + 1) as usize) << 3));
    case 4:
    case 5:
      return (own & ~(127 as i64)) | below(128);
    case 6:
      return own + ((below(4) as i64) << 10);
    default:
      return anything();
  }
}

/** Small, large, negative, with the high half alone. */
function anything(): i64 {
  const value = random() as i64;
  switch (below(8)) {
    case 0:
      return value & 0xff;
    case 1:
      return -(value & 0xff);
    case 2:
      return value << 32;
    case 3:
      return (value << 32) | (random() as u32 as i64);
    case 4:
      return i64.MAX_VALUE - (value & 3);
    case 5:
      return i64.MIN_VALUE + (value & 3);
    case 6:
      return (1 << 32) | (value & 0xffff);
    default:
      return value;
  }
}

function inRange(value: i64, bound: i32): bool {
  return value >= 0 && value < bound;
}

function patternAt(index: i32, id: i64): i32 {
  return (index + 1) * 0x9e3779b1 + (id as i32);
}

/** Xorshift (Marsaglia 2003), its state in memory: a task that is preempted here must find it as it was. */
function random(): i32 {
  let x = load<i32>(STATE);
  x ^= x << 13;
  x ^= x >>> 17;
  x ^= x << 5;
  store<i32>(STATE, x);
  return x;
}

function below(bound: i32): i32 {
  return ((random() >>> 1) % bound) as i32;
}
