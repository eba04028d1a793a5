// hartbeat explore --kernel: the scenarios of kernel/scenarios on the artifact that boots. Chooses, runs, tables, keeps.
//
// What passed leaves a certificate (JSON and a page); what failed leaves its counterexample beside the linked module, so
// that `hartbeat replay` finds both.
// Partners: kernel/scenarios runs them; explore.ts has the flags.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { certificatePage } from "../explore/certificate-page.ts";
import { renderCounterexample } from "../explore/render.ts";
import type { CampaignEntry } from "../kernel/scenarios/campaign.ts";
import type { KernelCertificate, Parts, ScenarioResult } from "../kernel/scenarios/run.ts";
import type { Scenario, Tier } from "../kernel/scenarios/scenario.ts";
import { packageRoot } from "../toolchain/package-root.ts";
import { saveCounterexample, writeWhole } from "./counterexample-file.ts";
import type { CommandEnding } from "./exit-code.ts";
import { watchInterruption } from "./interruption.ts";
import { paint } from "./paint.ts";
import { sessionFolder, sessionId } from "./run-folder.ts";
import { hasSources } from "./sources.ts";

export interface KernelFlags {
  readonly tier: Tier;
  /** Scenarios at a time. */
  readonly jobs: number;
  readonly memory?: number;
  readonly clauses: boolean;
  readonly json: boolean;
}

const KERNEL_FORMAT = "hartbeat-kernel-exploration";

/** Explores the scenarios of these names; all that have the tier when none is named. */
export async function exploreKernel(names: readonly string[], flags: KernelFlags): Promise<CommandEnding> {
  const { select } = await import("../kernel/scenarios/suite.ts");
  const selection = select(names);
  if (selection.kind !== "selected") return { kind: "usage", message: selection.message };
  const { threadsOf } = await import("../kernel/scenarios/scenario.ts");
  const chosen = selection.scenarios.filter((scenario) => threadsOf(scenario, flags.tier) !== undefined);
  if (chosen.length === 0) {
    const message = `of what was named nothing has a ${flags.tier} tier; leave --fast out or give --full`;
    return { kind: "nothing-selected", message };
  }
  const found = await findParts();
  if (found.kind !== "ready") return found;

  const desk = new Desk(sessionFolder(sessionId(new Date())), flags);
  desk.begin(chosen.length);
  const interruption = watchInterruption();
  try {
    const { runCampaign } = await import("../kernel/scenarios/campaign.ts");
    const entries = await runCampaign(chosen, found.parts, {
      tier: flags.tier,
      jobs: flags.jobs,
      ...(flags.memory === undefined ? {} : { memoryMax: flags.memory }),
      signal: interruption.signal,
      onResult: (scenario, result) => desk.tell(scenario, result),
    });
    desk.end(entries, chosen.length);
    return endingOf(entries, chosen.length, interruption.signal.aborted);
  } finally {
    interruption.release();
  }
}

function endingOf(entries: readonly CampaignEntry[], wanted: number, isInterrupted: boolean): CommandEnding {
  if (entries.some(({ result }) => result.kind === "violated")) return { kind: "red" };
  if (isInterrupted) return { kind: "interrupted" };
  const isWhole = entries.length === wanted && entries.every(({ result }) => result.kind === "passed");
  return isWhole ? { kind: "done" } : { kind: "incomplete" };
}

type FoundParts = { readonly kind: "ready"; readonly parts: Parts } | Exclude<CommandEnding, { kind: "done" }>;

/** In a clone built where stale; a published package carries them. */
async function findParts(): Promise<FoundParts> {
  if (hasSources) {
    const { shippedParts } = await import("../kernel/scenarios/campaign.ts");
    const outcome = await shippedParts();
    if (outcome.kind === "ready") return outcome;
    for (const line of outcome.lines) process.stderr.write(`${line}\n`);
    process.stderr.write("error: the kernel's sources are refused, see above\n");
    return { kind: "red" };
  }
  const [kernel, harness] = ["kernel.wasm", "scenarios.wasm"].map((name) => join(packageRoot, "build", name));
  if (kernel === undefined || harness === undefined || !existsSync(kernel) || !existsSync(harness)) {
    return { kind: "missing-tool", message: "this package carries no scenarios; run them in a clone of the sources" };
  }
  return { kind: "ready", parts: { kernel: readFileSync(kernel), harness: readFileSync(harness) } };
}

/** Where results go: lines or objects on stdout, files in the run's folder. */
class Desk {
  private readonly folder: string;
  private readonly flags: KernelFlags;
  private readonly started = performance.now();
  private next: string | undefined;

  constructor(folder: string, flags: KernelFlags) {
    this.folder = folder;
    this.flags = flags;
  }

  begin(scenarios: number): void {
    if (!this.flags.json) return;
    print({ kind: "begun", format: KERNEL_FORMAT, version: 1, tier: this.flags.tier, scenarios });
  }

  tell(scenario: Scenario, result: ScenarioResult): void {
    const { name, harts, clauses } = scenario;
    const numbers = result.kind === "passed" ? result.certificate : result.exploration;
    const { states, transitions, seconds } = numbers;
    if (this.flags.json) {
      print({
        kind: "scenario",
        name,
        harts,
        clauses,
        result: result.kind,
        states,
        transitions,
        seconds,
        words: wordsOf(result),
      });
    } else {
      const columns = [
        name.padEnd(22),
        `${harts} harts`,
        count(states, 11, "states"),
        count(transitions, 11, "transitions"),
      ];
      write(`${symbolOf(result)} ${columns.join("  ")}  ${seconds.toFixed(1).padStart(6)} s  ${clauses.join(" ")}`);
    }
    this.keep(scenario, result);
  }

  private keep(scenario: Scenario, result: ScenarioResult): void {
    const file = (name: string): string => join(this.folder, `${scenario.name}${name}`);
    switch (result.kind) {
      case "passed":
        writeWhole(file(".json"), `${JSON.stringify(result.certificate, null, 2)}\n`);
        writeWhole(file(".html"), certificatePage(result.certificate, notesOf(result.certificate)));
        return;
      case "violated": {
        writeWhole(file(".wasm"), result.module);
        saveCounterexample(result.counterexample, file(".wasm"), file(".counterexample.json"));
        this.next ??= `npx hartbeat replay ${file(".counterexample.json")}`;
        if (this.flags.json) return;
        write(renderCounterexample(result.counterexample, { width: process.stdout.columns ?? 120, paint }));
        write(`${scenario.name}: ${result.words}`);
        return;
      }
      case "incomplete":
        if (!this.flags.json) write(`  ${scenario.name}: ${result.reason}`);
        return;
      default:
        result satisfies never;
    }
  }

  end(entries: readonly CampaignEntry[], wanted: number): void {
    const passed = entries.filter(({ result }) => result.kind === "passed");
    const clauses = byClause(entries);
    if (this.flags.json) {
      const vouching = Object.fromEntries(clauses);
      print({
        kind: "ended",
        passed: passed.length,
        of: wanted,
        clauses: vouching,
        folder: this.folder,
        next: this.next ?? null,
      });
      return;
    }
    if (this.flags.clauses) {
      write("");
      for (const [clause, names] of clauses) write(`${clause.padEnd(3)} ${names.join(", ")}`);
      write("");
    }
    const seconds = ((performance.now() - this.started) / 1000).toFixed(1);
    write(`passed: ${passed.length} of ${wanted} scenarios, every interleaving of each, in ${seconds} s`);
    if (passed.length > 0) write(`certificates: ${this.folder}`);
    if (this.next !== undefined) write(this.next);
  }
}

/** Clauses in the contract's order of letters and numbers, each with the scenarios that vouch for it. */
export function byClause(entries: readonly CampaignEntry[]): (readonly [string, readonly string[]])[] {
  const vouching = new Map<string, string[]>();
  for (const { scenario, result } of entries) {
    if (result.kind !== "passed") continue;
    for (const clause of scenario.clauses) vouching.set(clause, [...(vouching.get(clause) ?? []), scenario.name]);
  }
  return [...vouching].toSorted(([a], [b]) => order(a) - order(b));
}

const SECTIONS = "QSICTD";
const order = (clause: string): number => SECTIONS.indexOf(clause.charAt(0)) * 100 + Number(clause.slice(1));

/** What the page of a kernel's certificate says besides. */
function notesOf({ about, clauses, harts, tier, kernel, harness, leftOut }: KernelCertificate): [string, string][] {
  return [
    ["scenario", about],
    ["vouches for", clauses.join(", ")],
    ["harts, tier", `${harts}, ${tier}`],
    ["kernel (sha256)", kernel.sha256],
    ["harness (sha256)", harness.sha256],
    ["not in the state", leftOut],
  ];
}

function symbolOf(result: ScenarioResult): string {
  if (result.kind === "passed") return paint("green", "✓");
  return result.kind === "violated" ? paint("red", "✗") : paint("yellow", "?");
}

function wordsOf(result: ScenarioResult): string | null {
  if (result.kind === "passed") return null;
  return result.kind === "violated" ? result.words : result.reason;
}

const count = (value: number, width: number, unit: string): string =>
  `${value.toLocaleString("en-US").padStart(width)} ${unit}`;

function write(line: string): void {
  process.stdout.write(`${line}\n`);
}

function print(record: object): void {
  write(JSON.stringify(record));
}
