// Text: constant texts, which are bytes in memory with a zero at the end. The compiler makes them of string literals:
// see toolchain/byte-texts.ts.
//
// Owner: none; nobody writes them.
// Pairs with: console.ts, device-tree.ts.

/** The byte at an index, or 0 at the end. index: at most the length. */
export function byteOf(text: string, index: i32): i32 {
  return load<u8>(changetype<usize>(text) + (index as usize)) as i32;
}
