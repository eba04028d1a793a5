// Hart: the explored threads. A hart runs kernel entries one at a time; between them it is in user mode, where the
// task's program makes its next system call, or idle. Devices raise interrupts whenever they like.
//
// Interrupts are taken only between entries, and every order of a device's step with a hart's steps is explored:
// so each arrives at every instant at which the kernel can see it.
//
// Owner: each thread its own hart. Invariant: a space that goes on has had its answer.
// Pairs with: machine.ts (what the kernel calls), programs.ts (what tasks do).

import { IDLE_SPACE } from "../../../abi/layout";
import { Syscall } from "../../../abi/syscalls";
import { TrapCause } from "../../../abi/traps";
import * as kernel from "./kernel";
import { become, loadHartPointer } from "./machine";
import { announceTrap } from "./cost-counter";
import {
  answerOf,
  argumentOf,
  A_CHANGE,
  COMPUTE,
  FAULT,
  hartCount,
  HARTS_STARTED,
  IN_FLIGHT,
  isOwed,
  modeOf,
  NOW,
  pendingOf,
  positionOf,
  raise,
  resters,
  RESTING,
  SEND_ERROR,
  SEND_REFUSED,
  setDelivered,
  setInside,
  setOutside,
  setOwed,
  setPosition,
  SOFT_PENDING,
  stepAt,
  TEXT_BYTE,
  TIMER_PENDING,
} from "./model";
import { afterTrap, beforeTrap } from "./trap-checks";

/** A hart that is online, in the mode that init gave it. It goes on for ever. */
export function hart(cpu: i32): void {
  become(cpu);
  setOutside(cpu, modeOf(cpu) == IDLE_SPACE);
  run(cpu, modeOf(cpu));
}

/** A hart that waits to be started, and then enters as a CPU. */
export function lateHart(cpu: i32): void {
  become(cpu);
  for (;;) {
    const started = atomic.load<i32>(HARTS_STARTED as usize);
    if ((started >> cpu) & 1) break;
    atomic.wait<i32>(HARTS_STARTED as usize, started, -1);
  }
  setInside(cpu, true);
  const mode = kernel.bootSecondary(cpu);
  setOutside(cpu, true);
  setInside(cpu, false);
  run(cpu, mode);
}

/** The hart that boots the machine. */
export function bootHart(id: i32): void {
  become(0);
  setInside(0, true);
  const mode = kernel.boot(id);
  setOutside(0, true);
  setInside(0, false);
  run(0, mode);
}

function run(cpu: i32, first: i32): void {
  let mode = first;
  for (;;) {
    const pending = atomic.load<i32>(pendingOf(cpu) as usize);
    if ((pending & SOFT_PENDING) != 0) mode = enter(cpu, TrapCause.SoftInterrupt, 0, 0, 0);
    else if ((pending & TIMER_PENDING) != 0) mode = enter(cpu, TrapCause.TimerInterrupt, 0, 0, 0);
    else if (mode == IDLE_SPACE || isComputing(mode)) rest(cpu);
    else mode = proceed(cpu, mode);
  }
}

/** Waits for an interrupt. */
function rest(cpu: i32): void {
  if (resters() == 0) {
    atomic.wait<i32>(pendingOf(cpu) as usize, 0, -1);
    return;
  }
  atomic.add<i32>(RESTING as usize, A_CHANGE + 1);
  atomic.notify(RESTING as usize, -1);
  atomic.wait<i32>(pendingOf(cpu) as usize, 0, -1);
  atomic.add<i32>(RESTING as usize, A_CHANGE - 1);
  atomic.notify(RESTING as usize, -1);
}

/** One kernel entry; the mode after it. */
export function enter(cpu: i32, cause: i32, call: i32, a0: i64, a1: i64): i32 {
  setInside(cpu, true);
  loadHartPointer();
  announceTrap(cause, call);
  beforeTrap(cpu, cause);
  const mode = kernel.trap(cause, 0, call, a0, a1, 0);
  afterTrap(cpu, mode);
  setInside(cpu, false);
  return mode;
}

function isComputing(space: i32): bool {
  return stepAt(space, positionOf(space)).call == COMPUTE + 1;
}

/** The next system call of a space's program; past its end, Exit with what it was started with. */
export function proceed(cpu: i32, space: i32): i32 {
  const position = positionOf(space);
  judge(space, position);
  const step = stepAt(space, position);
  setPosition(space, position + 1);
  setOwed(space, true);
  if (step.call == 0) return enter(cpu, TrapCause.SystemCall, Syscall.Exit, argumentOf(space), 0);
  if (step.call == FAULT + 1) return enter(cpu, TrapCause.LoadPage, 0, 0, 0);
  return enter(cpu, TrapCause.SystemCall, step.call - 1, step.a0, step.a1);
}

/** Was the step before this position answered, and as it has to be? */
function judge(space: i32, position: i32): void {
  assert(!isOwed(space), "a task goes on without an answer to its system call");
  if (position == 0) return;
  const before = stepAt(space, position - 1);
  if (before.isJudged == 0) return;
  const answer = answerOf(space);
  assert(answer >= before.least && answer <= before.most, "a system call was answered as it must not be");
}

/** A clock that ticks: time goes on, and then each of the harts in the mask is interrupted. */
export function clock(ticks: i32, harts: i32): void {
  for (let tick = 0; tick < ticks; tick++) {
    atomic.add<i64>(NOW as usize, 10);
    for (let cpu = 0; cpu < 16; cpu++) if ((harts >> cpu) & 1) raise(cpu, TIMER_PENDING);
  }
}

/** A clock that ticks, for the boot hart, only when all harts rest: what goes on by itself is let go on first. */
export function lazyClock(ticks: i32): void {
  for (let tick = 0; tick < ticks; tick++) {
    awaitRest();
    atomic.add<i64>(NOW as usize, 10);
    raise(0, TIMER_PENDING);
  }
}

/** The same for any hart. */
export function lazyClockOf(cpu: i32, ticks: i32): void {
  for (let tick = 0; tick < ticks; tick++) {
    awaitRest();
    atomic.add<i64>(NOW as usize, 10);
    raise(cpu, TIMER_PENDING);
  }
}

/** Every hart waits, and none has an interrupt to wake up for: at one moment, between two looks at who waits. */
function awaitRest(): void {
  for (;;) {
    const resting = atomic.load<i32>(RESTING as usize);
    let isRest = (resting & (A_CHANGE - 1)) == resters();
    for (let cpu = 0; cpu < hartCount() && isRest; cpu++) isRest = atomic.load<i32>(pendingOf(cpu) as usize) == 0;
    if (isRest && atomic.load<i32>(RESTING as usize) == resting) return;
    atomic.wait<i32>(RESTING as usize, resting, -1);
  }
}

/** A clock that ticks on one hart, which has begun each tick's trap before the next. */
export function pacedClock(cpu: i32, ticks: i32): void {
  for (let tick = 0; tick < ticks; tick++) {
    atomic.add<i64>(NOW as usize, 10);
    raise(cpu, TIMER_PENDING);
    while ((atomic.load<i32>(pendingOf(cpu) as usize) & TIMER_PENDING) != 0);
  }
}

/** Raises S_SOFT on a hart though nobody sent it. */
export function intruder(cpu: i32, times: i32): void {
  for (let i = 0; i < times; i++) raise(cpu, SOFT_PENDING);
}

/** From one moment to another, every send fails. */
export function saboteur(times: i32): void {
  for (let i = 0; i < times; i++) {
    atomic.store<i32>(SEND_ERROR as usize, -1);
    atomic.store<i32>(SEND_ERROR as usize, 0);
  }
}

/** Changes what the tasks' memory holds, also while the kernel reads it: what ends a line, and the edges of what does not. */
export function author(): void {
  const bytes = memory.data<u8>([0, 9, 10, 13, 27, 31, 32, 65, 93, 126, 127, 128, 133, 155, 255]);
  for (let i: usize = 0; i < 15; i++) atomic.store<i32>(TEXT_BYTE as usize, (load<u8>(bytes + i) as i32) + 1);
}

/** Delivers what the machine has accepted, at any later moment; several IPIs to one hart may arrive as one. */
export function courier(): void {
  for (;;) {
    const accepted = atomic.load<i32>(IN_FLIGHT as usize);
    if (accepted == 0) {
      atomic.wait<i32>(IN_FLIGHT as usize, 0, -1);
      continue;
    }
    const cpu = ctz(accepted);
    // From here on another one may be accepted, which is delivered after this.
    setDelivered(cpu + 1);
    atomic.and<i32>(IN_FLIGHT as usize, ~(1 << cpu));
    raise(cpu, SOFT_PENDING);
    setDelivered(0);
  }
}

/** Once all rest, the machine refuses no send any more, and the boot hart has a tick. */
export function mender(): void {
  awaitRest();
  atomic.store<i32>(SEND_REFUSED as usize, 0);
  atomic.add<i64>(NOW as usize, 10);
  raise(0, TIMER_PENDING);
}
