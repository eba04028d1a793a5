// Kernel operations: instructions of each kernel operation by itself, beside its twin, its target and the peer's figure; the
// same with more CPUs and more tasks; and what a task pays for a system call and a switch.
//
// Owner: none. Pairs with: image.ts and board-run.ts, which measure; targets.ts, which judges.
import { buildImage } from "./image.ts";
import { numberIn, readBoard, type Reading } from "./board-run.ts";
import { type GroupOutcome, type Section, targetText, verdictOf } from "./result.ts";
import { RATIO_TARGET, SWITCH_TARGET, type Target, TARGETS, TRAP_TARGET } from "./targets.ts";

/** CPUs of the main table. */
const HARTS = 4;
const HARTS_SCALED = [1, 2, 4, 8, 16] as const;
const DEPTHS_SCALED = [1, 32, 64] as const;
/** What is expected to stay the same; a steal from the last victim and one that finds nothing grow by design. */
const SCALED = ["enqueue", "pick-normal", "wake-here", "wake-there", "cpu-id", "change-class", "remove"] as const;
const GROWING = ["steal-best", "steal-worst", "steal-nothing"] as const;

const BODY =
  "Retired instructions of the exported function's body, without its call and return; fences and atomics count 1.";

/** The readings of one board by `operation@depth`. */
type Board = ReadonlyMap<string, Reading>;

export async function measureOperations(): Promise<GroupOutcome> {
  const boards = await readBoards([HARTS]);
  if (boards.kind !== "read") return boards;
  const board = boards.boards.get(HARTS) ?? new Map<string, Reading>();
  const figures: Record<string, number> = {};
  const rows = TARGETS.map((target) => operationRow(target, board, figures));
  const operations: Section = {
    title: `Operations, ${HARTS} CPUs`,
    note: `${BODY} Twin: the same algorithm in hand-written C, same compiler, same memory afterwards; at most ${RATIO_TARGET} times its cost is wanted. C: published figures of other designs (one lock or owner-only; a lock-free ring).`,
    header: ["operation", "kernel", "twin", "ratio", "", "target", "", "peer", "C"],
    rows,
  };
  return { kind: "measured", result: { sections: [operations, trapSection(board, figures)], figures } };
}

function operationRow(target: Target, board: Board, figures: Record<string, number>): string[] {
  const reading = readingOf(board, target.operation, target.depth);
  const kernel = numberIn(reading, "kernel");
  figures[`operations.${target.operation}@${target.depth}.kernel`] = kernel;
  const judged = [targetText(target.most), verdictOf(kernel, target.most), target.peer, target.c];
  if (!reading.has("twin")) return [target.title, `${kernel}`, "", "", "", ...judged];
  const twin = numberIn(reading, "twin");
  figures[`operations.${target.operation}@${target.depth}.twin`] = twin;
  const ratio = kernel / twin;
  return [target.title, `${kernel}`, `${twin}`, ratio.toFixed(2), verdictOf(ratio, RATIO_TARGET), ...judged];
}

/** The trap path is what a system call costs in U-mode, less what the kernel does between entry and exit. */
function trapSection(board: Board, figures: Record<string, number>): Section {
  const user = (name: string): number => numberIn(readingOf(board, `user:${name}`, 0), "count");
  const call = user("cpu-id-call");
  const body = numberIn(readingOf(board, "cpu-id-call", 0), "kernel");
  const counts: [string, number, number | undefined, string][] = [
    // The kernel's return is no part of its body, nor of the trap path's.
    ["trap entry and exit, everything saved", call - body - 1, TRAP_TARGET, "trap"],
    ["system call: own CPU's number", call, undefined, "call"],
    ["system call: yield, nobody else ready", user("yield-alone"), undefined, "yield-alone"],
    ["switch from task to task by yield", user("switch"), SWITCH_TARGET, "switch"],
  ];
  for (const [, count, , name] of counts) figures[`traps.${name}`] = count;
  return {
    title: "Traps, U-mode to U-mode",
    note: "Counted by user tasks, from before the ecall to after it; a switch enters another address space. xv6-riscv at -O2 takes 1218 for the switch.",
    header: ["what", "kernel", "target", ""],
    rows: counts.map(([title, count, most]) => [title, `${count}`, targetText(most), verdictOf(count, most)]),
  };
}

export async function measureScaling(): Promise<GroupOutcome> {
  const boards = await readBoards(HARTS_SCALED);
  if (boards.kind !== "read") return boards;
  const figures: Record<string, number> = {};
  const cell = (harts: number, operation: string, depth: number): string => {
    const board = boards.boards.get(harts);
    const reading = board?.get(`${operation}@${depth}`) ?? board?.get(`${operation}@${depth === 64 ? 63 : 0}`);
    if (reading === undefined) return "";
    figures[`scaling.${operation}.harts=${harts}.depth=${depth}`] = numberIn(reading, "kernel");
    return reading.get("kernel") ?? "";
  };
  const row = (operation: string): string[] => {
    const byHarts = HARTS_SCALED.map((harts) => cell(harts, operation, 1));
    const byDepth = DEPTHS_SCALED.map((depth) => cell(HARTS, operation, depth));
    const all = new Set([...byHarts, ...byDepth].filter((one) => one !== ""));
    return [operation, ...byHarts, ...byDepth, all.size === 1 ? "constant" : `${all.size} values`];
  };
  const section: Section = {
    title: "What is constant",
    note: "The same bodies with 1 to 16 CPUs and one task queued, then with 1, 32 and 64 (a push: 63) tasks queued on 4 CPUs. A steal looks at each CPU once.",
    header: [
      "operation",
      ...HARTS_SCALED.map((one) => `${one} CPU${one === 1 ? "" : "s"}`),
      ...DEPTHS_SCALED.map((one) => `${one} task${one === 1 ? "" : "s"}`),
      "",
    ],
    rows: [...SCALED, ...GROWING].map(row),
  };
  return { kind: "measured", result: { sections: [section], figures } };
}

type Boards = { kind: "read"; boards: Map<number, Board> } | Exclude<GroupOutcome, { kind: "measured" }>;

async function readBoards(counts: readonly number[]): Promise<Boards> {
  const image = await buildImage("operations");
  if (image.kind === "missing-tool") return image;
  if (image.kind === "refused") return { kind: "failed", message: image.lines[0] ?? "the image cannot be built" };
  const boards = new Map<number, Board>();
  for (const harts of counts) {
    const outcome = await readBoard({ elf: image.elf, harts });
    if (outcome.kind !== "read") return outcome;
    boards.set(harts, new Map(outcome.readings.map((reading) => [keyOf(reading), reading])));
  }
  return { kind: "read", boards };
}

function keyOf(reading: Reading): string {
  const user = reading.get("user");
  return user === undefined ? `${reading.get("operation")}@${reading.get("depth")}` : `user:${user}@0`;
}

function readingOf(board: Board, operation: string, depth: number): Reading {
  const reading = board.get(`${operation}@${depth}`);
  if (reading === undefined) throw new Error(`the benchmark's image printed nothing of ${operation} at depth ${depth}`);
  return reading;
}
