// Vyukov's bounded queue, several producers and consumers. Cells of (sequence i32, value i32) from 64 on, enqueue position
// at 0, dequeue position at 8, sum of what came out at 16. The values are plain: the sequence numbers order them.

const CAPACITY = 2;
const ENQUEUE: usize = 0;
const DEQUEUE: usize = 8;
const SUM: usize = 16;
const CELLS: usize = 64;

function cell(position: i32): usize {
  return CELLS + ((position & (CAPACITY - 1)) << 3);
}

export function init(): void {
  for (let i = 0; i < CAPACITY; i++) store<i32>(cell(i), i);
}

function enqueue(value: i32): bool {
  let position = atomic.load<i32>(ENQUEUE);
  for (;;) {
    const difference = atomic.load<i32>(cell(position)) - position;
    if (difference < 0) return false;
    if (difference == 0) {
      const seen = atomic.cmpxchg<i32>(ENQUEUE, position, position + 1);
      if (seen == position) break;
      position = seen;
    } else position = atomic.load<i32>(ENQUEUE);
  }
  store<i32>(cell(position) + 4, value);
  atomic.store<i32>(cell(position), position + 1);
  return true;
}

function dequeue(): i32 {
  let position = atomic.load<i32>(DEQUEUE);
  for (;;) {
    const difference = atomic.load<i32>(cell(position)) - (position + 1);
    if (difference < 0) return 0;
    if (difference == 0) {
      const seen = atomic.cmpxchg<i32>(DEQUEUE, position, position + 1);
      if (seen == position) break;
      position = seen;
    } else position = atomic.load<i32>(DEQUEUE);
  }
  const value = load<i32>(cell(position) + 4);
  atomic.store<i32>(cell(position), position + CAPACITY);
  return value;
}

export function producer(value: i32): void {
  while (!enqueue(value)) {}
}

export function consumer(): void {
  let value = dequeue();
  while (value == 0) value = dequeue();
  atomic.add<i32>(SUM, value);
}

/** One value each of 1 and 2 went in and came out. */
export function summed(): i32 {
  return load<i32>(SUM) == 3 ? 0 : 1;
}
