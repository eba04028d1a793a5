// Fault: owner and thief take the last task by load and store instead of compare-and-swap.
// Words: head at 0, tail at 4, takings at 8.

export function init(): void {
  store<i32>(4, 1);
}

export function taker(): void {
  const head = atomic.load<i32>(0);
  if (head == atomic.load<i32>(4)) return;
  atomic.store<i32>(0, head + 1);
  atomic.add<i32>(8, 1);
}

export function once(): i32 {
  return load<i32>(8) <= 1 ? 0 : 1;
}
