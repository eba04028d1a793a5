// Out of line: functions that the sources keep apart from their callers, so that a rare path does not make the
// common one save registers for it. A comment above the function says so, with the reason:
//
//   // out of line: a queue with void entries is rare, and this calls.
//   function enqueueAmongVoid(…
//
// Owner: none. AssemblyScript has no decorator for this; Binaryen's inliner obeys a mark on the function.
// Pairs with: asc.ts, which compiles; c-printer.ts, which keeps one C function a wasm function.
import type binaryen from "binaryen";

const MARK = /^[ \t]*\/\/ out of line:(.*)\n(?:[ \t]*\/\/.*\n)*(?:export )?function (\w+)/gm;
const COMMENT = /^[ \t]*\/\/ out of line:/gm;

/** Internal names (`kernel/run-queue/push`) of the marked functions. text: of the file `kernel/run-queue.ts`. */
export function markedFunctions(file: string, text: string): string[] {
  return [...text.matchAll(MARK)].map((match) => `${file.replace(/\.ts$/, "")}/${match[2]}`);
}

/** One line for each mark that has no reason or stands above no function. */
export function markMistakes(file: string, text: string): string[] {
  const good = new Set([...text.matchAll(MARK)].filter((match) => match[1]?.trim() !== "").map((match) => match.index));
  return [...text.matchAll(COMMENT)]
    .filter((match) => !good.has(match.index))
    .map((match) => {
      const line = text.slice(0, match.index).split("\n").length;
      return `${file}:${line}: "out of line:" needs a reason, and a function on the next line`;
    });
}

/** Tells Binaryen's inliner to leave these functions alone. */
export function keepOutOfLine(library: typeof binaryen, module: binaryen.Module, names: string[]): void {
  for (const name of names) {
    library.setPassArgument("no-inline", name);
    module.runPasses(["no-inline"]);
  }
  library.setPassArgument("no-inline", null);
}
