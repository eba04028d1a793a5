// Program shrink: from a program with a mismatch to a smaller one that still has one.
//
// Greedy: statements are left out or replaced by what they contain, expressions by 0 or by a part of their type, threads and
// checks left out, for as long as the mismatch stays. What is no valid program any more does not count.
// Owner: none. Pairs with: ast.ts, oracle-run.ts.

import type { AbstractProgram, Statement } from "./ast.ts";

/** Does the candidate still show what is looked for? */
export type StillFails = (program: AbstractProgram) => Promise<boolean>;

const CANDIDATES_MAX = 3000;

export async function shrink(
  program: AbstractProgram,
  stillFails: StillFails,
  candidatesMax = CANDIDATES_MAX,
): Promise<AbstractProgram> {
  let best = program;
  let left = candidatesMax;
  for (let improved = true; improved && left > 0;) {
    improved = false;
    for (const candidate of smaller(best)) {
      if (left-- <= 0) break;
      if (!(await holds(candidate, stillFails))) continue;
      best = candidate;
      improved = true;
      break;
    }
  }
  return best;
}

async function holds(candidate: AbstractProgram, stillFails: StillFails): Promise<boolean> {
  try {
    return await stillFails(candidate);
  } catch {
    // A break without its block, a call without its function.
    return false;
  }
}

function* smaller(program: AbstractProgram): Generator<AbstractProgram> {
  for (const at of program.threads.keys())
    if (program.threads.length > 1) yield { ...program, threads: program.threads.toSpliced(at, 1) };
  for (const check of ["start", "init", "invariant", "final"] as const)
    if (program[check] !== undefined) yield { ...program, [check]: undefined };
  if (program.pagesMax > program.pages) yield { ...program, pagesMax: program.pagesMax - 1 };
  for (const [at, body] of program.functions.entries())
    for (const variant of variants(body.body))
      yield { ...program, functions: program.functions.with(at, { ...body, body: variant as readonly Statement[] }) };
}

const STATEMENTS: ReadonlySet<string> = new Set<Statement["kind"]>([
  "set",
  "set-global",
  "store",
  "atomic-store",
  "drop",
  "fence",
  "if",
  "repeat",
  "await",
  "block",
  "break",
  "switch",
  "call-many",
  "hold",
  "fold",
  "fill",
  "copy",
  "init",
  "drop-segment",
  "trap",
  "abort",
  "return",
]);

type Node = Readonly<Record<string, unknown>> & { readonly kind: string };

const isNode = (tree: unknown): tree is Node => typeof tree === "object" && tree !== null && "kind" in tree;
const isStatement = (tree: unknown): boolean => isNode(tree) && STATEMENTS.has(tree.kind);

/** Trees with one place made smaller. */
function* variants(tree: unknown): Generator<unknown> {
  if (Array.isArray(tree)) yield* listVariants(tree as readonly unknown[]);
  else if (isNode(tree)) {
    yield* replacements(tree);
    for (const [field, value] of Object.entries(tree))
      for (const variant of variants(value)) yield { ...tree, [field]: variant };
  } else if (typeof tree === "object" && tree !== null)
    for (const [field, value] of Object.entries(tree))
      for (const variant of variants(value)) yield { ...tree, [field]: variant };
}

function* listVariants(list: readonly unknown[]): Generator<unknown> {
  for (const [at, item] of list.entries()) {
    if (isStatement(item)) {
      yield list.toSpliced(at, 1);
      for (const inner of listsIn(item)) yield list.toSpliced(at, 1, ...inner);
    }
    for (const variant of variants(item)) yield list.with(at, variant);
  }
}

/** The statement lists within a statement. */
function listsIn(statement: unknown): unknown[][] {
  if (!isNode(statement)) return [];
  const lists = [statement["yes"], statement["no"], statement["body"], ...((statement["cases"] ?? []) as unknown[])];
  return lists.filter((list): list is unknown[] => Array.isArray(list) && list.length > 0);
}

/** What an expression may be replaced by: 0, or a part of the same type. */
function* replacements(node: Node): Generator<unknown> {
  const { type } = node;
  if (isStatement(node)) {
    if (node.kind === "repeat" && node["times"] !== 1) yield { ...node, times: 1 };
    return;
  }
  if (node.kind !== "constant") yield { kind: "constant", type, value: 0n };
  else if (node["value"] !== 0n && node["value"] !== 1n) yield { ...node, value: 1n };
  for (const part of Object.values(node)) if (isNode(part) && part["type"] === type) yield part;
}
