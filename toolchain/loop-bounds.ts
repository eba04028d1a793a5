// Loop bounds: how often each loop of an artifact can turn, proven where a counter meets a constant, else stated by
// the author in a comment on the loop's line or above it:
//
//   // bound: RING_CAPACITY, because each turn takes one entry and nobody adds any.
//   while (…) {
//
// A loop with neither is refused. What is proven: a local that starts at a constant, is changed once a turn by a
// constant, by nothing else, and is compared with a constant at the loop's head. A stated bound is trusted as it
// stands; the explorer is what meets a wrong one.
//
// Owner: none, pure functions over a debug build, where a loop in the source is one loop in the wasm.
// Clauses: "loop bounds proven at build time" (design.md), C4, S4. Pairs with: wasm/source-map.ts, build.ts.
import { placeNear, type SourceMap } from "../wasm/source-map.ts";
import type { Instruction } from "../wasm/module.ts";
import { I32, isBlock, Op } from "../wasm/opcodes.ts";
import { type ArtifactModule, type DefinedFunction, readArtifactModule } from "./artifact-module.ts";

export interface LoopReport {
  functionName: string;
  file: string;
  line: number;
  bound: { kind: "proven"; turns: number } | { kind: "stated"; text: string } | { kind: "unknown" };
}

/** The i32 that an instruction is known to leave, or null. */
type Constants = (one: Instruction | undefined) => number | null;

function constantsOf(module: ArtifactModule): Constants {
  return (one) => {
    if (one?.op === Op["i32.const"]) return Number(one.value);
    const global = one?.op === Op["global.get"] ? module.wasm.globals[one.a] : undefined;
    const isConstant = global?.type === I32 && !global.mutable && global.imported === undefined;
    return isConstant ? Number(global.initial) : null;
  };
}

/** The loops of the functions that are not AssemblyScript's library. texts: source text by file name. */
export function reportLoops(wasm: Uint8Array, map: SourceMap, texts: ReadonlyMap<string, string>): LoopReport[] {
  const reports: LoopReport[] = [];
  const module = readArtifactModule(wasm);
  const constantOf = constantsOf(module);
  for (const fn of module.functions) {
    if (fn.kind === "imported" || fn.name.startsWith("~lib/")) continue;
    const offsets = fn.body.map((one) => one.start);
    fn.body.forEach((one, head) => {
      if (one.op !== Op.loop) return;
      const turns = provenTurns(fn, head, constantOf);
      const place = placeNear(map, offsets, fn.body[head + 1]?.start ?? one.start);
      const lines = (texts.get(place?.file ?? "") ?? "").split("\n");
      const line = loopLine(lines, place?.line ?? 0);
      const text = statedBound(lines, line);
      const stated = text === null ? ({ kind: "unknown" } as const) : ({ kind: "stated", text } as const);
      const bound = turns === null ? stated : ({ kind: "proven", turns } as const);
      reports.push({ functionName: fn.name, file: place?.file ?? "?", line, bound });
    });
  }
  return reports;
}

/** One line for each loop without a bound. */
export function refuseUnbounded(loops: LoopReport[]): string[] {
  return loops
    .filter((loop) => loop.bound.kind === "unknown")
    .map(
      (loop) =>
        `${loop.file}:${loop.line}: ${loop.functionName}: a loop without a bound; count against a constant, or say "// bound: …, because …" above it`,
    );
}

/** The line of the loop's keyword, at or above that of the first thing that the loop does. */
function loopLine(lines: string[], from: number): number {
  for (let line = from; line > 0; line--) if (/\b(for|while|do)\b\s*[({]/.test(code(lines[line - 1]))) return line;
  return from;
}

/** A line of the source without its comment. */
function code(line: string | undefined): string {
  return (line ?? "").replace(/^\s*(\/?\*|\/\/).*|\/\/.*$/, "");
}

/** The comment's text, from the loop's own line or the comment lines right above it; null without any. */
function statedBound(lines: string[], line: number): string | null {
  const beside = /\/\/ bound: *(\S.*)$/.exec(lines[line - 1] ?? "")?.[1];
  if (beside !== undefined) return beside.trim();
  const comments: string[] = [];
  for (let above = line - 1; above > 0 && /^\s*\/\//.test(lines[above - 1] ?? ""); above--)
    comments.unshift((lines[above - 1] ?? "").replace(/^\s*\/\/ ?/, ""));
  const text = /(?:^|\n)bound: *(\S[^]*)$/.exec(comments.join("\n"))?.[1];
  return text === undefined ? null : text.replace(/\n/g, " ").trim();
}

const STEP_COMPARISONS: ReadonlyMap<number, (limit: number, start: number, step: number) => number | null> = new Map([
  [Op["i32.lt_s"], (limit, start, step) => (step > 0 ? Math.ceil((limit - start) / step) : null)],
  [Op["i32.le_s"], (limit, start, step) => (step > 0 ? Math.ceil((limit + 1 - start) / step) : null)],
  [Op["i32.gt_s"], (limit, start, step) => (step < 0 ? Math.ceil((start - limit) / -step) : null)],
  [Op["i32.ge_s"], (limit, start, step) => (step < 0 ? Math.ceil((start - limit + 1) / -step) : null)],
  [
    Op["i32.lt_u"],
    (limit, start, step) => (step > 0 && start >= 0 && limit >= 0 ? Math.ceil((limit - start) / step) : null),
  ],
]);

/**
 * Turns of `start; loop { counter compared with a constant; if { …; counter += step; br loop } }`, or null.
 * head: index of the loop instruction.
 */
function provenTurns({ body }: DefinedFunction, head: number, constantOf: Constants): number | null {
  const [get, limit, compare, guard] = body.slice(head + 1, head + 5);
  const turnsOf = STEP_COMPARISONS.get(compare?.op ?? -1);
  const bound = constantOf(limit);
  if (get?.op !== Op["local.get"] || bound === null || turnsOf === undefined || guard?.op !== Op.if) return null;
  const counter = get.a;
  const start = constantBefore(body, head, counter, constantOf);
  const end = body[head]?.match ?? body.length;
  const writes = indicesOf(body, head, end, (one) => isWrite(one, counter));
  const back = branchesTo(body, head, end);
  if (start === null || writes.length !== 1 || back.length !== 1) return null;
  const [write = 0, jump = 0] = [writes[0], back[0]];
  const step = stepAt(body, write, counter, constantOf);
  // The one jump back stands right behind the one step, so no turn goes without it.
  if (step === null || jump !== write + 1 || body[jump]?.op !== Op.br) return null;
  const turns = turnsOf(bound, start, step);
  // A sum past the largest number would start again from the smallest.
  const last = start + step * (turns ?? 0);
  return turns === null || last > 0x7fffffff || last < -0x80000000 ? null : Math.max(turns, 0);
}

/** The constant that the counter holds when the loop begins, from the instructions right before it. */
function constantBefore(
  body: readonly Instruction[],
  head: number,
  counter: number,
  constantOf: Constants,
): number | null {
  // A loop with a break stands in a block of its own.
  const before = body.slice(0, head).findLastIndex((one) => one.op !== Op.block);
  const set = body[before];
  return set?.op === Op["local.set"] && set.a === counter ? constantOf(body[before - 1]) : null;
}

function stepAt(body: readonly Instruction[], write: number, counter: number, constantOf: Constants): number | null {
  const [get, amount, operation] = body.slice(Math.max(write - 3, 0), write);
  const by = constantOf(amount);
  if (get?.op !== Op["local.get"] || get.a !== counter || by === null) return null;
  if (operation?.op === Op["i32.add"]) return by;
  return operation?.op === Op["i32.sub"] ? -by : null;
}

function isWrite(one: Instruction, local: number): boolean {
  return (one.op === Op["local.set"] || one.op === Op["local.tee"]) && one.a === local;
}

function indicesOf(
  body: readonly Instruction[],
  from: number,
  to: number,
  matches: (one: Instruction) => boolean,
): number[] {
  const found: number[] = [];
  for (let i = from; i < to; i++) if (body[i] !== undefined && matches(body[i] as Instruction)) found.push(i);
  return found;
}

/** The branches within a loop that go back to its head. */
function branchesTo(body: readonly Instruction[], head: number, end: number): number[] {
  const found: number[] = [];
  let depth = -1;
  for (let i = head; i < end; i++) {
    const one = body[i];
    if (one === undefined) break;
    if (isBlock(one.op)) depth++;
    else if (one.op === Op.end) depth--;
    else if (labelsOf(one).includes(depth)) found.push(i);
  }
  return found;
}

/** The labels that a branch may go to. */
function labelsOf({ op, a, targets }: Instruction): readonly number[] {
  return op === Op.br || op === Op.br_if ? [a] : (targets ?? []);
}
