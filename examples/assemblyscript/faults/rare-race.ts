// Fault: a race on a branch that few schedules reach: the counter at 16 must be seen at exactly 3 between two steps of
// another thread, twice. Words: counter at 16, data at 24.

export function counting(): void {
  for (let i = 0; i < 6; i++) atomic.add<i32>(16, 1);
  store<i32>(24, 1);
}

export function looking(): void {
  if (atomic.load<i32>(16) == 3 && atomic.load<i32>(16) == 3 && atomic.load<i32>(16) == 4 && atomic.load<i32>(16) == 5)
    store<i32>(24, 2);
}
