// Soak report: how far a soak is, on a terminal, and what it came to, on stdout.
//
// Partners: soak.ts gives the state after each chunk; soak-replay.ts has the command of a failure.

import { countLabel } from "../proof/soak/tally.ts";
import type { Chunk, SoakSetup } from "../proof/soak/soak-setup.ts";
import { paint } from "./paint.ts";
import { replayCommand } from "./soak-replay.ts";
import { doneWithin, type KnownFailure, SOAK_FORMAT, SOAK_VERSION, soakFolder, type SoakState } from "./soak-state.ts";

const CLEAR_LINE = "\r\u001b[K";
const INTERVAL_MILLISECONDS = 200;
/** Failures that the list on stdout names; the state file has more. */
const FAILURES_LISTED_MAX = 20;

export interface ReportOptions {
  readonly json: boolean;
  /** The image that was kept for replays; null on sim. */
  readonly kept: string | null;
}

export class SoakReport {
  private readonly started = performance.now();
  private readonly doneBefore: number;
  private drawnAt = Number.NEGATIVE_INFINITY;

  constructor(
    state: SoakState,
    private readonly asked: Chunk,
    private readonly options: ReportOptions,
  ) {
    this.doneBefore = doneWithin(state.done, asked.from, asked.to);
    if (this.doneBefore > 0)
      process.stderr.write(`hartbeat: goes on after ${this.doneBefore.toLocaleString("en")} ${unitOf(state.setup)}\n`);
  }

  /** Draws the running tally where stderr is a terminal. */
  progress(state: SoakState): void {
    if (!process.stderr.isTTY || performance.now() - this.drawnAt < INTERVAL_MILLISECONDS) return;
    this.drawnAt = performance.now();
    const done = doneWithin(state.done, this.asked.from, this.asked.to);
    const perSecond = ((done - this.doneBefore) * 1000) / (this.drawnAt - this.started);
    const left = (this.asked.to - this.asked.from - done) / perSecond;
    const progress = `${title(state.setup)}: ${this.doneLabel(state)}, ${state.tally.failed} failed`;
    process.stderr.write(`${CLEAR_LINE}${progress}, ${perSecond.toFixed(1)} a second, ${durationLabel(left)} left`);
  }

  end(state: SoakState): void {
    if (process.stderr.isTTY) process.stderr.write(CLEAR_LINE);
    if (this.options.json) return this.printJson(state);
    for (const failure of state.failures.slice(0, FAILURES_LISTED_MAX)) this.printFailure(state.setup, failure);
    const unlisted = state.tally.failed - Math.min(state.failures.length, FAILURES_LISTED_MAX);
    if (unlisted > 0) process.stdout.write(`and ${unlisted} more, see ${soakFolder(state.setup, state.images)}\n`);
    const counts = countLabel(state.tally);
    if (counts !== "") process.stdout.write(`${counts}\n`);
    const verdict =
      state.tally.failed > 0
        ? paint("red", "FAIL")
        : this.isWhole(state)
          ? paint("green", "PASS")
          : paint("yellow", "STOPPED");
    process.stdout.write(`${verdict} ${title(state.setup)}: ${this.doneLabel(state)}, ${state.tally.failed} failed\n`);
    const [first] = state.failures;
    if (first !== undefined) process.stdout.write(`${replayCommand(state.setup, first.number, this.options.kept)}\n`);
  }

  private printJson(state: SoakState): void {
    const { setup, images, tally, done, failures } = state;
    const object = {
      format: SOAK_FORMAT,
      version: SOAK_VERSION,
      setup,
      images,
      asked: this.asked,
      done,
      tally,
      failures,
    };
    process.stdout.write(`${JSON.stringify(object)}\n`);
  }

  private printFailure(setup: SoakSetup, { number, reasons, folder }: KnownFailure): void {
    const name = setup.machine === "sim" ? `seed ${number}` : `boot ${number}`;
    process.stdout.write(
      `${paint("red", "FAIL")} ${name}: ${reasons[0] ?? "no reason"}${folder === null ? "" : ` (${folder})`}\n`,
    );
  }

  private isWhole(state: SoakState): boolean {
    return doneWithin(state.done, this.asked.from, this.asked.to) === this.asked.to - this.asked.from;
  }

  private doneLabel(state: SoakState): string {
    const done = doneWithin(state.done, this.asked.from, this.asked.to).toLocaleString("en");
    return `${done} of ${(this.asked.to - this.asked.from).toLocaleString("en")} ${unitOf(state.setup)}`;
  }
}

function title({ machine, harts, ipi, programs, faults }: SoakSetup): string {
  const more = [
    ipi === "firmware" ? "" : ` ipi=${ipi}`,
    programs === "default" ? "" : ` programs=${programs}`,
    faults ? " faults" : "",
  ];
  return `${machine} smp=${harts}${more.join("")}`;
}

function unitOf({ machine }: SoakSetup): string {
  return machine === "sim" ? "seeds" : "boots";
}

function durationLabel(seconds: number): string {
  if (!Number.isFinite(seconds)) return "an unknown time";
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  return seconds < 5400 ? `${Math.ceil(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
