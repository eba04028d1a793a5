// Compare: holds what the explorer finds in a program against what the interpreter finds.
//
// Kinds of faults: the explorer stops at its first, which must be one of the interpreter's; where the interpreter has none,
// the explorer must pass. Final memories: as many, and with the same bytes, by the sum that the explorer keeps of them.
// Counterexamples: each replays, as it comes back from a file.
// Owner: none. Pairs with: interpret.ts, encode-program.ts, configurations.ts, program-shrink.ts.

import type { Layout } from "../instrument/engine-layout.ts";
import type { Ending } from "../explore.ts";
import { decide } from "../explore.ts";
import { parseCounterexample } from "../report/counterexample.ts";
import { counterexampleOf } from "../report/counterexample-search.ts";
import { replay } from "../report/replay.ts";
import type { Found, Session } from "../search/session.ts";
import { decodeSearch, encodeSearch } from "../search/resume.ts";
import type { Target } from "../program/target.ts";
import { ALL_REDUCTIONS } from "../program/reductions.ts";
import type { AbstractProgram } from "./ast.ts";
import type { Configuration } from "./configurations.ts";
import { configurationsFor } from "./configurations.ts";
import { encode, functionName } from "./encode-program.ts";
import type { Meaning, Surroundings } from "./interpret.ts";
import { interpret } from "./interpret.ts";
import { memorySum } from "./memory-sum.ts";

export type Comparison =
  | { readonly kind: "agree"; readonly states: number; readonly found: string }
  /** Too many interleavings for the interpreter. */
  | { readonly kind: "too-large" }
  | { readonly kind: "mismatch"; readonly configuration: string; readonly what: string };

export interface CompareOptions {
  readonly statesMax: number;
  /** The worker's module; without it no configuration has several workers. */
  readonly workerModule?: URL;
  /** Default: those that are due for the program's seed. */
  readonly configurations?: readonly Configuration[];
}

/** Little, because allocating is most of what a small search costs. */
const LOG_BYTES = 2 ** 19;
const TABLE_BYTES = 2 ** 18;
/** For configurations that go through every interleaving one by one. */
const SMALL_STATES = 60;
const SMALL_TRANSITIONS = 100_000;

export async function compare(program: AbstractProgram, options: CompareOptions): Promise<Comparison> {
  const wasm = encode(program);
  const target = targetOf(program, wasm);
  const configurations = options.configurations ?? configurationsFor(program.seed, options.workerModule !== undefined);
  let meaning: Meaning | undefined;
  for (const configuration of configurations) {
    // What goes through every interleaving one by one is for small programs.
    if (configuration.needsSmall && (!meaning || !isSmall(program, meaning))) continue;
    const { outcome, layout } = await ask(askedFor(target, configuration), configuration, options);
    meaning ??= interpret(program, surroundingsIn(program, layout, options.statesMax));
    if (!meaning) return { kind: "too-large" };
    const what = differenceIn(program, configuration, meaning, outcome, layout);
    if (what !== undefined) return { kind: "mismatch", configuration: configuration.name, what };
  }
  if (!meaning) throw new Error("no configuration is asked for");
  const found = [...expectedKinds(meaning, true)].toSorted().join("+") || "passed";
  return { kind: "agree", states: meaning.states, found };
}

function surroundingsIn(program: AbstractProgram, layout: Layout, statesMax: number): Surroundings {
  const threadLocals = Array.from({ length: program.threads.length + 1 }, (_, thread) => layout.threadLocals(thread));
  return { threadLocals, pagesEnd: layout.modulePages * 65536, statesMax };
}

function targetOf(program: AbstractProgram, wasm: Uint8Array): Target {
  const named = (index: number | undefined): string | undefined =>
    index === undefined ? undefined : functionName(index);
  return {
    wasm,
    threads: program.threads.map(({ callee, args }) => ({ function: functionName(callee), args })),
    init: named(program.init),
    invariant: named(program.invariant),
    final: named(program.final),
    logBytes: LOG_BYTES,
  };
}

/** With plain accesses as steps an invariant is asked between them, too, and races are not judged: neither is compared. */
const judgesRaces = ({ reductions }: Configuration): boolean => reductions.plainInStep !== false;

function askedFor(target: Target, configuration: Configuration): Target {
  const reductions = { ...ALL_REDUCTIONS, ...configuration.reductions };
  return { ...target, reductions, ...(judgesRaces(configuration) ? {} : { invariant: undefined }) };
}

function expectedKinds(meaning: Meaning, judgesAll: boolean): ReadonlySet<string> {
  const kinds = new Set<string>(meaning.kinds);
  if (!judgesAll) for (const kind of ["race", "mixed-width", "invariant"]) kinds.delete(kind);
  if (kinds.size === 0 && meaning.livelock) kinds.add("livelock");
  return kinds;
}

/** What is not the same, as a line; undefined: nothing. */
function differenceIn(
  program: AbstractProgram,
  configuration: Configuration,
  meaning: Meaning,
  outcome: Outcome,
  layout: Layout,
): string | undefined {
  const expected = expectedKinds(meaning, judgesRaces(configuration));
  const wanted = expected.size === 0 ? "passed" : [...expected].toSorted().join(" or ");
  switch (outcome.kind) {
    case "unknown":
      return outcome.reason === "transitions" ? undefined : `incomplete: ${outcome.reason}`;
    case "violated":
      if (!expected.has(outcome.found)) return `the explorer finds ${outcome.found}, the interpreter ${wanted}`;
      if (outcome.replayed.kind === "fails") return `${outcome.found} does not replay: ${outcome.replayed.reason}`;
      if (expected.has(outcome.replayed.violation)) return undefined;
      return `the counterexample shows ${outcome.replayed.violation}, the interpreter finds ${wanted}`;
    case "passed":
      if (expected.size > 0) return `the explorer passes, the interpreter finds ${wanted}`;
      return finalsDifference(program, meaning, outcome.finals, layout);
    default:
      return outcome satisfies never;
  }
}

function finalsDifference(
  program: AbstractProgram,
  meaning: Meaning,
  finals: ReadonlySet<string>,
  { userBase }: Layout,
): string | undefined {
  const sums = new Set([...meaning.finals.values()].map((final) => memorySum(final, meaning, userBase, program.pages)));
  const missing = [...sums].filter((sum) => !finals.has(sum)).length;
  const extra = [...finals].filter((sum) => !sums.has(sum)).length;
  if (missing + extra === 0) return undefined;
  return `of ${sums.size} final memories the explorer misses ${missing}, and has ${extra} others`;
}

/** Few states, and no way back: an enumeration of all interleavings ends. */
function isSmall(program: AbstractProgram, meaning: Meaning): boolean {
  return meaning.states <= SMALL_STATES && !meaning.livelock && !hasAwait(program);
}

/** Does a loop go round for as long as others leave it to? Then an enumeration of interleavings has no end. */
function hasAwait({ functions }: AbstractProgram): boolean {
  return JSON.stringify(functions, (_, value: unknown) => (typeof value === "bigint" ? "" : value)).includes(
    '"kind":"await"',
  );
}

type Outcome =
  | { readonly kind: "passed"; readonly finals: ReadonlySet<string> }
  | { readonly kind: "violated"; readonly found: string; readonly replayed: Replayed }
  | { readonly kind: "unknown"; readonly reason: string };

/** Asks until there is an answer, where the configuration stops the search now and then. */
async function ask(
  target: Target,
  configuration: Configuration,
  options: CompareOptions,
): Promise<{ readonly outcome: Outcome; readonly layout: Layout }> {
  const { workers, transitionsMax, walks = 0, needsSmall } = configuration;
  const finals = new Set<string>();
  const stops = transitionsMax ?? (needsSmall ? SMALL_TRANSITIONS : undefined);
  let resume: Parameters<typeof decide>[1] = {};
  for (let part = 0; ; part++) {
    // A search that was begun by several goes on with one.
    const several = workers > 1 && part === 0 && options.workerModule !== undefined;
    const { session, ending } = await decide(target, {
      walks,
      shortest: false,
      collectFinals: true,
      memoryMax: TABLE_BYTES,
      ...(several ? { workers, workerModule: options.workerModule } : {}),
      ...(stops === undefined ? {} : { transitionsMax: stops }),
      ...resume,
    });
    for (const final of session.finals ?? []) finals.add(final);
    const outcome = outcomeOf(session, ending, finals);
    const left = ending.kind === "incomplete" ? ending.unfinished : undefined;
    if (outcome.kind !== "unknown" || transitionsMax === undefined || !left || outcome.reason !== "transitions")
      return { outcome, layout: session.program.layout };
    const read = decodeSearch(encodeSearch(left));
    if (!read) throw new Error("a search that was saved just now cannot be read");
    resume = { resume: read };
  }
}

function outcomeOf(session: Session, ending: Ending, finals: ReadonlySet<string>): Outcome {
  switch (ending.kind) {
    case "none":
      return { kind: "passed", finals };
    case "violated":
      return { kind: "violated", found: ending.found.violation.kind, replayed: replayedOf(session, ending.found) };
    case "incomplete":
      return { kind: "unknown", reason: ending.reason };
    default:
      return ending satisfies never;
  }
}

type Replayed =
  /** The state before the threads begin is judged in a counterexample only: what is wrong there is shown in place of what was found. */
  { readonly kind: "shows"; readonly violation: string } | { readonly kind: "fails"; readonly reason: string };

/** Makes the counterexample of a violation, and replays it as it comes back from a file. */
function replayedOf(session: Session, found: Found): Replayed {
  const parsed = parseCounterexample(JSON.stringify(counterexampleOf(session, found)));
  if (parsed.kind === "bad") return { kind: "fails", reason: parsed.reason };
  const outcome = replay(parsed.counterexample, session.target.wasm);
  switch (outcome.kind) {
    case "reproduced":
      return { kind: "shows", violation: outcome.violation.kind };
    case "diverged":
      return { kind: "fails", reason: `step ${outcome.step}: ${outcome.reason}` };
    case "different":
      return { kind: "fails", reason: `it ends with ${outcome.violation?.kind ?? "nothing wrong"}` };
    default:
      return outcome satisfies never;
  }
}
