// Artifact: kernel.wasm decoded, each instruction with its place in the TypeScript sources, for those that change it.
//
// Owner: readArtifact's caller; nothing changes it afterwards.
// Pairs with: operators.ts (what to change), splice.ts (how), coverage.ts (what is reached).

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { decodeModule } from "../../wasm/decode.ts";
import type { Instruction, WasmFunction, WasmModule } from "../../wasm/module.ts";
import { readNames } from "../../wasm/names.ts";
import { type Place, readSourceMap } from "../../wasm/source-map.ts";

export interface ArtifactFunction {
  /** As the name section has it, without the folder: `run-queue/enqueue`. */
  readonly name: string;
  /** Among the defined functions, from 0. */
  readonly index: number;
  readonly wasm: WasmFunction;
  /** Of the whole artifact. */
  readonly bytes: Uint8Array;
  readonly body: readonly Instruction[];
  /** Of each instruction; of those without one, the place before it. */
  readonly places: readonly Place[];
}

export interface Artifact {
  readonly wasm: Uint8Array;
  readonly sourceMap: string;
  readonly module: WasmModule;
  readonly functions: readonly ArtifactFunction[];
  /** The text of a source line, trimmed; "" where there is none. */
  readonly lineText: (file: string, line: number) => string;
}

/** Functions of this file wrap one atomic access each and are inlined: the place is their caller's. */
const WRAPPERS = "kernel/shared.ts";

/** root: the folder that the source map's file names are relative to. */
export function readArtifact(wasm: Uint8Array, sourceMap: string, root: string): Artifact {
  const module = decodeModule(wasm);
  const map = readSourceMap(sourceMap);
  const names = readNames(module);
  const functions = module.functions.map((func, index) => ({
    name: (names.functions.get(func.index) ?? `function-${func.index}`).replace(/^kernel\//, ""),
    index,
    wasm: func,
    bytes: wasm,
    body: func.body,
    places: placesOf(func.body.map(({ start }) => map.placeOf(start))),
  }));
  const texts = new Map<string, readonly string[]>();
  const lineText = (file: string, line: number): string => {
    let lines = texts.get(file);
    if (lines === undefined) texts.set(file, (lines = readLines(join(root, file))));
    return (lines[line - 1] ?? "").trim();
  };
  return { wasm, sourceMap, module, functions, lineText };
}

function placesOf(known: readonly (Place | null)[]): Place[] {
  const own = known.map((place) => (place === null || place.file === WRAPPERS ? undefined : place));
  const first = own.find((place) => place !== undefined) ?? { file: WRAPPERS, line: 0, column: 0 };
  let last = first;
  return own.map((place) => (last = place ?? last));
}

function readLines(path: string): readonly string[] {
  try {
    return readFileSync(path, "utf8").split("\n");
  } catch {
    return [];
  }
}
