// Peterson's lock for two threads. Words: flags at 0 and 4, turn at 8; the counter that it guards at 16.
// hartbeat explore peterson.wasm --thread worker:0 --thread worker:1 --final counted

const ROUNDS = 2;

export function worker(me: i32): void {
  const other = 1 - me;
  for (let round = 0; round < ROUNDS; round++) {
    atomic.store<i32>(me << 2, 1);
    atomic.store<i32>(8, other);
    while (atomic.load<i32>(other << 2) == 1 && atomic.load<i32>(8) == other) {}
    store<i32>(16, load<i32>(16) + 1);
    atomic.store<i32>(me << 2, 0);
  }
}

export function counted(): i32 {
  return load<i32>(16) == 2 * ROUNDS ? 0 : 1;
}
