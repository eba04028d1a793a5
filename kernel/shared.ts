// Shared: the single interface to memory that more than one hart writes. Every function is one WebAssembly atomic
// access, sequentially consistent; nothing here waits or tries again.
//
// Owner: none. Callers name the word by its address and say beside the call what they publish and to whom.
// Pairs with: the explorer, which can pause a hart before each of these.
// No clause of its own: the security floor of RFC-0022 (explicit synchronisation of cross-CPU state), under all of them.

export function load32(address: i32): i32 {
  return atomic.load<i32>(address as usize);
}

/** An exchange, because on RISC-V that is one instruction where a sequentially consistent store is three. */
export function store32(address: i32, value: i32): void {
  atomic.xchg<i32>(address as usize, value);
}

/** Adds and returns the value before. */
export function add32(address: i32, value: i32): i32 {
  return atomic.add<i32>(address as usize, value);
}

/** Sets bits and returns the value before. */
export function or32(address: i32, bits: i32): i32 {
  return atomic.or<i32>(address as usize, bits);
}

/** Keeps only the bits of the mask and returns the value before. */
export function and32(address: i32, mask: i32): i32 {
  return atomic.and<i32>(address as usize, mask);
}

export function load64(address: i32): i64 {
  return atomic.load<i64>(address as usize);
}

/** The same. */
export function store64(address: i32, value: i64): void {
  atomic.xchg<i64>(address as usize, value);
}

export function add64(address: i32, value: i64): i64 {
  return atomic.add<i64>(address as usize, value);
}

export function or64(address: i32, bits: i64): i64 {
  return atomic.or<i64>(address as usize, bits);
}

export function and64(address: i32, mask: i64): i64 {
  return atomic.and<i64>(address as usize, mask);
}

export function swap64(address: i32, value: i64): i64 {
  return atomic.xchg<i64>(address as usize, value);
}

/** Writes `wanted` if the word is `expected`; true when it did. */
export function exchanged64(address: i32, expected: i64, wanted: i64): bool {
  return atomic.cmpxchg<i64>(address as usize, expected, wanted) == expected;
}
