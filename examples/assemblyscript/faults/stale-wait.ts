// Fault: the waiter reads the value it waits on only after it looked for the event. Words: epoch at 0, event at 8.

export function waiter(): void {
  while (atomic.load<i32>(8) == 0) {
    const epoch = atomic.load<i32>(0);
    atomic.wait<i32>(0, epoch, -1);
  }
}

export function waker(): void {
  atomic.store<i32>(8, 1);
  atomic.add<i32>(0, 1);
  atomic.notify(0, -1);
}
