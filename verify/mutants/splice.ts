// Splice: a module with other bytes in one function's body, everything else byte for byte as it was.
//
// Only the sizes before the body and the code section follow. Owner: none, pure.
// Pairs with: operators.ts, which decides what to put where.

import { Cursor } from "../../wasm/bytes.ts";
import { functionBody } from "../../wasm/code.ts";
import type { ValueType } from "../../wasm/opcodes.ts";
import { SECTION, moduleOf, sectionsOf } from "../../wasm/sections.ts";
import type { Artifact, ArtifactFunction } from "./artifact.ts";

/** Bytes [from, end) of the artifact, within one function's code, become `bytes`. */
export interface Patch {
  readonly from: number;
  readonly end: number;
  readonly bytes: readonly number[];
}

/** The code of a function with the patches made, which must not overlap. */
export function patchedCode(artifact: Artifact, func: ArtifactFunction, patches: readonly Patch[]): number[] {
  const first = func.body[0]?.start ?? 0;
  const end = func.body.at(-1)?.end ?? first;
  const code: number[] = [];
  let at = first;
  for (const patch of patches.toSorted((a, b) => a.from - b.from || a.end - b.end)) {
    if (patch.from < at || patch.end > end) throw new Error("patches overlap, or leave their function");
    code.push(...artifact.wasm.subarray(at, patch.from), ...patch.bytes);
    at = patch.end;
  }
  code.push(...artifact.wasm.subarray(at, end));
  return code;
}

/** What becomes of one function. */
export interface FunctionEdit {
  readonly func: ArtifactFunction;
  readonly patches: readonly Patch[];
  /** Types of further locals, numbered after the function's own. */
  readonly locals: readonly ValueType[];
}

export function splice(artifact: Artifact, edits: readonly FunctionEdit[]): Uint8Array {
  const bodies = new Map(
    edits.map(({ func, patches, locals }) => [
      func.index,
      functionBody([...func.wasm.locals, ...locals], patchedCode(artifact, func, patches)),
    ]),
  );
  const sections = sectionsOf(artifact.wasm).map(({ id, contents }) =>
    id === SECTION.code ? { id, contents: withBodies(contents, bodies) } : { id, contents },
  );
  return moduleOf(sections);
}

/** bodies: with their sizes, by the function's index. */
function withBodies(contents: Uint8Array, bodies: ReadonlyMap<number, ArrayLike<number>>): Uint8Array {
  const cursor = new Cursor(contents);
  const parts: ArrayLike<number>[] = [];
  const count = cursor.u32();
  parts.push(contents.subarray(0, cursor.position));
  for (let index = 0; index < count; index++) {
    const from = cursor.position;
    cursor.take(cursor.u32());
    parts.push(bodies.get(index) ?? contents.subarray(from, cursor.position));
  }
  const out = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
