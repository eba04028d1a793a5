// An eventcount: a waiter reads the epoch, looks once more, and sleeps only while the epoch is still that one.
// Words: epoch at 0, tasks at 8, done at 16.

export function waiter(): void {
  for (;;) {
    const epoch = atomic.load<i32>(0);
    if (atomic.load<i32>(8) > 0) break;
    atomic.wait<i32>(0, epoch, -1);
  }
  atomic.sub<i32>(8, 1);
  atomic.add<i32>(16, 1);
}

export function waker(): void {
  atomic.add<i32>(8, 1);
  atomic.add<i32>(0, 1);
  atomic.notify(0, 1);
}

export function done(): i32 {
  return load<i32>(8) == 0 ? 0 : 1;
}
