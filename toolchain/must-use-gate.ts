// Must-use gate: a call whose result is thrown away does not build.
//
// asc accepts a discarded outcome in silence, so this reads a debug build, where it is still a call followed by a
// drop. What counts as a result: every value that a function or a machine call returns. The one exception is the
// value before an update in the file of the atomics, which is no outcome: such a function returns i32 or i64 there;
// one that returns bool reports whether it happened, and must be used.
//
// Not seen: a result stored in a variable that nobody reads; tsc reports those (noUnusedLocals).
// Clauses: Q4. Pairs with: discarded-calls.ts, build.ts.
import { discardedCalls } from "./discarded-calls.ts";
import { placeNear, type SourceMap, formatPlace } from "../wasm/source-map.ts";
import { readArtifactModule } from "./artifact-module.ts";

const UPDATE = /^export function (\w+)\([^)]*\): i(?:32|64) /gm;

/** Internal names of the functions of the atomics' file whose result is the value before. file: `kernel/shared.ts`. */
export function updateFunctions(file: string, text: string): ReadonlySet<string> {
  return new Set([...text.matchAll(UPDATE)].map((match) => `${file.replace(/\.ts$/, "")}/${match[1]}`));
}

/** One line a discarded result, with file, line and column of the call. wasm: a debug build. */
export function checkMustUse(wasm: Uint8Array, map: SourceMap, mayDrop: ReadonlySet<string>): string[] {
  return discardedCalls(readArtifactModule(wasm))
    .filter((one) => !mayDrop.has(one.callee) && !one.caller.name.startsWith("~lib/"))
    .map((one) => {
      const offsets = one.caller.body.map((instruction) => instruction.start);
      // The compiler gives the place of a call that is a whole statement to its drop.
      const known = map.placeOf(one.at) ?? map.placeOf(one.droppedAt) ?? placeNear(map, offsets, one.at);
      const place = formatPlace(known, `byte ${one.at}`);
      return `${place}: ${one.caller.name}: the result of ${one.callee} is discarded; every outcome must be used`;
    });
}
