// Fuzz: a second user image, in which every program but the probe makes random system calls. The kernel is the same.
//
// Not part of the shipped image: `hartbeat soak --programs calls` builds and boots it.
// Pairs with: fuzzer.ts; toolchain/fuzz-image.ts, which builds this and sets the seed.

import { Program } from "../abi/programs";
import { exit } from "./system-calls";
import { fuzz, seedSlot } from "./fuzzer";

const PROGRAM_COUNT: i32 = 9;

export function programCount(): i32 {
  return PROGRAM_COUNT;
}

/** Where the host sets the seed and the number of calls: see fuzzer.ts. */
export function seedAddress(): i32 {
  return seedSlot();
}

/** The selftests' probes exit with their argument; whatever else is spawned is a fuzzer. */
export function start(program: i32, argument: i64): void {
  exit(program == Program.Probe ? (argument as i32) : fuzz(program, argument));
}
