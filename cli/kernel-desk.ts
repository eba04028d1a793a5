// Kernel desk: where the results of `explore --kernel` go: lines or objects on stdout, files under .hartbeat.
//
// What passed leaves a certificate (JSON and a page); what failed leaves its counterexample beside the linked module, so
// that `hartbeat replay` finds both.
// Partners: explore-kernel.ts tells it; certificate-store.ts keeps, prove reads.

import { createHash } from "node:crypto";
import { join } from "node:path";
import { styleText } from "node:util";
import { certificatePage } from "../explore/certificate-page.ts";
import { renderCounterexample } from "../explore/render.ts";
import type { CampaignEntry } from "../kernel/scenarios/campaign.ts";
import type { KernelCertificate, Parts, ScenarioResult } from "../kernel/scenarios/run.ts";
import type { Scenario, Tier } from "../kernel/scenarios/scenario.ts";
import { type Explored, clauseFacts } from "../proof/clauses.ts";
import { type Style, clauseTable } from "../proof/reporters/clause-lines.ts";
import { type Identity, certificateFolder, dropCertificate, keepCertificate } from "./certificate-store.ts";
import { saveCounterexample, writeWhole } from "./counterexample-file.ts";
import { paint } from "./paint.ts";

export interface KernelFlags {
  readonly tier: Tier;
  /** Scenarios at a time. */
  readonly jobs: number;
  readonly memory?: number;
  readonly clauses: boolean;
  readonly json: boolean;
}

/** Which scenarios were asked for, by name or all, and those of them that have the tier. */
export interface Asked {
  readonly isAll: boolean;
  readonly scenarios: readonly Scenario[];
  readonly chosen: readonly Scenario[];
}

const KERNEL_FORMAT = "hartbeat-kernel-exploration";

export class KernelDesk {
  private readonly folder: string;
  private readonly identity: Identity;
  private readonly asked: Asked;
  private readonly flags: KernelFlags;
  private readonly started = performance.now();
  private next: string | undefined;

  /** folder: where counterexamples go. */
  constructor(folder: string, parts: Parts, asked: Asked, flags: KernelFlags) {
    this.folder = folder;
    this.identity = { kernel: sha256Of(parts.kernel), harness: sha256Of(parts.harness) };
    this.asked = asked;
    this.flags = flags;
  }

  begin(): void {
    if (!this.flags.json) return;
    print({
      kind: "begun",
      format: KERNEL_FORMAT,
      version: 1,
      tier: this.flags.tier,
      scenarios: this.asked.chosen.length,
    });
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
        keepCertificate(result.certificate, certificatePage(result.certificate, notesOf(result.certificate)));
        return;
      case "violated": {
        dropCertificate(this.identity, scenario.name, this.flags.tier);
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

  end(entries: readonly CampaignEntry[]): void {
    const passed = entries.filter(({ result }) => result.kind === "passed");
    const of = this.asked.chosen.length;
    const all = clauseFacts(this.asked.scenarios, exploredIn(entries));
    // Of scenarios that were named, only what they are about.
    const facts = this.asked.isAll
      ? all
      : all.filter(({ explored, unexplored }) => explored.length + unexplored.length > 0);
    if (this.flags.json) {
      const vouching = facts.filter(({ explored }) => explored.length > 0);
      print({
        kind: "ended",
        passed: passed.length,
        of,
        clauses: Object.fromEntries(vouching.map(({ clause, explored }) => [clause, explored.map(({ name }) => name)])),
        vouching: facts,
        folder: this.folder,
        certificates: passed.length > 0 ? certificateFolder(this.identity) : null,
        next: this.next ?? null,
      });
      return;
    }
    if (this.flags.clauses) {
      write("");
      const columns = process.stdout.isTTY ? process.stdout.columns : undefined;
      const style: Style = (format, text) => styleText(format, text, { stream: process.stdout });
      for (const line of clauseTable(facts, style, columns)) write(line);
      write("");
    }
    const seconds = ((performance.now() - this.started) / 1000).toFixed(1);
    write(`passed: ${passed.length} of ${of} scenarios, every interleaving of each, in ${seconds} s`);
    if (passed.length > 0) write(`certificates: ${certificateFolder(this.identity)}`);
    if (this.next !== undefined) write(this.next);
  }
}

/** What passed, by the scenario's name. */
export function exploredIn(entries: readonly CampaignEntry[]): ReadonlyMap<string, Explored> {
  return new Map(
    entries.flatMap(({ scenario: { name }, result }) =>
      result.kind === "passed"
        ? [[name, { name, tier: result.certificate.tier, states: result.certificate.states }] as const]
        : [],
    ),
  );
}

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

const sha256Of = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

function write(line: string): void {
  process.stdout.write(`${line}\n`);
}

function print(record: object): void {
  write(JSON.stringify(record));
}
