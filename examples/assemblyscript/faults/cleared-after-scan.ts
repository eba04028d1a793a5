// Fault: the pending flag is cleared after the queue was scanned instead of before.
// Words: pending at 0, queued at 8, handled at 16.

export function handler(): void {
  while (atomic.load<i32>(16) < 2) {
    atomic.wait<i32>(0, 0, -1);
    const queued = atomic.xchg<i32>(8, 0);
    atomic.add<i32>(16, queued);
    atomic.store<i32>(0, 0);
  }
}

export function requester(): void {
  atomic.add<i32>(8, 1);
  if (atomic.xchg<i32>(0, 1) == 0) atomic.notify(0, 1);
}
