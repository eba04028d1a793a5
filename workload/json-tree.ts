// JSON tree: a text in rt-app's JSON as a tree in which each key keeps its line and its place among its neighbours.
//
// Comments and trailing commas are accepted, keys may come twice, and `"suspend",` and `"yield",` may stand without a
// value, as workgen, the front end of rt-app, accepts them.
// Partners: jsonc-parser, which parses and goes on past an error; workload-reader.ts.

import { type Node, type ParseError, parseTree, printParseErrorCode } from "jsonc-parser";
import type { Findings } from "./problem.ts";

export type JsonValue =
  | { readonly kind: "object"; readonly members: readonly Member[] }
  | { readonly kind: "array"; readonly items: readonly JsonValue[] }
  | { readonly kind: "string"; readonly text: string }
  | { readonly kind: "number"; readonly number: number }
  | { readonly kind: "boolean"; readonly flag: boolean }
  | { readonly kind: "null" }
  /** A key without colon and value. */
  | { readonly kind: "bare" };

export interface Member {
  readonly key: string;
  readonly line: number;
  readonly value: JsonValue;
}

/** Events whose value may be left out. */
const BARE_KEY = /^(?:suspend|yield)[_-]?\d*$/;
const BLANK = /^(?:\s|\/\*[^]*?\*\/|\/\/[^\n]*\n)*$/;

/** The file's one value; undefined when its syntax is wrong, which is in the findings then. */
export function parseJson(text: string, findings: Findings): JsonValue | undefined {
  const errors: ParseError[] = [];
  const lineOf = lineFinder(text);
  const bareEnds: number[] = [];
  let value: JsonValue | undefined;
  try {
    const root = parseTree(text, errors, { allowTrailingComma: true });
    value = root === undefined ? undefined : convert(root, lineOf, bareEnds);
  } catch (error) {
    // Both recurse, and nothing else of them throws this.
    if (!(error instanceof RangeError)) throw error;
    findings.refuse(1, "", "it is nested too deeply for a workload");
    return undefined;
  }
  // What follows the first mistake of syntax may be its consequence.
  const first = errors.find((error) => !isBareKey(error, text, bareEnds));
  if (first !== undefined) findings.refuse(lineOf(first.offset), "", syntaxMessage(first, text));
  return first === undefined ? value : undefined;
}

function convert(node: Node, lineOf: (offset: number) => number, bareEnds: number[]): JsonValue {
  switch (node.type) {
    case "object": {
      const members = (node.children ?? []).flatMap((property): Member[] => {
        const [key, value] = property.children ?? [];
        if (key === undefined) return [];
        if (value === undefined) bareEnds.push(key.offset + key.length);
        const converted: JsonValue = value === undefined ? { kind: "bare" } : convert(value, lineOf, bareEnds);
        return [{ key: String(key.value), line: lineOf(key.offset), value: converted }];
      });
      return { kind: "object", members };
    }
    case "array":
      return { kind: "array", items: (node.children ?? []).map((item) => convert(item, lineOf, bareEnds)) };
    case "string":
      return { kind: "string", text: String(node.value) };
    case "number":
      return { kind: "number", number: Number(node.value) };
    case "boolean":
      return { kind: "boolean", flag: node.value === true };
    case "property":
    case "null":
      return { kind: "null" };
    default:
      return node.type satisfies never;
  }
}

/** The missing colon after a key that may stand alone: nothing but blanks up to a comma or the object's end. */
function isBareKey(error: ParseError, text: string, bareEnds: readonly number[]): boolean {
  if (printParseErrorCode(error.error) !== "ColonExpected" || !/[,}]/.test(text[error.offset] ?? "")) return false;
  return bareEnds.some((end) => {
    if (end > error.offset || !BLANK.test(text.slice(end, error.offset))) return false;
    const key = /"([^"]*)"$/.exec(text.slice(0, end))?.[1] ?? "";
    return BARE_KEY.test(key);
  });
}

function syntaxMessage(error: ParseError, text: string): string {
  const code = printParseErrorCode(error.error);
  const found = text.slice(error.offset, error.offset + Math.min(error.length, 20)).replaceAll(/\s+/g, " ");
  const at = found === "" ? "the end of the file" : `"${found}"`;
  const expected = EXPECTED.get(code);
  return expected === undefined ? `not JSON at ${at} (${code})` : `not JSON: ${expected} is expected at ${at}`;
}

const EXPECTED: ReadonlyMap<string, string> = new Map([
  ["PropertyNameExpected", "a key in quotes"],
  ["ValueExpected", "a value"],
  ["ColonExpected", "a colon"],
  ["CommaExpected", "a comma"],
  ["CloseBraceExpected", "a }"],
  ["CloseBracketExpected", "a ]"],
  ["EndOfFileExpected", "nothing more"],
  ["UnexpectedEndOfString", "the quote that ends the text"],
  ["UnexpectedEndOfComment", "the comment's end"],
]);

function lineFinder(text: string): (offset: number) => number {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return (offset) => {
    let [low, high] = [0, starts.length];
    // The last line that starts at or before the offset.
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return low + 1;
  };
}
