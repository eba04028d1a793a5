// Machine: what the kernel imports, over the model. These are the exports of the harness that linking gives to the
// artifact; the list is kernel/machine.ts's.
//
// An interrupt is made pending by one atomic access, and where a machine call reads what another thread writes it
// is one atomic access too: so each is an instant of its own, before and after which every other thread may act.
//
// Owner: `me` is each thread's own (every explored thread is an instance of the module).
// Pairs with: model.ts (the state), hart.ts (who calls the kernel).

import { CONSOLE_SLOTS, HART_BASE, HART_STRIDE_LOG2 } from "../../../abi/layout";
import { LineOutcome, MachineError } from "../../../abi/results";
import {
  ENDS_AT_RAISE,
  EXPECTED_RESULT,
  HARTS_REFUSED,
  HARTS_STARTED,
  IN_FLIGHT,
  isOwed,
  isQuiescent,
  isSentLate,
  NOW,
  pendingOf,
  POWERED_OFF,
  raise,
  SEND_ERROR,
  SEND_REFUSED,
  setAnswer,
  setArgument,
  setOwed,
  setPosition,
  setProgram,
  SOFT_PENDING,
  SPAWNS_LEFT,
  TIMER_PENDING,
  TEXT_BYTE,
} from "./model";
import { endAtPowerOff } from "./cost-counter";
import { TREE_BYTES, treeWord } from "./tree";

/** The CPU whose hart this thread is. */
let me: i32 = 0;
/** What the hart's `tp` holds while a test poisons it; 0: what the trap entry loaded. */
let poison: i64 = 0;

export const ON_ITS_OWN: i32 = -1000;
/** The CPU whose stack this hart runs on, where that is not its own. */
let standsAt: i32 = ON_ITS_OWN;
let questions: i32 = 0;
/** Whether this thread's spawns find no space that can be prepared. */
let refusesSpaces: bool = false;

/** Trap stacks are numbered from here. */
const FIRST_SLOT: i32 = 0x300;
const TICKS_A_SECOND: i32 = 10000;
const PROGRAM_COUNT: i32 = 9;

export function become(cpu: i32): void {
  me = cpu;
}

/** From now on no space can be prepared for this thread. */
export function refuseSpaces(): void {
  refusesSpaces = true;
}

/** As the trap entry does: `tp` is loaded again. */
export function loadHartPointer(): void {
  poison = 0;
}

export function self(): i32 {
  return HART_BASE + (me << HART_STRIDE_LOG2);
}

export function hartPointer(): i64 {
  return poison != 0 ? poison : (self() as i64);
}

export function setHartPointer(value: i64): void {
  poison = value;
}

export function stackSlot(): i32 {
  if (standsAt != ON_ITS_OWN) questions += 1;
  return FIRST_SLOT + (standsAt == ON_ITS_OWN ? me : standsAt);
}

export function stackSlotFirst(): i32 {
  if (standsAt != ON_ITS_OWN) questions += 1;
  return FIRST_SLOT;
}

/** From now on this hart runs on the stack of that CPU, or, past the last one or below the first, on nobody's. */
export function standAt(cpu: i32): void {
  standsAt = cpu;
  questions = 0;
}

/** How often the stack was asked for since the hart last changed its own. */
export function stackQuestions(): i32 {
  return questions;
}

/** Hart ids are CPU indices plus one, so that a CPU index in a hart id's place is noticed. */
export function hartIdOf(cpu: i32): i32 {
  return cpu + 1;
}

/** What rings a hart on the firmware's path, the only one of this machine: its id. */
export function doorbellOf(cpu: i32): i32 {
  return hartIdOf(cpu);
}

export function hartStateOf(hart: i32): i32 {
  const started = atomic.load<i32>(HARTS_STARTED as usize);
  return (started >> (hart - 1)) & 1 ? 0 : 1;
}

/** A refused hart answers an error; any other one will enter when its thread sees the bit. */
export function startHart(hart: i32, cpu: i32): i32 {
  assert(hart == hartIdOf(cpu), "a hart is started as another CPU than its own");
  if ((load<i32>(HARTS_REFUSED as usize) >> cpu) & 1) return MachineError.Failed;
  if ((atomic.or<i32>(HARTS_STARTED as usize, 1 << cpu) >> cpu) & 1) return MachineError.AlreadyAvailable;
  atomic.notify(HARTS_STARTED as usize, -1);
  return MachineError.Ok;
}

export function sendIpi(doorbell: i32): i32 {
  const cpu = doorbell - 1;
  if (cpu < 0 || cpu >= 16) return MachineError.InvalidParameter;
  const error = atomic.load<i32>(SEND_ERROR as usize);
  if (error != 0) return error;
  if ((atomic.load<i32>(SEND_REFUSED as usize) >> cpu) & 1) return MachineError.Failed;
  if (isSentLate()) {
    if (atomic.or<i32>(IN_FLIGHT as usize, 1 << cpu) == 0) atomic.notify(IN_FLIGHT as usize, 1);
    return MachineError.Ok;
  }
  const before = raise(cpu, SOFT_PENDING);
  assert(!isQuiescent() || (before & SOFT_PENDING) == 0, "an IPI is sent to a hart that has one pending");
  return MachineError.Ok;
}

export function raiseSoft(): void {
  if (load<i32>(ENDS_AT_RAISE as usize) != 0) powerOff(load<i32>(EXPECTED_RESULT as usize));
  raise(me, SOFT_PENDING);
}

export function clearSoft(): void {
  atomic.and<i32>(pendingOf(me) as usize, ~SOFT_PENDING);
}

export function selectIpi(_path: i32, _address: i64): i32 {
  return MachineError.Ok;
}

export function timeTicks(): i64 {
  return atomic.load<i64>(NOW as usize);
}

export function ticksPerSecond(): i32 {
  return TICKS_A_SECOND;
}

/** The clock raises the interrupt whenever it likes: sooner than asked is allowed to a timer that ticks. */
export function setTimer(_deadline: i64): void {
  atomic.and<i32>(pendingOf(me) as usize, ~TIMER_PENDING);
}

export function deviceTreeBytes(): i32 {
  return TREE_BYTES;
}

export function deviceTreeWord(offset: i32): i32 {
  return treeWord(offset);
}

/** No table: the default tasks. */
export function taskWord(_index: i32): i32 {
  return 0;
}

export function prepareSpace(space: i32, program: i32, argument: i64): i32 {
  if (refusesSpaces) return MachineError.InvalidParameter;
  const left = load<i32>(SPAWNS_LEFT as usize);
  if (left == 1) powerOff(load<i32>(EXPECTED_RESULT as usize));
  if (left != 0) store<i32>(SPAWNS_LEFT as usize, left - 1);
  setArgument(space, argument as i32);
  setProgram(space, program);
  setPosition(space, 0);
  setOwed(space, false);
  return MachineError.Ok;
}

export function programCount(): i32 {
  return PROGRAM_COUNT;
}

export function setReturn(space: i32, value: i64): void {
  assert(isOwed(space), "an answer to a system call that nobody made");
  setOwed(space, false);
  setAnswer(space, value);
}

/** Tasks have no memory of their own, or one that the author changes while it is read. */
export function copyFromUser(space: i32, _from: i64, to: i32, length: i32): i32 {
  if (atomic.load<i32>(TEXT_BYTE as usize) == 0) return MachineError.InvalidAddress;
  assert(isOwed(space), "the memory of a task that has asked for nothing is read");
  for (let i = 0; i < length; i++) store<u8>((to + i) as usize, (atomic.load<i32>(TEXT_BYTE as usize) - 1) as u8);
  return MachineError.Ok;
}

export function writeLine(_address: i32, _length: i32): void {}

/** A task's line: it names its task, and nothing in it ends or disguises a line. */
export function offerLine(address: i32, length: i32): i32 {
  assert(length > 4 && load<u8>(address as usize) == 0x5b, "a task's line does not begin with its id");
  let prefix = 1;
  while (isDigit(load<u8>((address + prefix) as usize))) prefix += 1;
  assert(prefix > 1 && load<u8>((address + prefix) as usize) == 0x5d, "a task's line does not begin with its id");
  for (let i = prefix; i < length; i++) {
    const byte = load<u8>((address + i) as usize);
    assert(byte >= 32 && byte <= 126, "a task's line contains a control character");
  }
  return LineOutcome.Accepted;
}

function isDigit(byte: u8): bool {
  return byte >= 48 && byte <= 57;
}

export function drainConsole(): void {}

export function consoleRoom(): i32 {
  return CONSOLE_SLOTS;
}

/** The thread that powers off stays where it is; the checks read the result. */
export function powerOff(result: i32): void {
  endAtPowerOff();
  atomic.store<i32>(POWERED_OFF as usize, result + 1);
  for (;;) atomic.wait<i32>(POWERED_OFF as usize, result + 1, -1);
}
