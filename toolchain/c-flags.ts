// C flags: how printed C must be compiled to mean what the wasm means, and how virt's images are compiled.
//
// Owner: this list. Pairs with: c-printer.ts (which relies on the first), gcc.ts (which passes them).

/** Without these the printed C means something else: sums wrap, words are read at any type, address 0 is memory. */
export const MEANING_FLAGS: readonly string[] = [
  "-fwrapv",
  "-fno-strict-aliasing",
  "-fno-delete-null-pointer-checks",
  "-fno-isolate-erroneous-paths-dereference",
  // Constant addresses below 4 KiB are linear memory, not a null pointer with an offset.
  "--param=min-pagesize=0",
];

/** The target of virt: the floor of its processors, no library. */
export const RISCV_FLAGS: readonly string[] = [
  "-march=rv64imac_zicsr",
  "-mabi=lp64",
  "-mcmodel=medany",
  "-ffreestanding",
  "-O2",
];

export const WARNING_FLAGS: readonly string[] = ["-Wall", "-Wextra", "-Werror"];
