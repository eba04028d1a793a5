// Fault: an entry is taken without comparing its generation with the task's. The task (generation at 0, runs at 8) is killed
// and its slot reused while the old entry is still queued at 16.

export function init(): void {
  store<i32>(0, 1);
  store<i32>(16, 1);
}

export function killer(): void {
  atomic.store<i32>(0, 2);
}

export function picker(): void {
  const entry = atomic.xchg<i32>(16, 0);
  if (entry == 0) return;
  const generation = atomic.load<i32>(0);
  // The missing check: if (generation != entry) return;
  atomic.store<i32>(8, entry == generation ? 1 : 2);
}

export function current(): i32 {
  return load<i32>(8) == 2 ? 1 : 0;
}
