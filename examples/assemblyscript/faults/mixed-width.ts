// Fault: one thread stores a word, the other loads a byte of it.

export function wide(): void {
  atomic.store<i32>(8, 0x01020304);
}

export function narrow(): void {
  atomic.load<u8>(9);
}
