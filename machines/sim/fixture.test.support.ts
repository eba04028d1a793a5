// Fixture: compiles a kernel or a user program, given as AssemblyScript text, to a pausable module, for tests.
//
// The text is compiled with the options of the real artifacts and may import kernel/machine.ts and abi/.
// Partners: the tests beside this file; toolchain/asc.ts, whose options it shares.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import asc from "assemblyscript/asc";
import { type AscJob, ascArguments, KERNEL_MEMORY, USER_MEMORY } from "../../toolchain/asc.ts";
import { packageRoot } from "../../toolchain/package-root.ts";
import { makePausable, type PausableOptions } from "../../toolchain/pausable.ts";

/** Where the text is taken to lie: relative imports start from here. */
const ENTRY = "kernel/fixture.ts";

export async function compileText(text: string, job: Pick<AscJob, "memory">): Promise<Uint8Array> {
  const errors = asc.createMemoryStream();
  let wasm: Uint8Array | undefined;
  const options = ascArguments({ root: packageRoot, entry: ENTRY, build: "optimized", ...job });
  const result = await asc.main([ENTRY, ...options], {
    stdout: asc.createMemoryStream(),
    stderr: errors,
    readFile: async (name: string) =>
      name === ENTRY ? text : readFile(join(packageRoot, name), "utf8").catch(() => null),
    writeFile: (name: string, contents: Uint8Array | string) => {
      if (contents instanceof Uint8Array && name.endsWith(".wasm")) wasm = contents;
    },
    listFiles: () => [],
  });
  if (result.error !== null || wasm === undefined) throw new Error(`the fixture does not compile:\n${errors}`);
  return wasm;
}

export async function kernelFrom(text: string, options: PausableOptions = {}): Promise<WebAssembly.Module> {
  const pausable = makePausable(await compileText(text, { memory: KERNEL_MEMORY }), options);
  return WebAssembly.compile(pausable as Uint8Array<ArrayBuffer>);
}

export async function userFrom(text: string): Promise<WebAssembly.Module> {
  const pausable = makePausable(await compileText(text, { memory: USER_MEMORY }), { loops: true });
  return WebAssembly.compile(pausable as Uint8Array<ArrayBuffer>);
}

/** Text that kernels of tests share: writes a line of ASCII and a number. */
export const SAY = `
function put(at: i32, byte: i32): i32 { store<u8>(at, byte); return at + 1; }
function digits(at: i32, value: i64): i32 {
  let scale: i64 = 1;
  while (value / scale >= 10) scale *= 10;
  while (scale > 0) { at = put(at, 48 + i32((value / scale) % 10)); scale /= 10; }
  return at;
}
function say(hart: i32, word: i32, value: i64): void {
  const start = 0x60000 + hart * 256;
  let at = start;
  at = put(at, word); at = put(at, 61); at = digits(at, value);
  machine.writeLine(start, at - start);
}
`;
