// Kernel report: where the results of `explore --kernel` go: lines or objects on stdout, files under .hartbeat.
//
// What passed leaves a certificate (JSON and a page); what failed leaves its counterexample beside the linked module, so
// that `hartbeat replay` finds both.
// Partners: explore-kernel.ts feeds it; certificate-store.ts keeps, prove reads.

import { join } from "node:path";
import { styleText } from "node:util";
import { certificatePage } from "../explore/report/certificate-page.ts";
import { renderCounterexample } from "../explore/report/render.ts";
import type { SuiteEntry, SuiteProgress } from "../verify/scenarios/suite-run.ts";
import type { Parts } from "../verify/scenarios/parts.ts";
import type { KernelCertificate, ScenarioResult } from "../verify/scenarios/run.ts";
import type { OperationCosts } from "../verify/scenarios/operation-costs.ts";
import type { Scenario, Tier } from "../verify/scenarios/scenario.ts";
import { scenarios } from "../verify/scenarios/suite.ts";
import { clauseFacts } from "../proof/clauses.ts";
import { readMatrix } from "../verify/matrix/matrix-file.ts";
import { matrixLines } from "../verify/matrix/show.ts";
import { type Style, clauseTable } from "../proof/reporters/clause-lines.ts";
import { packageRoot } from "../toolchain/package-root.ts";
import { dropSuite, dropSearch, saveSuite, saveSearch } from "./suite-file.ts";
import {
  type Identity,
  certificateFolder,
  dropCertificate,
  exploredIn,
  identityOf,
  keepCertificate,
  readCertificates,
} from "./certificate-store.ts";
import { saveCounterexample } from "./counterexample-file.ts";
import { writeWhole } from "./output-file.ts";
import { suiteProgress } from "./exploration-progress.ts";
import { formatReason } from "./exploration-report.ts";
import { paint } from "./paint.ts";

export interface KernelFlags {
  readonly tier: Tier;
  /** Scenarios at a time. */
  readonly jobs: number;
  readonly memory?: number;
  /** Each scenario stops after so many. */
  readonly transitions?: number;
  /** Folder of a run that stopped; names and tier are its. */
  readonly resume?: string;
  readonly clauses: boolean;
  readonly operations: boolean;
  readonly json: boolean;
}

/** Which scenarios were asked for, and those of them that are to be explored now. */
export interface Asked {
  readonly tier: Tier;
  readonly scenarios: readonly Scenario[];
  readonly chosen: readonly Scenario[];
}

/** What the explorer takes by default. */
const MEMORY_MAX = 2 ** 30;

const KERNEL_FORMAT = "hartbeat-kernel-exploration";

export class KernelReport {
  private readonly folder: string;
  private readonly identity: Identity;
  private readonly asked: Asked;
  private readonly flags: KernelFlags;
  private readonly started = performance.now();
  private readonly progress = suiteProgress(process.stderr);
  private next: string | undefined;

  /** folder: where counterexamples go, and what is left of scenarios that stop. */
  constructor(folder: string, parts: Parts, asked: Asked, flags: KernelFlags) {
    this.folder = folder;
    this.identity = identityOf(parts);
    this.asked = asked;
    this.flags = flags;
  }

  begin(): void {
    if (!this.flags.json) return;
    print({
      kind: "begun",
      format: KERNEL_FORMAT,
      version: 3,
      tier: this.asked.tier,
      scenarios: this.asked.chosen.length,
    });
  }

  /** How far it is, where somebody watches. */
  show(now: SuiteProgress): void {
    this.progress.draw(now);
  }

  add(scenario: Scenario, result: ScenarioResult): void {
    const { name, harts, clauses } = scenario;
    const numbers = result.kind === "passed" ? result.certificate : result.exploration;
    const { states, transitions, seconds } = numbers;
    this.progress.clear();
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
        message: messageOf(result),
        ...(this.flags.operations
          ? { operations: result.kind === "passed" ? result.certificate.operations : null }
          : {}),
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
    if (result.kind !== "incomplete") dropSearch(this.folder, scenario);
    switch (result.kind) {
      case "passed":
        keepCertificate(result.certificate, certificatePage(result.certificate, remarksOf(result.certificate)));
        return;
      case "violated": {
        dropCertificate(this.identity, scenario.name, this.asked.tier);
        writeWhole(file(".wasm"), result.module);
        if (result.sourceMap !== undefined) writeWhole(file(".wasm.map"), result.sourceMap);
        saveCounterexample(result.counterexample, file(".wasm"), file(".counterexample.json"));
        this.next ??= `npx hartbeat replay ${file(".counterexample.json")}`;
        if (this.flags.json) return;
        write(renderCounterexample(result.counterexample, { width: process.stdout.columns ?? 120, paint }));
        write(`${scenario.name}: ${result.message}`);
        return;
      }
      case "incomplete":
        if (isStopped(result) && result.exploration.unfinished !== undefined)
          saveSearch(this.folder, scenario, result.exploration.unfinished);
        else dropSearch(this.folder, scenario);
        if (!this.flags.json) write(`  ${scenario.name}: ${formatReason(result.reason)}`);
        return;
      default:
        result satisfies never;
    }
  }

  /** What goes on where this stopped; undefined where nothing can. */
  private keepRest(entries: readonly SuiteEntry[]): string | undefined {
    const ended = new Set(entries.filter(({ result }) => !isStopped(result)).map(({ scenario }) => scenario));
    const left = this.asked.chosen.filter((scenario) => !ended.has(scenario)).map(({ name }) => name);
    if (left.length === 0) {
      dropSuite(this.folder);
      return undefined;
    }
    const asked = this.asked.scenarios.map(({ name }) => name);
    saveSuite(this.folder, { tier: this.asked.tier, identity: this.identity, asked, left });
    const { jobs, memory, clauses, operations } = this.flags;
    // With the same memory it would stop at once.
    const isFull = entries.some(({ result }) => result.kind === "incomplete" && result.reason === "memory");
    const memoryMax = isFull ? 2 * (memory ?? MEMORY_MAX) : memory;
    const args = [`npx hartbeat explore --kernel --resume ${this.folder}`];
    if (jobs > 1) args.push(`--workers ${jobs}`);
    if (memoryMax !== undefined) args.push(`--memory ${Math.ceil(memoryMax / 1024)}K`);
    if (clauses) args.push("--clauses");
    if (operations) args.push("--operations");
    return args.join(" ");
  }

  end(entries: readonly SuiteEntry[]): void {
    this.progress.clear();
    const passed = entries.filter(({ result }) => result.kind === "passed");
    const of = this.asked.chosen.length;
    const resume = this.keepRest(entries);
    const all = clauseFacts(this.asked.scenarios, exploredIn(readCertificates(this.identity, this.asked.scenarios)));
    // Of scenarios that were named, only what they are about.
    const facts =
      this.asked.scenarios.length === scenarios.length
        ? all
        : all.filter(({ explored, unexplored }) => explored.length + unexplored.length > 0);
    if (this.flags.json) {
      const coverage = facts.filter(({ explored }) => explored.length > 0);
      print({
        kind: "ended",
        passed: passed.length,
        of,
        clauses: Object.fromEntries(coverage.map(({ clause, explored }) => [clause, explored.map(({ name }) => name)])),
        coverage: facts,
        folder: this.folder,
        certificates: passed.length > 0 ? certificateFolder(this.identity) : null,
        next: resume ?? this.next ?? null,
      });
      return;
    }
    if (this.flags.operations) for (const line of costLines(entries)) write(line);
    if (this.flags.clauses) {
      write("");
      const columns = process.stdout.isTTY ? process.stdout.columns : undefined;
      const style: Style = (format, text) => styleText(format, text, { stream: process.stdout });
      for (const line of clauseTable(facts, style, columns)) write(line);
      // Which breaks each proof turned red, where `npm run matrix` has been run on this very kernel and harness.
      const { kernel, harness } = this.identity;
      for (const line of matrixLines(readMatrix(packageRoot, kernel, harness))) write(line);
      write("");
    }
    const seconds = ((performance.now() - this.started) / 1000).toFixed(1);
    write(`passed: ${passed.length} of ${of} scenarios, every interleaving of each, in ${seconds} s`);
    if (passed.length > 0) write(`certificates: ${certificateFolder(this.identity)}`);
    if (this.next !== undefined) write(this.next);
    if (resume !== undefined) write(resume);
  }
}

/** It came to a bound that another run may move, or was interrupted. */
function isStopped(result: ScenarioResult): boolean {
  return result.kind === "incomplete" && ["interrupted", "memory", "transitions"].includes(result.reason);
}

/** What the page of a kernel's certificate states besides. */
function remarksOf({
  about,
  clauses,
  harts,
  tier,
  kernel,
  harness,
  leftOut,
  operations,
}: KernelCertificate): [string, string][] {
  return [
    ["scenario", about],
    ["covers", clauses.join(", ")],
    ["harts, tier", `${harts}, ${tier}`],
    ["kernel (sha256)", kernel.sha256],
    ["harness (sha256)", harness.sha256],
    ["not in the state", leftOut],
    ["operations at worst", formatCosts(operations)],
  ];
}

function formatCosts(operations: OperationCosts | null): string {
  if (operations === null) return "not asked for";
  switch (operations.kind) {
    case "measured":
      return `atomic accesses of one call, ${operations.tier} bounds: ${operations.costs.map(({ operation, accesses }) => `${operation} ${accesses}`).join(", ")}`;
    case "unbounded":
      return `${operations.operation} goes round without end at ${operations.at}: over ${operations.accessesMax} atomic accesses`;
    case "unknown":
      return `not known: ${operations.reason}`;
    default:
      return operations satisfies never;
  }
}

/** Of each operation its worst over all scenarios, and where that was. */
function costLines(entries: readonly SuiteEntry[]): string[] {
  const worst = new Map<string, { readonly accesses: number; readonly name: string }>();
  const others: string[] = [];
  for (const { scenario, result } of entries) {
    const operations = result.kind === "passed" ? result.certificate.operations : null;
    if (operations === null) continue;
    if (operations.kind !== "measured") {
      const mark = operations.kind === "unbounded" ? paint("red", "✗") : paint("yellow", "?");
      others.push(`  ${mark} ${scenario.name}: ${formatCosts(operations)}`);
      continue;
    }
    for (const { operation, accesses } of operations.costs)
      if (accesses > (worst.get(operation)?.accesses ?? 0)) worst.set(operation, { accesses, name: scenario.name });
  }
  const rows = [...worst].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const heading = ["", `${"operation".padEnd(26)}  ${"accesses".padStart(8)}  at worst in`];
  return [
    ...heading,
    ...rows.map(
      ([operation, { accesses, name }]) => `  ${operation.padEnd(24)}  ${String(accesses).padStart(8)}  ${name}`,
    ),
    ...others,
    "",
  ];
}

function symbolOf(result: ScenarioResult): string {
  if (result.kind === "passed") return paint("green", "✓");
  return result.kind === "violated" ? paint("red", "✗") : paint("yellow", "?");
}

function messageOf(result: ScenarioResult): string | null {
  if (result.kind === "passed") return null;
  return result.kind === "violated" ? result.message : result.reason;
}

const count = (value: number, width: number, unit: string): string =>
  `${value.toLocaleString("en-US").padStart(width)} ${unit}`;

function write(line: string): void {
  process.stdout.write(`${line}\n`);
}

function print(record: object): void {
  write(JSON.stringify(record));
}
