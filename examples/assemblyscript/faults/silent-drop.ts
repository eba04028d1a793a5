// Fault: a push on the full ring (one slot) drops the task without a word.
// Words: full at 0, slot at 4, dropped nowhere; accepted at 8, taken at 16.

export function producer(): void {
  if (atomic.cmpxchg<i32>(0, 0, 1) == 0) atomic.add<i32>(4, 1);
  atomic.add<i32>(8, 1);
}

export function kept(): i32 {
  return load<i32>(4) == load<i32>(8) ? 0 : 1;
}
