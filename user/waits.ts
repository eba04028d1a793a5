// Waits: how tasks that share a memory wait for each other, with nothing but words of it and the kernel's sleep and wake.
//
// A task announces on which word it waits, then looks at its condition once more, then sleeps; who makes the condition true
// clears the announcement and wakes it. Sequentially consistent accesses leave no window: either the waiter sees the new
// condition, or the other sees the announcement; a wake before the sleep is kept by the kernel as a permit. A wake is a
// hint: every wait looks at its condition again, so that an old permit does no harm.
// No task ever spins for another: with strict classes the other might never run.
// Invariant: a wait ends at the latest when the workload's duration is over; false: it ended so.
// Partners: workload-memory.ts; workload-events.ts, which uses these.

import { SyscallError } from "../abi/syscalls";
import { Block, blockOf, nextTicket, stateWord, taskCount, ticksOf } from "./workload-memory";
import { sleepUntil, time, wake, yieldHart } from "./system-calls";

/** Between two tries of a wake for which there is no place. */
const RETRY_MICROS: i32 = 20;

const WAITING_ON: usize = offsetof<Block>("waitingOn");

function announcement(block: Block): usize {
  return changetype<usize>(block) + WAITING_ON;
}

function announce(block: Block, place: i32): void {
  block.ticket = nextTicket();
  // Publishes the ticket and the id to whoever looks for waiting tasks.
  atomic.store<i32>(announcement(block), place + 1);
}

/** False: somebody has ended the wait before. */
function withdraw(block: Block, place: i32): bool {
  return atomic.cmpxchg<i32>(announcement(block), place + 1, 0) == place + 1;
}

/** Whether nobody has ended the wait yet. */
function isWaiting(block: Block): bool {
  return atomic.load<i32>(announcement(block)) != 0;
}

/** Sleeps until a wake; false when the duration is over. */
function sleep(block: Block): bool {
  const answer = sleepUntil(block.end);
  if (answer >= 0) return answer == 1;
  // As many tasks sleep on this CPU as can: another turn, then.
  yieldHart();
  return time() < block.end;
}

/** Waits until a signal or a broadcast on the word that comes after this call has begun. */
export function waitFor(block: Block, place: i32): bool {
  announce(block, place);
  return finishWait(block, place);
}

function finishWait(block: Block, place: i32): bool {
  while (isWaiting(block)) {
    if (!sleep(block)) return !withdraw(block, place);
  }
  return true;
}

/** Ends the wait of the task that has waited longest on the word, if there is one. */
export function signal(block: Block, place: i32): void {
  let first = firstOn(place);
  // bound: the tasks that others take meanwhile, each once.
  while (first >= 0) {
    if (withdraw(blockOf(first), place)) {
      wakeTask(block, blockOf(first).id);
      return;
    }
    first = firstOn(place);
  }
}

/** Ends the waits of all tasks that wait on the word now. */
export function broadcast(block: Block, place: i32): void {
  const count = taskCount();
  for (let row = 0; row < count; row++) {
    const other = blockOf(row);
    if (withdraw(other, place)) wakeTask(block, other.id);
  }
}

function firstOn(place: i32): i32 {
  const count = taskCount();
  let first = -1;
  for (let row = 0; row < count; row++) {
    const other = blockOf(row);
    if (atomic.load<i32>(announcement(other)) != place + 1) continue;
    // Tickets wrap around: their difference orders them.
    if (first < 0 || other.ticket - blockOf(first).ticket < 0) first = row;
  }
  return first;
}

function wakeTask(block: Block, id: i64): void {
  let answer = wake(id);
  while (answer == SyscallError.QueueFull || answer == SyscallError.Contended) {
    if (sleepUntil(time() + ticksOf(RETRY_MICROS)) < 0) yieldHart();
    if (time() >= block.end) return;
    answer = wake(id);
  }
}

/** Takes a mutex: its word holds its owner's row plus one. */
export function lock(block: Block, row: i32, place: i32): bool {
  while (!take(row, place)) {
    announce(block, place);
    if (take(row, place)) {
      withdraw(block, place);
      return true;
    }
    if (!finishWait(block, place)) return false;
  }
  return true;
}

function take(row: i32, place: i32): bool {
  return atomic.cmpxchg<i32>(stateWord(place), 0, row + 1) == 0;
}

/** Gives a mutex back, if it has it. */
export function unlock(block: Block, row: i32, place: i32): void {
  if (atomic.cmpxchg<i32>(stateWord(place), row + 1, 0) == row + 1) signal(block, place);
}

export function holds(row: i32, place: i32): bool {
  return atomic.load<i32>(stateWord(place)) == row + 1;
}

/** Waits on a condition; the mutex is given back once the wait is announced, and taken again after it. */
export function waitWithMutex(block: Block, row: i32, place: i32, mutex: i32): bool {
  announce(block, place);
  unlock(block, row, mutex);
  if (!finishWait(block, place)) return false;
  return lock(block, row, mutex);
}

/** Waits until `size` tasks are here: the last one to come lets all go. Two words: arrivals, generation. */
export function meet(block: Block, place: i32, size: i32): bool {
  const generation = stateWord(place + 1);
  const before = atomic.load<i32>(generation);
  if (atomic.add<i32>(stateWord(place), 1) + 1 == size) {
    atomic.store<i32>(stateWord(place), 0);
    // From here on a task may come for the next round.
    atomic.add<i32>(generation, 1);
    broadcast(block, place);
    return true;
  }
  return waitPast(block, place, generation, before);
}

/** Waits until the word at `address` is past `value`; `place` names the wait. */
export function waitPast(block: Block, place: i32, address: usize, value: i32): bool {
  while (atomic.load<i32>(address) - value <= 0) {
    announce(block, place);
    if (atomic.load<i32>(address) - value > 0) {
      withdraw(block, place);
      return true;
    }
    if (!finishWait(block, place)) return false;
  }
  return true;
}
