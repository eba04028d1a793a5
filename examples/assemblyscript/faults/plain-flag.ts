// Fault: the flag that publishes the data is read with a plain load. Words: data at 0, flag at 8.

export function writer(): void {
  atomic.store<i32>(0, 42);
  atomic.store<i32>(8, 1);
}

export function reader(): void {
  if (load<i32>(8) == 1) atomic.store<i32>(16, atomic.load<i32>(0));
}
