// Command: `explore MODULE.wasm` and `replay FILE` as functions from words to an exit code.
//
// Owner: the caller, who supplies where text goes. Exit codes: 0 passed or reproduced, 1 counterexample or divergence,
// 2 usage, 5 incomplete, 130 interrupted. Invariant: data on `out`, progress on `err`; a user's mistake is one line.
// Pairs with: the command line's verbs, which call these two.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { MalformedModule } from "./wasm/bytes.ts";
import { UnsupportedModule } from "./wasm/module.ts";
import { UnusableModule } from "./program.ts";
import type { Exploration, ExploreOptions, Progress } from "./explore.ts";
import { explore } from "./explore.ts";
import { certificateOf } from "./certificate.ts";
import type { Counterexample } from "./counterexample.ts";
import { decodeSearch, encodeSearch } from "./resume.ts";
import { parseCounterexample } from "./counterexample.ts";
import { renderCounterexample } from "./render.ts";
import { Replay, replay } from "./replay.ts";
import type { Reductions, Target, ThreadSpec } from "./target.ts";
import { ALL_REDUCTIONS, savable } from "./target.ts";
import { certain } from "./certain.ts";

export interface Output {
  readonly out: (line: string) => void;
  readonly err: (text: string) => void;
  /** Columns of the terminal that progress is drawn on; undefined: no terminal, no progress. */
  readonly columns?: number | undefined;
  readonly interrupted?: () => boolean;
  /** replay --step reads its commands here. */
  readonly lines?: AsyncIterable<string>;
}

class UsageError extends Error {}

const USAGE =
  "usage: explore MODULE.wasm --thread FUNCTION[:ARGUMENTS] [--thread ...] [--init F] [--invariant F] [--final F]";

/** A saved counterexample also says where its module was. */
type SavedCounterexample = Counterexample & { readonly module?: string };

function readModule(path: string): Uint8Array {
  if (!existsSync(path)) throw new UsageError(`${path}: there is no such file`);
  return new Uint8Array(readFileSync(path));
}

function threadSpec(text: string): ThreadSpec {
  const [name, list] = text.split(":", 2) as [string, string | undefined];
  const args = list === undefined || list === "" ? [] : list.split(",");
  for (const word of args)
    if (!/^-?(0x[0-9a-fA-F]+|\d+)$/.test(word))
      throw new UsageError(`--thread ${text}: "${word}" is not an integer; write FUNCTION:1,2`);
  return {
    function: name,
    args: args.map((word) => (word.startsWith("-") ? -BigInt(word.slice(1)) : BigInt(word))).map(savable),
  };
}

function positive(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new UsageError(`--${name} ${text}: give a whole number`);
  return value;
}

function bytes(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const match = /^(\d+)([KMG])i?B?$/.exec(text);
  if (!match) throw new UsageError(`--memory ${text}: give a size such as 512M or 4G`);
  return Number(match[1]) * { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 }[match[2] as "K" | "M" | "G"];
}

const REDUCTION_FLAGS: Record<string, keyof Reductions> = {
  "no-merge": "mergeStates",
  "no-plain-in-step": "plainInStep",
  "no-sleep-sets": "sleepSets",
  "no-symmetry": "symmetry",
  "no-zero-dead": "zeroDead",
};

function parseExplore(argv: readonly string[]) {
  const flags = Object.fromEntries(Object.keys(REDUCTION_FLAGS).map((flag) => [flag, { type: "boolean" as const }]));
  const text = { type: "string" as const };
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        thread: { type: "string", multiple: true },
        init: text,
        invariant: text,
        final: text,
        strategy: text,
        preemptions: text,
        walks: text,
        seed: text,
        steps: text,
        workers: text,
        memory: text,
        transitions: text,
        save: text,
        certificate: text,
        "save-search": text,
        resume: text,
        "source-map": text,
        "no-races": { type: "boolean" },
        plain: { type: "boolean" },
        json: { type: "boolean" },
        ...flags,
      },
    });
  } catch (error) {
    throw new UsageError(
      `${error instanceof Error ? certain(error.message.split("\n")[0]).split(". ")[0] : String(error)}; ${USAGE}`,
    );
  }
}

function saveJson(path: string, value: unknown): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`);
}

const count = (value: number): string => value.toLocaleString("en-US");

function drawProgress(progress: Progress, columns: number): string {
  const parts = [
    progress.phase,
    `${count(progress.states)} states`,
    `${count(Math.round(progress.transitionsPerSecond))} transitions/s`,
    `depth ${progress.depth}`,
  ];
  if (progress.frontier > 0) parts.push(`${count(progress.frontier)} choices open`);
  return `\r${parts
    .join("  ")
    .slice(0, columns - 1)
    .padEnd(columns - 1)}`;
}

function summary(result: Exploration): string[] {
  const rate =
    result.transitionsPerSecond > 0 ? `, ${count(Math.round(result.transitionsPerSecond))} transitions a second` : "";
  const lines = [
    `${count(result.states)} states, ${count(result.transitions)} transitions${rate}, depth ${result.depthMax}, ${result.seconds.toFixed(2)} s`,
  ];
  if (result.worstSteps)
    lines.push(
      `steps at worst: ${result.threadNames.map((name, i) => `${name} ${certain(result.worstSteps)[i]}`).join(", ")}`,
    );
  if (result.verdict.kind === "passed")
    lines.push(
      `odds that a state was missed: ${result.oddsOfMiss.toExponential(1)}; data races ${result.racesChecked ? "checked" : "not checked"}`,
    );
  return lines;
}

const INCOMPLETE: Record<string, string> = {
  memory: "the table of states is full; give --memory more",
  depth: "a schedule is too long for the undo log; does a loop count without end?",
  interrupted: "interrupted",
  transitions: "the bound on transitions was reached",
  random: "random walks prove nothing; nothing was found",
  preemptions: "schedules with more preemptions were left out; nothing was found",
  contended: "too many words are shared plainly for footprints; use --no-races",
};

async function attempt(output: Output, action: () => Promise<number>): Promise<number> {
  try {
    return await action();
  } catch (error) {
    if (
      error instanceof UsageError ||
      error instanceof MalformedModule ||
      error instanceof UnsupportedModule ||
      error instanceof UnusableModule
    ) {
      output.err(`hartbeat: ${error.message}\n`);
      return 2;
    }
    throw error;
  }
}

/** `hartbeat explore ...`: the words after the verb. */
export function exploreCommand(argv: readonly string[], output: Output): Promise<number> {
  return attempt(output, async () => {
    const { values, positionals } = parseExplore(argv);
    const [path, ...rest] = positionals;
    if (path === undefined || rest.length > 0) throw new UsageError(USAGE);
    const wasm = readModule(path);
    if (!values.thread) throw new UsageError(`${path}: no thread is given; ${USAGE}`);
    const strategy = values.strategy ?? (values.preemptions === undefined ? "exhaustive" : "preemptions");
    if (strategy !== "exhaustive" && strategy !== "random" && strategy !== "preemptions")
      throw new UsageError(`--strategy ${strategy}: it is exhaustive, random or preemptions`);
    const reductions = { ...ALL_REDUCTIONS } as { -readonly [key in keyof Reductions]: boolean };
    const given = values as Record<string, unknown>;
    for (const [flag, reduction] of Object.entries(REDUCTION_FLAGS))
      if (given[flag] === true) reductions[reduction] = false;
    const stepsMax = positive("steps", values.steps);
    const target: Target = {
      wasm,
      threads: values.thread.map(threadSpec),
      ...(values.init === undefined ? {} : { init: values.init }),
      ...(values.invariant === undefined ? {} : { invariant: values.invariant }),
      ...(values.final === undefined ? {} : { final: values.final }),
      ...(values["no-races"] ? { races: false } : {}),
      ...(stepsMax === undefined ? {} : { stepsMax }),
      reductions,
    };
    const mapPath = values["source-map"] ?? `${path}.map`;
    const options: { -readonly [key in keyof ExploreOptions]: ExploreOptions[key] } = {
      strategy,
      onProgress: (progress) => {
        if (output.columns !== undefined) output.err(drawProgress(progress, output.columns));
        return !(output.interrupted?.() ?? false);
      },
    };
    const numbers = {
      preemptionsMax: positive("preemptions", values.preemptions),
      walks: positive("walks", values.walks),
      seed: positive("seed", values.seed),
      workers: positive("workers", values.workers),
      transitionsMax: positive("transitions", values.transitions),
      memoryMax: bytes(values.memory),
    };
    for (const [name, value] of Object.entries(numbers))
      if (value !== undefined) Object.assign(options, { [name]: value });
    if (existsSync(mapPath)) options.sourceMap = readFileSync(mapPath, "utf8");
    if (values.resume !== undefined) {
      const resume = decodeSearch(readModule(values.resume));
      if (!resume) throw new UsageError(`${values.resume}: this is not a saved search`);
      options.resume = resume;
    }
    const result = await explore(target, options);
    if (result.unfinished && values["save-search"] !== undefined) {
      mkdirSync(dirname(values["save-search"]), { recursive: true });
      writeFileSync(values["save-search"], encodeSearch(result.unfinished));
      output.err(`hartbeat: the search goes on with --resume ${values["save-search"]}\n`);
    }
    if (output.columns !== undefined) output.err(`\r${" ".repeat(output.columns - 1)}\r`);
    return conclude(
      path,
      target,
      result,
      { save: values.save, certificate: values.certificate, json: values.json ?? false, plain: values.plain ?? false },
      output,
    );
  });
}

function conclude(
  path: string,
  target: Target,
  result: Exploration,
  options: {
    readonly save: string | undefined;
    readonly certificate: string | undefined;
    readonly json: boolean;
    readonly plain: boolean;
  },
  output: Output,
): number {
  const { verdict } = result;
  const certificate = certificateOf(path, target, result);
  if (certificate && options.certificate !== undefined) saveJson(options.certificate, certificate);
  let saved: string | undefined;
  if (verdict.kind === "violated") {
    const id = createHash("sha256")
      .update(result.artifact.sha256)
      .update(JSON.stringify(verdict.counterexample.schedule))
      .update(result.threadNames.join())
      .digest("hex")
      .slice(0, 12);
    saved = options.save ?? join(".hartbeat", "runs", id, "counterexample.json");
    saveJson(saved, { ...verdict.counterexample, module: path });
  }
  if (options.json) {
    const { states, transitions, depthMax, seconds, oddsOfMiss } = result;
    const outcome =
      verdict.kind === "violated"
        ? { violation: verdict.counterexample.violation, saved }
        : verdict.kind === "incomplete"
          ? { reason: verdict.reason }
          : {};
    output.out(
      JSON.stringify({
        version: 1,
        event: "explored",
        verdict: verdict.kind,
        ...outcome,
        states,
        transitions,
        depthMax,
        seconds,
        oddsOfMiss,
      }),
    );
  }
  switch (verdict.kind) {
    case "passed":
      if (!options.json) for (const line of [`PASS: ${path}`, ...summary(result)]) output.out(line);
      return 0;
    case "incomplete":
      if (!options.json)
        for (const line of [`INCOMPLETE: ${INCOMPLETE[verdict.reason]}`, ...summary(result)]) output.out(line);
      return verdict.reason === "interrupted" ? 130 : 5;
    case "violated":
      if (!options.json) {
        output.out(
          renderCounterexample(verdict.counterexample, { width: output.columns ?? 120, plain: options.plain }),
        );
        output.out(`hartbeat replay ${saved}`);
      }
      return 1;
  }
}

/** `hartbeat replay FILE [MODULE.wasm] [--step] [--plain]`. */
export function replayCommand(argv: readonly string[], output: Output): Promise<number> {
  return attempt(output, async () => {
    let parsed;
    try {
      parsed = parseArgs({
        args: [...argv],
        allowPositionals: true,
        options: { step: { type: "boolean" }, plain: { type: "boolean" }, "source-map": { type: "string" } },
      });
    } catch (error) {
      throw new UsageError(
        `${error instanceof Error ? error.message.split(". ")[0] : String(error)}; usage: replay FILE [MODULE.wasm] [--step] [--plain]`,
      );
    }
    const [file, given] = parsed.positionals;
    if (file === undefined) throw new UsageError("usage: replay FILE [MODULE.wasm] [--step] [--plain]");
    if (!existsSync(file)) throw new UsageError(`${file}: there is no such file`);
    const read = parseCounterexample(readFileSync(file, "utf8"));
    if (read.kind === "bad") throw new UsageError(`${file}: ${read.reason}`);
    const counterexample: SavedCounterexample = read.counterexample;
    const path = given ?? counterexample.module;
    if (path === undefined)
      throw new UsageError(`${file}: it does not say where its module is; name it: replay ${file} MODULE.wasm`);
    const wasm = readModule(path);
    const mapPath = parsed.values["source-map"] ?? `${path}.map`;
    const sourceMap = existsSync(mapPath) ? readFileSync(mapPath, "utf8") : undefined;
    if (createHash("sha256").update(wasm).digest("hex") !== counterexample.artifact.sha256)
      output.err(`hartbeat: ${path} has changed since the counterexample was found\n`);
    const width = output.columns ?? 120;
    if (parsed.values.step) return stepThrough(counterexample, wasm, sourceMap, output, width);
    const outcome = replay(counterexample, wasm, sourceMap);
    switch (outcome.kind) {
      case "reproduced":
        output.out(
          renderCounterexample(
            { ...counterexample, steps: outcome.steps, violation: outcome.violation },
            { width, plain: parsed.values.plain ?? false },
          ),
        );
        return 1;
      case "diverged":
        output.out(`DIVERGED: step ${outcome.step} no longer fits: ${outcome.reason}`);
        return 1;
      case "different":
        output.out(
          outcome.violation
            ? `DIFFERENT: every step fits, and it ends in ${outcome.violation.kind} now`
            : "GONE: every step fits, and nothing is wrong any more",
        );
        return outcome.violation ? 1 : 0;
    }
  });
}

/** Forward on an empty line or "n", back on "p", out on "q". */
async function stepThrough(
  counterexample: Counterexample,
  wasm: Uint8Array,
  sourceMap: string | undefined,
  output: Output,
  width: number,
): Promise<number> {
  const player = new Replay({ ...counterexample.target, wasm }, counterexample.watched, sourceMap);
  const { schedule } = counterexample;
  const show = (): void => {
    const steps = counterexample.steps.slice(0, player.position);
    const text = renderCounterexample({ ...counterexample, steps }, { width }).split("\n");
    output.out(
      player.position === schedule.length
        ? text.join("\n")
        : [
            ...text.slice(0, 2),
            ...text.slice(2, -3).slice(-6),
            `step ${player.position} of ${schedule.length}: n forward, p back, q quit`,
          ].join("\n"),
    );
  };
  show();
  for await (const line of output.lines ?? []) {
    const word = line.trim();
    if (word === "q") break;
    if (word === "p") player.back();
    else if (player.position < schedule.length) {
      if (!player.fits(certain(schedule[player.position]))) {
        output.out(`DIVERGED: step ${player.position + 1} no longer fits`);
        return 1;
      }
      player.forward(certain(schedule[player.position]));
    }
    show();
  }
  return player.position === schedule.length ? 1 : 0;
}
