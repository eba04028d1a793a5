// Fault: the sender counts the acknowledgement itself, before the target has trapped.
// Words: sent at 0, trapped at 8, acknowledged at 16.

export function sender(): void {
  atomic.add<i32>(0, 1);
  atomic.add<i32>(16, 1);
}

export function target(): void {
  while (atomic.load<i32>(0) == 0) {}
  atomic.add<i32>(8, 1);
}

export function causal(): i32 {
  return load<i32>(16) <= load<i32>(8) && load<i32>(8) <= load<i32>(0) ? 0 : 1;
}
