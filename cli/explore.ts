// hartbeat explore: every interleaving of a WebAssembly module with threads. Parses, calls the explorer, prints.

import { createHash } from "node:crypto";
import { type Command, InvalidArgumentError, Option } from "commander";
import { certificatePage } from "../explore/report/certificate-page.ts";
import { certificateOf } from "../explore/report/certificate.ts";
import type { Exploration } from "../explore/exploration.ts";
import { renderCounterexample } from "../explore/report/render.ts";
import { decodeSearch, searchParts } from "../explore/search/resume.ts";
import { ALL_REDUCTIONS, type Reductions } from "../explore/program/reductions.ts";
import type { Target, ThreadSpec } from "../explore/program/target.ts";
import { parseCount, parseSeed, parseSize, parseWhole } from "./argument.ts";
import { saveCounterexample } from "./counterexample-file.ts";
import type { CommandEnding } from "./exit-code.ts";
import type { Explorer, PlainOptions } from "./exploration-thread.ts";
import { explorationProgress } from "./exploration-progress.ts";
import { EXPLORATION_FORMAT, type Kept, endedRecord, formatReason, summaryLines } from "./exploration-report.ts";
import { exploreKernel } from "./explore-kernel.ts";
import { readIfThere, readInput } from "./input-file.ts";
import { writeParts, writeWhole } from "./output-file.ts";
import { watchInterruption } from "./interruption.ts";
import { sessionFolder } from "./run-folder.ts";
import { paint } from "./paint.ts";
import { addThread, formatThread } from "./thread-argument.ts";
import { join } from "node:path";

export interface ExploreFlags {
  readonly thread?: readonly ThreadSpec[];
  readonly init?: string;
  readonly invariant?: string;
  readonly final?: string;
  readonly strategy?: NonNullable<PlainOptions["strategy"]>;
  readonly preemptions?: number;
  readonly walks?: number;
  readonly seed?: number;
  readonly steps?: number;
  readonly workers?: number;
  readonly memory?: number;
  readonly transitions?: number;
  readonly plainLoops?: number;
  readonly without?: readonly (keyof Reductions)[];
  readonly races: boolean;
  readonly sourceMap?: string;
  readonly save?: string;
  readonly certificate?: readonly string[];
  readonly saveSearch?: string;
  readonly resume?: string;
  readonly plain?: true;
  readonly json?: true;
  /** true: all scenarios. */
  readonly kernel?: true | readonly string[];
  readonly fast?: true;
  readonly full?: true;
  readonly clauses?: true;
  readonly operations?: true;
}

const EXAMPLES = `
Each thread is an exported function that runs in an instance of its own over the one memory; arguments are integers:
--thread worker:0 --thread worker:1. The checks are exported functions that return 0 for "holds". An interrupted or
bounded search is kept and can be resumed, by any number of workers.

--memory bounds what the phase at hand keeps of states: the table of the search or of the livelock pass (1G: 47 million
states), or table and snapshots of the shortest schedule. Past it a search is incomplete and kept, and a counterexample
is reported as it was found. Besides: half as much while a table grows and for the livelock pass's open states, 12 bytes a
state while a search is saved or after it was resumed, and at least 17M for each worker's engine.

Examples:
  hartbeat explore lock.wasm --thread worker --thread worker --final counted
  hartbeat explore queue.wasm --init init --thread producer:1 --thread consumer --invariant ordered --workers 2
  hartbeat explore --kernel --fast --clauses
  hartbeat explore big.wasm --thread a --thread b --strategy random --walks 100000 --seed 7

Exit codes: 0 every interleaving passed, 1 a counterexample, 2 usage, 5 incomplete, 130 interrupted.`;

export function addExplore(program: Command, explorer: Explorer, end: (ending: CommandEnding) => void): void {
  const number = (flag: string, description: string, parse: (text: string) => number): Option =>
    new Option(flag, description).argParser(parse);
  program
    .command("explore")
    .description("visit every state that the threads of a WebAssembly module can reach together")
    .argument("[module]", "the module: wasm32 with threads, from any compiler")
    .addOption(
      new Option("--thread <function[:arguments]>", "run this export as a thread; once for each").argParser(addThread),
    )
    .option("--init <function>", "run this export first, alone")
    .option("--invariant <function>", "must return 0 in every state")
    .option("--final <function>", "must return 0 in every end state")
    .addOption(
      new Option("--strategy <strategy>", "how to search; only the first proves (default: exhaustive)").choices([
        "exhaustive",
        "preemptions",
        "random",
      ]),
    )
    .addOption(number("--preemptions <count>", "only schedules with at most so many preemptions", parseWhole))
    .addOption(number("--walks <count>", "random walks to make, before the search or instead of it", parseWhole))
    .addOption(number("--seed <seed>", "which random walks (default: 1)", parseSeed))
    .addOption(
      number("--steps <count>", "a thread that takes more atomic steps is a fault; shows the worst", parseCount),
    )
    .addOption(number("--workers <count>", "search with so many cores (default: 1)", parseCount))
    .addOption(
      number(
        "--memory <size>",
        "for the states of the phase at hand; past it the search is kept (default: 1G)",
        parseSize,
      ),
    )
    .addOption(number("--transitions <count>", "stop a phase after so many; kernel: in each scenario", parseCount))
    .addOption(
      number(
        "--plain-loops <count>",
        "iterations of plain loops that one step may take; past them the search is incomplete (default: 100000)",
        parseCount,
      ),
    )
    .addOption(new Option("--without <reductions>", "search without these, by comma").argParser(parseReductions))
    .option("--no-races", "do not look for data races")
    .option("--source-map <file>", "source map of the module (default: the module's name with .map, where it is)")
    .option("--save <file>", "where a counterexample goes (default: .hartbeat/runs/<id>/counterexample.json)")
    .addOption(
      new Option(
        "--certificate <file>",
        "what was shown, where it passed: .json for programs, .html for people; may be repeated",
      ).argParser(addCertificate),
    )
    .option("--save-search <file>", "where a search that stopped goes (default: .hartbeat/runs/<id>/search.bin)")
    .option("--resume <file>", "go on with a search that stopped; kernel: with a run, by its folder")
    .option("--plain", "show plain accesses too, not only the atomic one of each step")
    .option("--json", "one versioned object a line")
    .option("--kernel [scenarios...]", "instead of a module: these scenarios of the kernel that boots, or all")
    .option("--fast", "kernel: small bounds, seconds each (the default)")
    .option("--full", "kernel: large bounds, minutes in all")
    .option("--clauses", "kernel: say which scenarios cover which clause of the contract")
    .option("--operations", "kernel: say how many atomic accesses one call of each operation takes at worst")
    .addHelpText("after", EXAMPLES)
    .action(async (module: string | undefined, flags: ExploreFlags) =>
      end(await exploreAsked(module, flags, explorer)),
    );
}

async function exploreAsked(
  module: string | undefined,
  flags: ExploreFlags,
  explorer: Explorer,
): Promise<CommandEnding> {
  const conflict = (flags.kernel === undefined ? conflictOf(flags) : null) ?? kernelConflictOf(module, flags);
  if (conflict !== null) return { kind: "usage", message: conflict };
  if (flags.kernel !== undefined) {
    return exploreKernel(flags.kernel === true ? [] : flags.kernel, {
      tier: flags.full ? "full" : "fast",
      jobs: flags.workers ?? 1,
      ...(flags.memory === undefined ? {} : { memory: flags.memory }),
      ...(flags.transitions === undefined ? {} : { transitions: flags.transitions }),
      ...(flags.resume === undefined ? {} : { resume: flags.resume }),
      clauses: flags.clauses === true,
      operations: flags.operations === true,
      json: flags.json === true,
    });
  }
  if (module === undefined) return { kind: "usage", message: "name a module, as in hartbeat explore MODULE.wasm" };
  return exploreModule(module, flags, explorer);
}

/** Flags that belong to a module, and those that belong to the kernel. */
function kernelConflictOf(module: string | undefined, flags: ExploreFlags): string | null {
  if (flags.kernel === undefined) {
    const astray = (["fast", "full", "clauses", "operations"] as const).find((name) => flags[name]);
    return astray === undefined ? null : `--${astray} belongs to --kernel`;
  }
  if (module !== undefined)
    return `--kernel explores the kernel's own artifact; leave ${module} out (scenarios stand right after --kernel)`;
  if (flags.fast && flags.full) return "--fast and --full exclude each other";
  if (flags.resume !== undefined && (flags.kernel !== true || flags.fast || flags.full))
    return "--resume knows its scenarios and its tier; leave the names, --fast and --full out";
  const known = new Set([
    "kernel",
    "fast",
    "full",
    "clauses",
    "operations",
    "workers",
    "memory",
    "transitions",
    "resume",
    "json",
    "races",
  ]);
  const astray = Object.entries(flags).find(([name, value]) => !known.has(name) && value !== undefined);
  return astray === undefined && flags.races
    ? null
    : `--${astray?.[0].replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`) ?? "no-races"} belongs to a module, not to --kernel`;
}

async function exploreModule(module: string, flags: ExploreFlags, explorer: Explorer): Promise<CommandEnding> {
  const input = readInput(module);
  if (input.kind !== "read") return input;
  const target = targetOf(input.bytes, flags);
  const search = flags.resume === undefined ? undefined : readSearch(flags.resume);
  if (search?.kind === "usage") return search;
  const options: PlainOptions = { ...optionsOf(module, flags), ...(search ? { resume: search.resume } : {}) };

  const progress = explorationProgress(process.stderr);
  const interruption = watchInterruption();
  try {
    if (flags.json) {
      const threads = target.threads.map(formatThread);
      printRecord({ kind: "begun", format: EXPLORATION_FORMAT, version: 2, module, threads });
    }
    const ending = await explorer({ target, options }, interruption.signal, (now) => progress.draw(now));
    progress.clear();
    if (ending.kind === "refused") return { kind: "usage", message: `${module}: ${ending.message}` };
    return conclude(module, flags, target, ending.exploration, interruption.signal.aborted);
  } finally {
    progress.clear();
    interruption.release();
  }
}

function conclude(
  module: string,
  flags: ExploreFlags,
  target: Target,
  exploration: Exploration,
  isInterrupted: boolean,
): CommandEnding {
  const { verdict } = exploration;
  const kept = keep(module, flags, target, exploration);
  if (flags.json) printRecord(endedRecord(exploration, kept));
  const print = (lines: readonly string[]): void => {
    if (!flags.json) for (const line of lines) process.stdout.write(`${line}\n`);
  };
  switch (verdict.kind) {
    case "passed":
      print([`${paint("green", "PASS")}: ${module}`, ...summaryLines(exploration)]);
      return { kind: "done" };
    case "incomplete": {
      const reason = formatReason(isInterrupted ? "interrupted" : verdict.reason);
      print([`${paint("yellow", "INCOMPLETE")}: ${reason}`, ...summaryLines(exploration)]);
      if (kept.next !== undefined) print([kept.next]);
      return isInterrupted || verdict.reason === "interrupted" ? { kind: "interrupted" } : { kind: "incomplete" };
    }
    case "violated": {
      const options = { width: process.stdout.columns ?? 120, plain: flags.plain === true, paint };
      print([renderCounterexample(verdict.counterexample, options)]);
      if (kept.next !== undefined) print([kept.next]);
      return { kind: "red" };
    }
    default:
      return verdict satisfies never;
  }
}

/** Writes what outlives the command: the certificate, the counterexample, or the search to go on with. */
function keep(module: string, flags: ExploreFlags, target: Target, exploration: Exploration): Kept {
  const { verdict, unfinished } = exploration;
  const certificate = certificateOf(module, target, exploration);
  if (certificate)
    for (const file of flags.certificate ?? [])
      writeWhole(file, isPage(file) ? certificatePage(certificate) : `${JSON.stringify(certificate, null, 2)}\n`);
  if (verdict.kind === "violated") {
    const counterexample = saveCounterexample(verdict.counterexample, module, flags.save);
    return { counterexample, next: `npx hartbeat replay ${quote(counterexample)}` };
  }
  if (unfinished === undefined) return {};
  const id = createHash("sha256").update(unfinished.sha256).update(unfinished.question).digest("hex").slice(0, 12);
  const search = flags.saveSearch ?? join(sessionFolder(id), "search.bin");
  writeParts(search, searchParts(unfinished));
  return {
    search,
    next: `npx hartbeat explore ${argumentsOf(module, { ...flags, resume: search })
      .map(quote)
      .join(" ")}`,
  };
}

function conflictOf(flags: ExploreFlags): string | null {
  const strategy = strategyOf(flags);
  if (flags.preemptions !== undefined && strategy !== "preemptions")
    return `--preemptions belongs to --strategy preemptions, not ${strategy}`;
  if (flags.resume !== undefined && strategy !== "exhaustive")
    return `--resume goes on with an exhaustive search; --strategy ${strategy} keeps none`;
  if (flags.workers !== undefined && flags.workers > 1 && strategy !== "exhaustive")
    return `--workers belongs to the exhaustive search, not to --strategy ${strategy}`;
  return null;
}

function strategyOf(flags: ExploreFlags): NonNullable<PlainOptions["strategy"]> {
  return flags.strategy ?? (flags.preemptions === undefined ? "exhaustive" : "preemptions");
}

function targetOf(wasm: Uint8Array, flags: ExploreFlags): Target {
  return {
    wasm,
    threads: flags.thread ?? [],
    ...(flags.init === undefined ? {} : { init: flags.init }),
    ...(flags.invariant === undefined ? {} : { invariant: flags.invariant }),
    ...(flags.final === undefined ? {} : { final: flags.final }),
    ...(flags.races ? {} : { races: false }),
    ...(flags.steps === undefined ? {} : { stepsMax: flags.steps }),
    ...(flags.plainLoops === undefined ? {} : { plainLoopMax: flags.plainLoops }),
    reductions: { ...ALL_REDUCTIONS, ...Object.fromEntries((flags.without ?? []).map((name) => [name, false])) },
  };
}

function optionsOf(module: string, flags: ExploreFlags): PlainOptions {
  const sourceMap = readIfThere(flags.sourceMap ?? `${module}.map`);
  return {
    strategy: strategyOf(flags),
    ...(flags.preemptions === undefined ? {} : { preemptionsMax: flags.preemptions }),
    ...(flags.walks === undefined ? {} : { walks: flags.walks }),
    ...(flags.seed === undefined ? {} : { seed: flags.seed }),
    ...(flags.workers === undefined ? {} : { workers: flags.workers }),
    ...(flags.transitions === undefined ? {} : { transitionsMax: flags.transitions }),
    ...(flags.memory === undefined ? {} : { memoryMax: flags.memory }),
    ...(sourceMap === undefined ? {} : { sourceMap }),
  };
}

function readSearch(path: string) {
  const input = readInput(path);
  if (input.kind !== "read") return input;
  const resume = decodeSearch(input.bytes);
  if (resume) return { kind: "search" as const, resume };
  return {
    kind: "usage" as const,
    message: `${path}: this is no search that this version of explore has saved, or not the whole of one; begin again without --resume`,
  };
}

/** The arguments that start this search again. */
function argumentsOf(module: string, flags: ExploreFlags): string[] {
  const args = [module];
  const add = (flag: string, value: string | number | undefined): void => {
    if (value !== undefined) args.push(`--${flag}`, String(value));
  };
  for (const thread of flags.thread ?? []) add("thread", formatThread(thread));
  add("init", flags.init);
  add("invariant", flags.invariant);
  add("final", flags.final);
  add("steps", flags.steps);
  add("plain-loops", flags.plainLoops);
  add("without", flags.without?.join(","));
  if (!flags.races) args.push("--no-races");
  add("memory", flags.memory === undefined ? undefined : `${Math.ceil(flags.memory / 1024)}K`);
  add("workers", flags.workers);
  add("source-map", flags.sourceMap);
  add("resume", flags.resume);
  return args;
}

function parseReductions(text: string): (keyof Reductions)[] {
  return text.split(",").map((name) => {
    if (!isReduction(name)) {
      const names = Object.keys(ALL_REDUCTIONS).join(", ");
      throw new InvalidArgumentError(`There is no reduction "${name}": choose from ${names}.`);
    }
    return name;
  });
}

function isReduction(name: string): name is keyof Reductions {
  return Object.hasOwn(ALL_REDUCTIONS, name);
}

function addCertificate(file: string, files: readonly string[] | undefined): readonly string[] {
  if (!isPage(file) && !file.endsWith(".json")) {
    throw new InvalidArgumentError("Name a file that ends in .json or .html.");
  }
  return [...(files ?? []), file];
}

const isPage = (file: string): boolean => /\.html?$/.test(file);

/** As a shell takes it back. */
function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

function printRecord(record: object): void {
  process.stdout.write(`${JSON.stringify(record)}\n`);
}
