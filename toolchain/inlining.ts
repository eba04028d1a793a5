// Inlining: functions that the sources keep apart from their callers, so that a rare path does not make the common one
// save registers for it, and functions that become part of their callers, whatever their size. A comment above the
// function says so, with the reason:
//
//   // out of line: a queue with tombstones is rare, and this calls.
//   function enqueueCompacting(…
//
// Owner: none. AssemblyScript's own decorator for the second is no TypeScript, and it has none for the first; Binaryen's
// inliner obeys a mark on the function.
// Pairs with: asc.ts, which compiles; c-printer.ts, which keeps one C function a wasm function.
import type * as assemblyscript from "assemblyscript";
import type binaryen from "binaryen";

const MARK = /^[ \t]*\/\/ (out of line|inline):(.*)\n(?:[ \t]*\/\/.*\n)*(?:export )?function (\w+)/gm;
const COMMENT = /^[ \t]*\/\/ (?:out of line|inline):/gm;

/** Names of the functions of a source that have a mark. */
function marked(text: string, mark: "out of line" | "inline"): string[] {
  return [...text.matchAll(MARK)].filter((match) => match[1] === mark).map((match) => match[3] ?? "");
}

/** Internal names (`kernel/run-queue/push`) of the functions out of line. text: of the file `kernel/run-queue.ts`. */
export function outOfLineFunctions(file: string, text: string): string[] {
  return marked(text, "out of line").map((name) => `${file.replace(/\.ts$/, "")}/${name}`);
}

/** One line for each mark that has no reason or stands above no function. */
export function markMistakes(file: string, text: string): string[] {
  const good = new Set([...text.matchAll(MARK)].filter((match) => match[2]?.trim() !== "").map((match) => match.index));
  return [...text.matchAll(COMMENT)]
    .filter((match) => !good.has(match.index))
    .map((match) => {
      const line = text.slice(0, match.index).split("\n").length;
      return `${file}:${line}: "${match[0].trim().slice(3)}" needs a reason, and a function on the next line`;
    });
}

/** Gives the functions marked inline AssemblyScript's decorator. text: of that source. */
export function inlineMarked(library: typeof assemblyscript, source: assemblyscript.Source, text: string): void {
  const names = new Set(marked(text, "inline"));
  for (const statement of source.statements) {
    if (!(statement instanceof library.FunctionDeclaration) || !names.has(statement.name.text)) continue;
    const name = library.Node.createIdentifierExpression("inline", statement.name.range);
    statement.decorators = [library.Node.createDecorator(name, null, statement.name.range)];
  }
}

/** Directs Binaryen's inliner to leave these functions alone. */
export function keepOutOfLine(library: typeof binaryen, module: binaryen.Module, names: string[]): void {
  for (const name of names) {
    library.setPassArgument("no-inline", name);
    module.runPasses(["no-inline"]);
  }
  library.setPassArgument("no-inline", null);
}
