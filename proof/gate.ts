// Gate: climbs the ladder line by line, and decides at the end whether a run proved what it claims.
//
// Owner: one gate a run. It reads lines in the order of the console and never looks at a clock; a time-out is
// something that its caller gives it.
// Invariants: the first red reason is final; a marker is taken only when every rung before it was taken, and with
// its evidence already shown; `passed` needs every rung, and unless `untilMarker` a summary in which everything agrees and
// a clean power-off too. No line of the kernel's is passed over.
// Partners: ladder.ts, requirements.ts, evidence-log.ts; cli/prove.ts feeds it.
// Clauses: D1, D2, D3, D5, D6, D8, on the host's side (docs/contract.md).

import { EventKind } from "../abi/events.ts";
import { IPI_NAMES } from "../abi/markers.ts";
import { IpiPath, MachineError, PowerOff } from "../abi/results.ts";
import type { RunOutcome } from "../machines/machine-run.ts";
import { type ConsoleLine, type EvidenceEvent, type Fields, parseConsoleLine } from "./console-line.ts";
import { Evidence } from "./evidence-log.ts";
import { type Rung, ladderFor } from "./ladder.ts";
import { shortfall } from "./requirements.ts";
import { Sequence, cpusBefore } from "./sequence.ts";
import { Summary } from "./summary.ts";
import { type Verdict, failed } from "./verdict.ts";

/** Both machines count time alike. */
const TICKS_PER_SECOND = 10_000_000;
/** A device begins at a page. */
const DEVICE_ALIGNMENT = 4096;

export interface GateOptions {
  readonly machine: "sim" | "virt";
  readonly harts: number;
  /** What the BOOT line must call the way of an IPI (`firmware`, `aclint-sswi`): no other path is taken in silence. */
  readonly ipi: string;
  /** The last marker ends the proof; what comes after it is not waited for. */
  readonly untilMarker: boolean;
  /** The machine was asked to refuse sends: each must be on record, but is not held against the kernel. */
  readonly refusedSends?: boolean;
}

/** How a run ended, as far as the gate is concerned; `timed-out` comes from the caller. */
export type Ending = RunOutcome | { readonly kind: "timed-out"; readonly after: string };

export class Gate {
  readonly evidence = new Evidence();
  readonly ladder: readonly Rung[];
  readonly summary: Summary;
  private readonly sequence: Sequence;
  private readonly options: GateOptions;
  private readonly reasons: string[] = [];
  private climbed = 0;
  private bootHart = -1;
  private isAnnounced = false;
  private result: "none" | "passed" | "failed" = "none";

  constructor(options: GateOptions) {
    this.options = options;
    this.ladder = ladderFor(options.harts);
    const refusedSends = options.refusedSends === true;
    this.sequence = new Sequence({ harts: options.harts, refusedSends });
    this.summary = new Summary({ harts: options.harts, refusedSends });
  }

  /** Takes one console line (without its line end) and hands back how it was read. */
  feed(text: string): ConsoleLine {
    const line = parseConsoleLine(text);
    if (this.result !== "none") this.fail(`a line follows the result: ${JSON.stringify(text)}`);
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
    if (ending.kind === "stopped") return { kind: "inconclusive", reason: `stopped; ${this.missingMessage()}` };
    const reasons = [...endingReasons(ending), ...this.leftoverReasons()];
    return reasons.length === 0 ? { kind: "passed" } : failed(...reasons);
  }

  private take(line: ConsoleLine): void {
    switch (line.kind) {
      case "marker":
        return this.climb(line.marker);
      case "evidence":
        return this.takeEvidence(line.event);
      case "fail":
        return this.fail(`the kernel reports: ${line.reason}`);
      case "panic":
        return this.fail(`the kernel panicked: ${line.reason}`);
      case "malformed":
        return this.fail(line.reason);
      case "boot":
        return this.compareBoot(line.fields);
      case "user":
        return this.takeInSummary(this.summary.takeUser(line));
      case "task":
        return this.takeInSummary(this.summary.takeTask(line.fields));
      case "tasks":
        return this.takeInSummary(this.summary.takeTasks(line.fields));
      case "hart":
        return this.takeInSummary(this.summary.takeHart(line.fields));
      case "resched":
        return this.takeInSummary(this.summary.takeRequests(line.fields));
      case "result":
        return this.takeResult(line.passed);
      case "other":
        // Before its BOOT line the console is the firmware's.
        if (this.isAnnounced) this.fail("a line that is neither the kernel's nor a task's");
        return;
      default:
        line satisfies never;
    }
  }

  private climb(marker: string): void {
    if (!this.isAnnounced) return this.fail(`"${marker}" came before the BOOT line`);
    const rung = this.ladder[this.climbed];
    if (rung?.marker !== marker) return this.fail(this.misplacedMessage(marker, rung));
    const missing = shortfall(rung, this.options.harts, this.evidence);
    this.sequence.closeSection(cpusBefore(rung));
    const faults = [...this.evidence.faults(), ...this.sequence.faults];
    if (missing !== null) this.fail(`"${marker}" without its evidence: ${missing}`);
    for (const fault of faults) this.fail(`the evidence does not hold: ${fault}`);
    if (this.isRed) return;
    this.climbed += 1;
    this.evidence.turnPage();
  }

  private misplacedMessage(marker: string, expected: Rung | undefined): string {
    if (this.reached.some((rung) => rung.marker === marker)) return `marker repeated: "${marker}"`;
    if (!this.ladder.some((rung) => rung.marker === marker)) {
      return `"${marker}" does not belong to a run on ${this.options.harts} hart${this.options.harts === 1 ? "" : "s"}`;
    }
    return `marker out of order: "${marker}" came where "${expected?.marker ?? "nothing"}" was expected`;
  }

  private takeEvidence(event: EvidenceEvent): void {
    if (!this.isAnnounced) return this.fail("evidence came before the BOOT line");
    if (this.missing.length === 0) return this.fail("evidence came after the last marker");
    this.evidence.add(event);
    this.sequence.add(event);
    if (event.kind === EventKind.StartFailed) {
      return this.fail(`hart ${event.request} did not start (error ${event.detail})`);
    }
    if (event.kind === EventKind.SendFailed && this.options.refusedSends !== true) {
      if (this.hasReached("ipi-counterfactual")) {
        return this.fail(`an IPI to cpu${event.of} failed (error ${event.detail})`);
      }
      if (event.detail !== MachineError.InvalidParameter) {
        this.fail(`a send to a hart that is not there failed with ${event.detail}`);
      }
    }
  }

  /** A line of the summary; fault: why it cannot stand here. */
  private takeInSummary(fault: string | null): void {
    if (this.missing.length > 0) {
      return this.fail(`a line of the tasks or the summary came before the last marker; ${this.missingMessage()}`);
    }
    if (fault !== null) this.fail(fault);
  }

  private compareBoot(fields: Fields): void {
    if (this.isAnnounced) return this.fail("the BOOT line was printed twice");
    this.isAnnounced = true;
    const { harts, ipi } = this.options;
    const found = (name: string): string => fields.get(name) ?? "none";
    if (found("harts") !== String(harts)) {
      this.fail(`the kernel found ${found("harts")} harts where the machine has ${harts}`);
    }
    if (found("cpus") !== found("harts")) this.fail(`${found("cpus")} of ${found("harts")} harts got a CPU`);
    if (found("ipi") !== ipi) this.fail(`IPIs travel by ${found("ipi")} where ${ipi} was asked for`);
    const [device, covered] = [Number(found("ipi-device")), Number(found("sswi-covers"))];
    const isSswi = ipi === IPI_NAMES.split(" ")[IpiPath.AclintSswi];
    const isDevice = device > 0 && device % DEVICE_ALIGNMENT === 0 && covered === harts;
    if (isSswi ? !isDevice : device !== 0 || covered !== 0) {
      this.fail(`the IPI device at ${device} rings ${covered} CPUs, which does not go with ${ipi}`);
    }
    if (Number(found("ticks-per-second")) !== TICKS_PER_SECOND) {
      this.fail(`the kernel counts ${found("ticks-per-second")} ticks a second, the machine ${TICKS_PER_SECOND}`);
    }
    this.bootHart = Number(found("boot-hart"));
  }

  private takeResult(passed: boolean): void {
    if (this.result !== "none") return this.fail("the result was printed twice");
    this.result = passed ? "passed" : "failed";
    if (passed) this.takeInSummary(this.summary.takeResult());
    if (!passed) this.fail("the kernel reports RESULT: failed");
  }

  private leftoverReasons(): string[] {
    const reasons: string[] = [];
    if (this.missing.length > 0) reasons.push(this.missingMessage());
    if (this.result === "none") reasons.push("missing: the RESULT line");
    for (const fault of [...this.evidence.faults(), ...this.evidence.doubts(), ...this.sequence.faults]) {
      reasons.push(`the evidence does not hold: ${fault}`);
    }
    if (reasons.length > 0) return reasons;
    const [stolen] = this.evidence.shown(EventKind.Stolen);
    const shownOf = (cpu: number): number => this.sequence.shownOf(cpu);
    const onRecord = this.sequence.hartOf.get(0);
    if (onRecord !== this.bootHart) return [`cpu0 is hart ${onRecord}, and hart ${this.bootHart} booted`];
    return [...this.summary.faults(this.sequence.hartOf, shownOf, stolen?.request)];
  }

  private missingMessage(): string {
    const [first, ...rest] = this.missing;
    if (first === undefined) return "every marker was reached";
    return `missing: "${first.marker}"${rest.length > 0 ? ` and ${rest.length} after it` : ""}`;
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
      return [`the machine failed: ${ending.reason}`];
    default:
      return ending satisfies never;
  }
}
