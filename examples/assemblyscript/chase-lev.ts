// The Chase-Lev work-stealing deque with sequentially consistent atomics. Owner and thieves take tasks 1 to TASKS;
// each must be taken exactly once. Words: top at 0, bottom at 8, ring at 64, takings of each task at 128.

const TOP: usize = 0;
const BOTTOM: usize = 8;
const RING: usize = 64;
const TAKEN: usize = 128;
const CAPACITY = 4;
const TASKS = 3;

function slot(index: i32): usize {
  return RING + ((index & (CAPACITY - 1)) << 2);
}

function take(task: i32): void {
  atomic.add<i32>(TAKEN + (task << 3), 1);
}

function push(task: i32): void {
  const bottom = atomic.load<i32>(BOTTOM);
  atomic.store<i32>(slot(bottom), task);
  atomic.store<i32>(BOTTOM, bottom + 1);
}

function pop(): i32 {
  const bottom = atomic.load<i32>(BOTTOM) - 1;
  atomic.store<i32>(BOTTOM, bottom);
  const top = atomic.load<i32>(TOP);
  if (top > bottom) {
    atomic.store<i32>(BOTTOM, top);
    return 0;
  }
  const task = atomic.load<i32>(slot(bottom));
  if (top < bottom) return task;
  // The last one: thieves may want it too.
  const won = atomic.cmpxchg<i32>(TOP, top, top + 1) == top;
  atomic.store<i32>(BOTTOM, top + 1);
  return won ? task : 0;
}

function steal(): i32 {
  const top = atomic.load<i32>(TOP);
  const bottom = atomic.load<i32>(BOTTOM);
  if (top >= bottom) return 0;
  const task = atomic.load<i32>(slot(top));
  return atomic.cmpxchg<i32>(TOP, top, top + 1) == top ? task : 0;
}

export function owner(): void {
  for (let task = 1; task <= TASKS; task++) push(task);
  for (let i = 0; i < TASKS; i++) {
    const task = pop();
    if (task != 0) take(task);
  }
}

export function thief(): void {
  const task = steal();
  if (task != 0) take(task);
}

export function twice(): i32 {
  for (let task = 1; task <= TASKS; task++) if (load<i32>(TAKEN + (task << 3)) > 1) return task;
  return 0;
}

export function lost(): i32 {
  for (let task = 1; task <= TASKS; task++) if (load<i32>(TAKEN + (task << 3)) != 1) return task;
  return 0;
}
