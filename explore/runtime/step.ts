// Step: one transition of one thread, and what runs without one: set-up and checks.
//
// Pairs with: settle.ts, explore/program/program.ts (calls these), explore/instrument/entries.ts and wrappers.ts (the
// functions in the engine's table).

import { ACCESS, BLOCK, CONTROL, INVISIBLE_MAX, STATUS } from "./addresses";
import { rawLog } from "./log";
import { blockOf, settle, sumUp } from "./settle";
import { put } from "./store";
import { engine, layout } from "./supplied";

/** What a function of the engine's table returns. */
const DONE: u32 = 0;

/** The thread's pending access and all plain code up to the next one. Traps when the step is a violation. */
export function step(thread: u32): void {
  const block = blockOf(thread);
  engine.thread = thread;
  engine.block = block;
  begin(thread, block);
  const sumBefore = layout.countSteps ? load<u64>(block, BLOCK.sum) : 0;
  const memoryBefore = layout.countSteps ? load<u64>(CONTROL.memorySum) : 0;
  closeFootprint(block);
  const isPaused = run(block) != DONE;
  if (isPaused) {
    const top = engine.top - block;
    put(block + BLOCK.status, (engine.pauseStatus as u64) | ((top as u64) << 32));
  } else {
    put(block + BLOCK.pendingAddress, 0);
    put(block + BLOCK.status, STATUS.finished);
  }
  // A re-read that changes nothing is waiting, not a step.
  if (layout.countSteps && (load<u64>(block, BLOCK.sum) != sumBefore || load<u64>(CONTROL.memorySum) != memoryBefore))
    put(block + BLOCK.steps, load<u64>(block, BLOCK.steps) + 1);
  // The main thread is no part of the state.
  if (thread < layout.threads) {
    settle(thread);
    sumUp();
  }
}

// @inline: it has one caller.
function begin(thread: u32, block: u32): void {
  engine.raceTracking = load<u32>(CONTROL.raceTracking) & u32(thread < layout.threads);
  engine.stepLog = load<u32>(CONTROL.logTop);
  rawLog(CONTROL.memorySum);
  rawLog(block);
  engine.fuel = load<u32>(CONTROL.plainLoopMax);
  engine.invisible = INVISIBLE_MAX;
  engine.pauseStatus = STATUS.ready;
  engine.touched = 0;
}

/** A step that begins with an atomic access closes the thread's footprint. */
// @inline: it has one caller.
function closeFootprint(block: u32): void {
  const raceTracked = load<u32>(CONTROL.raceTracked);
  if (raceTracked == 0 || (load<u32>(block, BLOCK.pendingSite) & 15) >= (ACCESS.plainRead as u32)) return;
  let at: u32 = 0;
  do {
    put(block + at + layout.footprint, 0);
    at += 8;
  } while (at < load<u32>(CONTROL.raceTracked) << 1);
}

/** Begins the thread, or goes on with its innermost frame and then with those around it. */
// @inline: it has one caller.
function run(block: u32): u32 {
  if (load<u32>(block, BLOCK.status) == STATUS.starting)
    return call_indirect<u32>(load<u32>(block, BLOCK.entry) + layout.firstBegin);
  engine.top = load<u32>(block, BLOCK.top) + block;
  let result: u32;
  do {
    result = call_indirect<u32>(load<u32>(engine.top - 8), engine.top);
  } while (result == DONE && engine.top != block + layout.frames);
  return result;
}

/** Runs a check that needs no steps, on the main thread's block; its result. The caller takes back what it wrote. */
export function check(entry: u32): u32 {
  const block = blockOf(layout.threads);
  engine.thread = layout.threads;
  engine.block = block;
  engine.raceTracking = 0;
  rawLog(CONTROL.memorySum);
  rawLog(block);
  engine.fuel = load<u32>(CONTROL.plainLoopMax);
  call_indirect<u32>(entry + layout.firstBegin);
  return load<u32>(CONTROL.results);
}

/** The thread will begin that entry at its next step. */
export function prepare(thread: u32, entry: u32): void {
  const block = blockOf(thread);
  engine.block = block;
  rawLog(block);
  put(block + BLOCK.status, 0);
  store<u32>(block, entry, BLOCK.entry);
}
