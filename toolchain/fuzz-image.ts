// Fuzz image: the shipped kernel with user programs that make random system calls, or that are random bytes.
//
// The kernel's artifact is the one that ships; only the user image differs. A run's seed is set in what was built, so that
// a thousand seeds take one build: on sim as words of each program's memory, on virt in copies of the ELF file.
// Owner: build/fuzz.sim.wasm, build/fuzz-calls.elf, build/fuzz-bytes.elf.
// Pairs with: user/fuzz.ts and machines/virt/fuzz/random-bytes.c, which have what is set here; build.ts.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type AscJob, compile, USER_MEMORY } from "./asc.ts";
import { type Artifacts, buildArtifacts, type BuildOptions, buildElf } from "./build.ts";
import { hashOf, isFresh, stampedHash, store, whileLocked } from "./build-cache.ts";
import { KERNEL_PRINT, type PrintedC, printC, USER_PRINT } from "./c-printer.ts";
import { linkElf, machineFolder } from "./gcc.ts";
import { handWrittenUser } from "./hand-written-user.ts";
import { packageRoot } from "./package-root.ts";
import { makePausable } from "./pausable.ts";

export type FuzzPrograms = "calls" | "bytes";

export type FuzzBuild =
  | { readonly kind: "built"; readonly path: string }
  /** message: one line that states what is missing and how to install it. */
  | { readonly kind: "missing-compiler"; readonly message: string }
  | { readonly kind: "refused"; readonly step: string; readonly lines: readonly string[] };

/** The words before the slot of user/fuzzer.ts: the seed and the number of calls follow. */
const SLOT_WORDS: readonly number[] = [0x7a5f4842, 0x5eed1101, 0x13c6a5d9];
/** The words before the area of random-bytes.c. */
const AREA_WORDS: readonly number[] = [0x7a5f4842, 0x5eed0002, 0x2c9277b5, 0xf17e0a11];
const AREA_BYTES = 16384;

const RANDOM_BYTES = join(machineFolder, "fuzz", "random-bytes.c");

/** Makes build/fuzz.sim.wasm, or finds it fresh. */
export async function buildFuzzSim(options: BuildOptions = {}): Promise<FuzzBuild> {
  const artifacts = await buildArtifacts(options);
  if (artifacts.kind === "refused") return artifacts;
  const folder = join(packageRoot, "build");
  const path = join(folder, "fuzz.sim.wasm");
  const { hash } = artifacts.artifacts;
  if (await isFresh(folder, "fuzz-sim", hash)) return { kind: "built", path };
  const user = await compiledFuzzer();
  if (!(user instanceof Uint8Array)) return user;
  await store(folder, "fuzz-sim", hash, new Map([["fuzz.sim.wasm", makePausable(user, { loops: "countdown" })]]));
  return { kind: "built", path };
}

/** Makes build/fuzz-calls.elf or build/fuzz-bytes.elf, or finds it fresh. */
export async function buildFuzzElf(programs: FuzzPrograms, options: BuildOptions = {}): Promise<FuzzBuild> {
  // The shipped image first: its stamp covers the machine layer and the compiler.
  const shipped = await buildElf(options);
  if (shipped.kind !== "built") return shipped;
  const artifacts = await buildArtifacts(options);
  if (artifacts.kind === "refused") return artifacts;
  const folder = join(packageRoot, "build");
  const name = `fuzz-${programs}`;
  const hash = await hashOf(
    packageRoot,
    [],
    [(await stampedHash(folder, "elf")) ?? "", await readFile(RANDOM_BYTES, "utf8")],
  );
  const path = join(folder, `${name}.elf`);
  if (await isFresh(folder, name, hash)) return { kind: "built", path };
  return whileLocked(folder, () => link(programs, artifacts.artifacts, folder, name, hash));
}

async function link(
  programs: FuzzPrograms,
  artifacts: Artifacts,
  folder: string,
  name: string,
  hash: string,
): Promise<FuzzBuild> {
  const user = programs === "calls" ? await printedFuzzer() : await randomBytesProgram();
  if ("kind" in user) return user;
  const elf = join(folder, name, "image.elf");
  const outcome = await linkElf({
    kernel: printC(await readFile(artifacts.kernel), KERNEL_PRINT),
    user,
    folder: join(folder, name),
    elf,
  });
  if (outcome.kind === "missing-compiler") return outcome;
  if (outcome.kind === "refused") return { kind: "refused", step: "gcc", lines: outcome.diagnostics };
  await store(folder, name, hash, new Map([[`${name}.elf`, await readFile(elf)]]));
  return { kind: "built", path: join(folder, `${name}.elf`) };
}

async function randomBytesProgram(): Promise<PrintedC> {
  return handWrittenUser(await readFile(RANDOM_BYTES, "utf8"), "int64_t");
}

async function printedFuzzer(): Promise<PrintedC | FuzzBuild> {
  const user = await compiledFuzzer();
  return user instanceof Uint8Array ? printC(user, USER_PRINT) : user;
}

async function compiledFuzzer(): Promise<Uint8Array | FuzzBuild> {
  const job: AscJob = { root: packageRoot, entry: "user/fuzz.ts", memory: USER_MEMORY, build: "optimized" };
  const outcome = await compile(job);
  return outcome.kind === "compiled" ? outcome.wasm : { kind: "refused", step: "asc", lines: outcome.diagnostics };
}

/** Where an image's seed is set. Throws when the image has not exactly one place for it. */
export function seedCalls(elf: Uint8Array, seed: number, calls: number): Buffer {
  const image = Buffer.from(elf);
  const at = placeAfter(image, SLOT_WORDS);
  image.writeUInt32LE(seed >>> 0, at);
  image.writeUInt32LE(calls, at + 4);
  return image;
}

/** The same for random bytes: `next` gives the words of the area. */
export function seedBytes(elf: Uint8Array, next: () => number): Buffer {
  const image = Buffer.from(elf);
  const at = placeAfter(image, AREA_WORDS);
  for (let offset = 0; offset < AREA_BYTES; offset += 4) image.writeUInt32LE(next() >>> 0, at + offset);
  return image;
}

function placeAfter(image: Buffer, words: readonly number[]): number {
  const magic = Buffer.alloc(4 * words.length);
  words.forEach((word, index) => magic.writeUInt32LE(word, 4 * index));
  const at = image.indexOf(magic);
  if (at < 0 || image.includes(magic, at + 1)) throw new Error("the image has not exactly one place for its seed");
  return at + magic.length;
}
