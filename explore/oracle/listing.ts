// Listing: an abstract program as text, for people who look at a mismatch.
//
// Owner: none, pure. Pairs with: ast.ts, oracle-run.ts.

import type { AbstractProgram, Expression, FunctionBody, Statement } from "./ast.ts";

export function listing(program: AbstractProgram): string {
  const lines: string[] = [];
  const role = (index: number): string => {
    const roles = (["start", "init", "invariant", "final"] as const).filter((name) => program[name] === index);
    const threads = program.threads.flatMap(({ callee, args }, thread) =>
      callee === index ? [`thread ${thread} (${args.join(", ")})`] : [],
    );
    return [...roles, ...threads].join(", ");
  };
  const { pages, pagesMax, threadLocalBytes } = program;
  lines.push(
    `pages ${pages} to ${pagesMax}, thread-local bytes ${threadLocalBytes}, table ${JSON.stringify(program.table)}`,
  );
  for (const [index, body] of program.functions.entries()) {
    if (role(index) === "" && !isReached(program, index)) continue;
    lines.push(`f${index}: ${role(index)}`, ...functionLines(body));
  }
  return lines.join("\n");
}

const isReached = ({ functions }: AbstractProgram, index: number): boolean =>
  JSON.stringify(functions, (_, value: unknown) => (typeof value === "bigint" ? Number(value) : value)).includes(
    `"callee":${index}`,
  );

function functionLines({ signature, body, results }: FunctionBody): string[] {
  const lines = [`  (${signature.params.join(", ")}) -> (${signature.results.join(", ")})`];
  for (const statement of body) lines.push(...statementLines(statement, "  "));
  if (results.length > 0) lines.push(`  = ${results.map(expressionText).join(", ")}`);
  return lines;
}

const listsOf = (statement: Statement): readonly (readonly Statement[])[] => {
  switch (statement.kind) {
    case "if":
      return [statement.yes, statement.no];
    case "switch":
      return statement.cases;
    case "block":
    case "repeat":
    case "hold":
      return [statement.body];
    default:
      return [];
  }
};

function statementLines(statement: Statement, indent: string): string[] {
  const lines = [`${indent}${nodeText(statement)}`];
  for (const [at, list] of listsOf(statement).entries()) {
    if (at > 0) lines.push(`${indent}or`);
    for (const inner of list) lines.push(...statementLines(inner, `${indent}  `));
  }
  return lines;
}

function expressionText(node: Expression): string {
  if (node.kind === "constant") return `${node.type === "i32" ? BigInt.asIntN(32, node.value) : node.value}`;
  if (node.kind === "local") return `${node.type === "i32" ? "x" : "y"}${node.index}`;
  return `(${nodeText(node)})`;
}

/** The kind, then each field: numbers by name, expressions as they are. */
function nodeText(node: Statement | Expression): string {
  const parts: string[] = [node.kind];
  for (const [field, value] of Object.entries(node) as [string, unknown][]) {
    if (field === "kind" || field === "type") continue;
    const text = fieldText(field, value);
    if (text !== "") parts.push(text);
  }
  return parts.join(" ");
}

const isTree = (value: unknown): value is object => typeof value === "object" && value !== null;

function fieldText(field: string, value: unknown): string {
  if (field === "place" && isTree(value)) {
    const { address, offset } = value as { address: Expression; offset: number };
    return `[${expressionText(address)}${offset === 0 ? "" : ` + ${offset}`}]`;
  }
  if (Array.isArray(value)) {
    if (field === "args") return `(${(value as Expression[]).map(expressionText).join(", ")})`;
    return field === "into" ? `into ${value.join()}` : "";
  }
  if (isTree(value)) return "kind" in value ? expressionText(value as Expression) : "";
  if (typeof value === "string") return value;
  return typeof value === "boolean" ? (value ? field : "") : `${field} ${String(value)}`;
}
