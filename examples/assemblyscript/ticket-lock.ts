// A ticket lock: next ticket at 0, now serving at 4, the counter that it guards at 16.
// hartbeat explore ticket-lock.wasm --thread worker --thread worker --thread worker --thread worker --final counted

export function worker(): void {
  const mine = atomic.add<i32>(0, 1);
  while (atomic.load<i32>(4) != mine) {}
  store<i32>(16, load<i32>(16) + 1);
  atomic.store<i32>(4, mine + 1);
}

export function counted(): i32 {
  return load<i32>(16) == atomic.load<i32>(0) ? 0 : 1;
}
