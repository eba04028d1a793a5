// Fault: two locks in opposite order; they spin, or sleep with `sleepy`. Words: locks at 0 and 8.

function spin(lock: usize): void {
  while (atomic.cmpxchg<i32>(lock, 0, 1) != 0) {}
}

function sleepy(lock: usize): void {
  while (atomic.cmpxchg<i32>(lock, 0, 1) != 0) atomic.wait<i32>(lock, 1, -1);
}

function release(lock: usize): void {
  atomic.store<i32>(lock, 0);
  atomic.notify(lock, 1);
}

export function spinning(first: i32): void {
  spin(first);
  spin(8 - first);
  release(8 - first);
  release(first);
}

export function sleeping(first: i32): void {
  sleepy(first);
  sleepy(8 - first);
  release(8 - first);
  release(first);
}
