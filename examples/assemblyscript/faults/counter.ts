// Fault: a plain counter on two threads (`plain`), and one that loses increments atomically (`torn`).

export function plain(): void {
  store<i32>(0, load<i32>(0) + 1);
}

export function torn(): void {
  atomic.store<i32>(0, atomic.load<i32>(0) + 1);
}

export function two(): i32 {
  return load<i32>(0) == 2 ? 0 : 1;
}

/** An index out of bounds, on one schedule only. */
export function stray(): void {
  const seen = atomic.add<i32>(0, 1);
  if (seen == 1) store<i32>(0x7ffffff0, 1);
}

export function failing(): void {
  assert(atomic.add<i32>(0, 1) == 0, "somebody was here before");
}

export function endless(): void {
  if (atomic.add<i32>(0, 1) == 1) while (load<i32>(8) == 0) {}
}
