// Gate: climbs the ladder line by line, and says at the end whether a run proved what it claims.
//
// Owner: one gate a run. It reads lines in the order of the console and never looks at a clock; a time-out is
// something that its caller tells it.
// Invariants: the first red reason is final; a marker is taken only when every rung before it was taken, and with
// its evidence already shown; `passed` needs every rung, and unless `untilMarker` a clean power-off too.
// Partners: ladder.ts, requirements.ts, evidence.ts; cli/prove.ts feeds it.
// Fulfils: D1, D2, D3, D5, D6, on the host's side (contract.md).

import { EventKind } from "../abi/events.ts";
import { PowerOff } from "../abi/results.ts";
import type { RunOutcome } from "../machines/run.ts";
import { type ConsoleLine, type Fields, parseConsoleLine } from "./console-line.ts";
import { Evidence } from "./evidence.ts";
import { type Rung, ladderFor } from "./ladder.ts";
import { shortfall } from "./requirements.ts";
import { type Verdict, failed } from "./verdict.ts";

export interface GateOptions {
  readonly harts: number;
  /** What the BOOT line must call the way of an IPI (`firmware`, `aclint-sswi`): no other path is taken in silence. */
  readonly ipi: string;
  /** The last marker ends the proof; what comes after it is not waited for. */
  readonly untilMarker: boolean;
  /** The machine was told to refuse sends: each must be on record, but is not held against the kernel. */
  readonly refusedSends?: boolean;
}

/** How a run ended, as far as the gate is concerned; `timed-out` comes from the caller. */
export type Ending = RunOutcome | { readonly kind: "timed-out"; readonly after: string };

export class Gate {
  readonly evidence = new Evidence();
  readonly ladder: readonly Rung[];
  readonly tasks: Fields[] = [];
  readonly harts: Fields[] = [];
  /** What the harts asked of each other. */
  readonly requests: Fields[] = [];
  private readonly options: GateOptions;
  private readonly reasons: string[] = [];
  private climbed = 0;
  private isAnnounced = false;
  private result: "none" | "passed" | "failed" = "none";

  constructor(options: GateOptions) {
    this.options = options;
    this.ladder = ladderFor(options.harts);
  }

  /** Takes one console line (without its line end) and hands back how it was read. */
  feed(text: string): ConsoleLine {
    const line = parseConsoleLine(text);
    this.take(line);
    return line;
  }

  /** Rungs that stand, in order. */
  get reached(): readonly Rung[] {
    return this.ladder.slice(0, this.climbed);
  }

  /** Rungs that are still missing, in order. */
  get missing(): readonly Rung[] {
    return this.ladder.slice(this.climbed);
  }

  /** Whether more lines could change the verdict. */
  get isDecided(): boolean {
    return this.isRed || (this.options.untilMarker && this.missing.length === 0);
  }

  get isRed(): boolean {
    return this.reasons.length > 0;
  }

  /** The verdict for a run that ended so. Ask once, after the last line. */
  conclude(ending: Ending): Verdict {
    if (this.isRed) return failed(...this.reasons);
    if (this.options.untilMarker && this.missing.length === 0) return { kind: "passed" };
    if (ending.kind === "stopped") return { kind: "inconclusive", reason: `stopped; ${this.missingWords()}` };
    const reasons = [...endingReasons(ending), ...this.leftoverReasons()];
    return reasons.length === 0 ? { kind: "passed" } : failed(...reasons);
  }

  private take(line: ConsoleLine): void {
    switch (line.kind) {
      case "marker":
        return this.climb(line.marker);
      case "evidence":
        this.evidence.add(line.event);
        if (line.event.kind === EventKind.StartFailed) {
          return this.fail(`hart ${line.event.request} did not start (error ${line.event.detail})`);
        }
        if (line.event.kind === EventKind.SendFailed && this.holdsSendsAgainst()) {
          return this.fail(`an IPI to cpu${line.event.of} failed (error ${line.event.detail})`);
        }
        return;
      case "fail":
        return this.fail(`the kernel says: ${line.reason}`);
      case "panic":
        return this.fail(`the kernel panicked: ${line.reason}`);
      case "malformed":
        return this.fail(line.reason);
      case "boot":
        return this.compareBoot(line.fields);
      case "task":
        this.tasks.push(line.fields);
        return;
      case "tasks":
        return;
      case "hart":
        this.harts.push(line.fields);
        return;
      case "resched":
        this.requests.push(line.fields);
        return;
      case "result":
        return this.takeResult(line.passed);
      case "other":
        return;
      default:
        line satisfies never;
    }
  }

  private climb(marker: string): void {
    if (!this.isAnnounced) return this.fail(`"${marker}" came before the BOOT line`);
    const rung = this.ladder[this.climbed];
    if (rung?.marker !== marker) return this.fail(this.misplacedWords(marker, rung));
    const missing = shortfall(rung, this.options.harts, this.evidence);
    const faults = this.evidence.faults();
    if (missing !== null) this.fail(`"${marker}" without its evidence: ${missing}`);
    for (const fault of faults) this.fail(`the evidence does not hold: ${fault}`);
    if (this.isRed) return;
    this.climbed += 1;
    this.evidence.turnPage();
  }

  private misplacedWords(marker: string, expected: Rung | undefined): string {
    if (this.reached.some((rung) => rung.marker === marker)) return `marker repeated: "${marker}"`;
    if (!this.ladder.some((rung) => rung.marker === marker)) {
      return `"${marker}" does not belong to a run on ${this.options.harts} hart${this.options.harts === 1 ? "" : "s"}`;
    }
    return `marker out of order: "${marker}" came where "${expected?.marker ?? "nothing"}" was expected`;
  }

  private compareBoot(fields: Fields): void {
    if (this.isAnnounced) return this.fail("the BOOT line was printed twice");
    this.isAnnounced = true;
    const { harts, ipi } = this.options;
    const found = { harts: fields.get("harts"), ipi: fields.get("ipi") };
    if (found.harts !== String(harts)) {
      this.fail(`the kernel found ${found.harts ?? "no number of"} harts where the machine has ${harts}`);
    }
    if (found.ipi !== ipi) this.fail(`IPIs travel by ${found.ipi ?? "no path"} where ${ipi} was asked for`);
  }

  private takeResult(passed: boolean): void {
    if (this.result !== "none") return this.fail("the result was printed twice");
    this.result = passed ? "passed" : "failed";
    if (!passed) this.fail("the kernel says RESULT: failed");
  }

  private leftoverReasons(): string[] {
    const reasons: string[] = [];
    if (this.missing.length > 0) reasons.push(this.missingWords());
    if (this.result === "none") reasons.push("missing: the RESULT line");
    for (const fault of [...this.evidence.faults(), ...this.evidence.doubts()]) {
      reasons.push(`the evidence does not hold: ${fault}`);
    }
    return reasons;
  }

  private missingWords(): string {
    const [first, ...rest] = this.missing;
    if (first === undefined) return "every marker was reached";
    return `missing: "${first.marker}"${rest.length > 0 ? ` and ${rest.length} after it` : ""}`;
  }

  /** The counterfactual provokes a failed send; after it none may fail. */
  private holdsSendsAgainst(): boolean {
    return this.options.refusedSends !== true && this.hasReached("ipi-counterfactual");
  }

  private hasReached(kind: Rung["kind"]): boolean {
    return this.reached.some((rung) => rung.kind === kind);
  }

  private fail(reason: string): void {
    this.reasons.push(reason);
  }
}

/** What is wrong with the way in which the run ended; nothing when the kernel powered off as passed. */
function endingReasons(ending: Exclude<Ending, { kind: "stopped" }>): string[] {
  switch (ending.kind) {
    case "powered-off":
      if (ending.result === PowerOff.Passed) return [];
      return [`the machine powered off as ${PowerOff[ending.result]?.toLowerCase() ?? ending.result}`];
    case "timed-out":
      return [`time-out after ${ending.after}`];
    case "deadlocked":
      return [`deadlock: ${ending.reason}`];
    case "hung":
      return [`the machine hung: ${ending.reason}`];
    case "crashed":
      return [`the machine broke down: ${ending.reason}`];
    default:
      return ending satisfies never;
  }
}
