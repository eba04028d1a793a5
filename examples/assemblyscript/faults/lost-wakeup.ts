// Fault: the sleeper tests for work before it clears the pending flag, so a wake between the two is wiped out.
// Words: pending at 0, work at 8.

export function sleeper(): void {
  for (;;) {
    if (atomic.load<i32>(8) != 0) return;
    atomic.store<i32>(0, 0);
    atomic.wait<i32>(0, 0, -1);
  }
}

export function waker(): void {
  atomic.store<i32>(8, 1);
  if (atomic.xchg<i32>(0, 1) == 0) atomic.notify(0, 1);
}
