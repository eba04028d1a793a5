// Inlining: functions that the sources keep apart from their callers, so that a rare path does not make the common one
// save registers for it, and functions that become part of their callers, whatever their size. A directive in a comment
// above the function asks for it, with the reason:
//
//   // @outline: a queue with tombstones is rare, and this calls.
//   function enqueueCompacting(…
//
// Any other comment that begins with `@`, a directive without a reason and one above no function are refused.
//
// Owner: none. AssemblyScript's own decorator for the second is no TypeScript, and it has none for the first; Binaryen's
// inliner obeys a mark on the function.
// Pairs with: asc.ts, which compiles; c-printer.ts, which keeps one C function a wasm function.
import type * as assemblyscript from "assemblyscript";
import type binaryen from "binaryen";

const DIRECTIVE = /^[ \t]*\/\/ @(outline|inline): (\S.*)\n(?:[ \t]*\/\/.*\n)*(?:export )?function (\w+)/gm;
/** What poses as a directive: also one in another case, without its colon, or in a block comment. */
const CANDIDATE = /^[ \t]*\/[/*]+[ \t]*@.*|^[ \t]*\/\/[ \t]*(?:out of line|inline):.*/gim;

/** Names of the functions of a source that have a directive. */
function marked(text: string, directive: "outline" | "inline"): string[] {
  return [...text.matchAll(DIRECTIVE)].filter((match) => match[1] === directive).map((match) => match[3] ?? "");
}

/** Internal names (`kernel/run-queue/push`) of the functions out of line. text: of the file `kernel/run-queue.ts`. */
export function outOfLineFunctions(file: string, text: string): string[] {
  return marked(text, "outline").map((name) => `${file.replace(/\.ts$/, "")}/${name}`);
}

/** One line for each directive that is malformed, has no reason or stands above no function. */
export function directiveMistakes(file: string, text: string): string[] {
  const good = new Set([...text.matchAll(DIRECTIVE)].map((match) => match.index));
  return [...text.matchAll(CANDIDATE)]
    .filter((match) => !good.has(match.index))
    .map((match) => {
      const line = text.slice(0, match.index).split("\n").length;
      const form = "`// @outline: reason` or `// @inline: reason`, and a function below it";
      return `${file}:${line}: malformed directive "${match[0].trim()}": write ${form}`;
    });
}

/** Gives the functions with `@inline` AssemblyScript's decorator. text: of that source. */
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
