// Byte texts: the kernel's texts as bytes with a zero at the end, where AssemblyScript's own strings are objects of
// two bytes a character with a header. All of them are ASCII constants.
//
// In the parsed sources each string literal becomes the address of its bytes, and the type `string` becomes `usize`;
// kernel/text.ts reads them. The message of an assertion is dropped: an assertion ends in `unreachable`.
//
// Owner: none. Invariant: places in the source stay what they were, for messages and the source map.
// Pairs with: asc.ts, which calls this between parsing and compiling; kernel/text.ts.
import type * as assemblyscript from "assemblyscript";

type Library = typeof assemblyscript;
type Range = assemblyscript.Range;

/** What asc takes as a transform. */
export async function byteTexts(): Promise<new () => { afterParse(parser: assemblyscript.Parser): void }> {
  // Large: loaded only when something must be compiled.
  const library = await import("assemblyscript");
  return class {
    afterParse({ sources }: assemblyscript.Parser): void {
      for (const source of sources) if (!source.internalPath.startsWith("~lib/")) narrowIn(library, source);
    }
  };
}

/** Visits what hangs below a node. A statement that names another file by a string is left alone. */
function narrowIn(library: Library, node: assemblyscript.Node): void {
  if (node instanceof library.ImportStatement || node instanceof library.ExportStatement) return;
  dropMessage(library, node);
  for (const [name, value] of Object.entries(node)) {
    if (Array.isArray(value)) {
      value.forEach((one: unknown, index) => (value[index] = narrowed(library, one)));
    } else if (name !== "range") {
      Reflect.set(node, name, narrowed(library, value));
    }
  }
}

function narrowed(library: Library, value: unknown): unknown {
  if (!(value instanceof library.Node)) return value;
  if (value instanceof library.StringLiteralExpression) return bytesOf(library, value.value, value.range);
  if (value instanceof library.NamedTypeNode && value.name.identifier.text === "string") {
    return typeNamed(library, "usize", value.range);
  }
  narrowIn(library, value);
  return value;
}

/** `assert(condition, "message")` without its message. */
function dropMessage(library: Library, node: assemblyscript.Node): void {
  if (!(node instanceof library.CallExpression)) return;
  const callee = node.expression;
  if (callee instanceof library.IdentifierExpression && callee.text === "assert") node.args.length = 1;
}

/** `memory.data<u8>([…])`: the address of constant bytes. */
function bytesOf(library: Library, text: string, range: Range): assemblyscript.Expression {
  const { Node } = library;
  const codes = [...text].map((character) => character.codePointAt(0) ?? 0);
  // A zero would end it.
  if (codes.some((code) => code === 0 || code > 127)) throw new Error(`a text of the kernel is not ASCII: ${text}`);
  const memory = Node.createIdentifierExpression("memory", range);
  const data = Node.createPropertyAccessExpression(memory, Node.createIdentifierExpression("data", range), range);
  const bytes = [...codes, 0].map((code) => Node.createIntegerLiteralExpression(globalThis.i64_new(code, 0), range));
  const list = Node.createArrayLiteralExpression(bytes, range);
  return Node.createCallExpression(data, [typeNamed(library, "u8", range)], [list], range);
}

function typeNamed(library: Library, name: string, range: Range): assemblyscript.NamedTypeNode {
  const { Node } = library;
  return Node.createNamedType(Node.createSimpleTypeName(name, range), null, false, range);
}
