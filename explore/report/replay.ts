// Replay: runs a schedule again, step by step, on a build of the module that records every access.
//
// Owner: the caller; a Replay holds one program. Invariant: going back is undoing, so forward and back give the same.
// Pairs with: counterexample-search.ts (records steps for a new counterexample), render.ts, the command.

import {
  Op,
  effectOf,
  isAtomic,
  isAtomicLoad,
  isPlainLoad,
  isReadModifyWrite,
  isSizeAccess,
  nameOf,
} from "../../wasm/opcodes.ts";
import { readNames } from "../../wasm/names.ts";
import type { Target } from "../program/target.ts";
import { prepare } from "../program/prepared-target.ts";
import type { Program } from "../program/program.ts";
import type { AccessRecord, Counterexample, StepRecord } from "./counterexample.ts";
import { ACCESS, STATUS } from "../instrument/engine-layout.ts";
import type { Violation } from "../program/violation.ts";
import type { SourceLines } from "../program/source-lines.ts";
import { findSourceLines } from "../program/source-lines.ts";
import { assertDefined } from "../../wasm/assert-defined.ts";

/** Accesses kept of one step. */
const ACCESSES_MAX = 24;

/** A value as the text of its type's bits. */
function format(value: bigint): string {
  return `0x${value.toString(16)}`;
}

/** What a schedule means something with: the words that were known when it was found, and what it was found to show. */
export type Recorded = Pick<Counterexample, "raceTracked" | "violation">;

export class Replay {
  private readonly begin: () => Program;
  private program: Program;
  private readonly sites;
  private readonly names;
  private readonly lines: SourceLines;
  private readonly marks: number[] = [];
  private readonly choices: number[] = [];

  /** Throws what `prepare` throws. `source` is the text of the module's source map, or its lines themselves. */
  constructor(target: Target, { raceTracked, violation }: Recorded, source?: string | SourceLines) {
    const prepared = prepare(target, true);
    this.sites = prepared.instrumented.sites;
    this.names = readNames(prepared.module);
    this.lines = findSourceLines(prepared.module, source);
    this.begin = () => {
      const program = prepared.newProgram();
      program.words.expect(raceTracked, violation);
      program.takeTrace();
      return program;
    };
    this.program = this.begin();
  }

  /** What is wrong in the state that it stands in. */
  judge(): Violation | undefined {
    const violation = this.program.judge();
    this.program.takeTrace();
    return violation;
  }

  get position(): number {
    return this.marks.length;
  }
  /** Can this choice be made now? */
  fits(choice: number): boolean {
    return ((this.program.enabled >>> choice) & 1) === 1;
  }

  forward(choice: number): { readonly step: StepRecord; readonly violation: Violation | undefined } {
    this.marks.push(this.program.mark);
    this.choices.push(choice);
    const pending = this.pending(choice);
    let violation = this.program.apply(choice);
    const accesses = this.records();
    // A wait that falls asleep, and an access that fails, leave no values: say at least what it was.
    if (pending && !accesses.some(({ atomic }) => atomic)) accesses.unshift(pending);
    violation ??= this.program.judge();
    this.program.takeTrace();
    const kept = accesses.slice(0, ACCESSES_MAX);
    return { step: { choice, thread: choice & 15, accesses: kept, omitted: accesses.length - kept.length }, violation };
  }

  /** Takes the last step back; false at the start. */
  back(): boolean {
    const mark = this.marks.pop();
    if (mark === undefined) return false;
    this.choices.pop();
    this.program.undo(mark);
    this.program.engine.finish();
    if (this.program.words.metNewWord) this.restartWithout();
    return true;
  }

  /** The step that was taken back has shown that a word is shared: with that known, steps would pause elsewhere. */
  private restartWithout(): void {
    this.program = this.begin();
    for (const [index, choice] of this.choices.entries()) {
      this.marks[index] = this.program.mark;
      void this.program.apply(choice);
    }
    this.program.takeTrace();
  }

  /** The atomic access that a thread is about to make. */
  private pending(choice: number): AccessRecord | undefined {
    const { program } = this;
    const kind = choice < 16 ? program.pendingSite(choice) & 15 : ACCESS.none;
    if (kind === ACCESS.none || program.status(choice) !== STATUS.ready) return undefined;
    const { op, at, functionIndex } = assertDefined(this.sites[program.pendingSite(choice) >>> 8]);
    const source = this.lines(at);
    return {
      function: this.names.functionName(functionIndex),
      operation: nameOf(op),
      address: program.pendingAddress(choice) >>> 0,
      atomic: true,
      at,
      ...(source === undefined ? {} : { source }),
    };
  }

  private records(): AccessRecord[] {
    const list: AccessRecord[] = [];
    const trace = this.program.takeTrace();
    for (let i = 0; i < trace.length; i++) {
      const { site, address, value } = assertDefined(trace[i]);
      const { op, at, functionIndex } = assertDefined(this.sites[site]);
      const source = this.lines(at);
      const base = {
        function: this.names.functionName(functionIndex),
        operation: nameOf(op),
        address,
        atomic: isAtomic(op) || isSizeAccess(op),
        at,
        ...(source === undefined ? {} : { source }),
      };
      const reads = isAtomic(op) ? isAtomicLoad(op) : isPlainLoad(op);
      if (isReadModifyWrite(op) || op === Op["memory.grow"]) {
        // A read-modify-write leaves two entries: what was there and, where it wrote, what it became.
        const after = trace[i + 1];
        const wrote = after?.site === site && after.address === address ? after.value : undefined;
        if (wrote !== undefined) i++;
        list.push({ ...base, read: format(value), ...(wrote === undefined ? {} : { wrote: format(wrote) }) });
      } else if (reads || assertDefined(effectOf(op)).gives.length > 0) list.push({ ...base, read: format(value) });
      else list.push({ ...base, wrote: format(value) });
    }
    return list;
  }
}

/** A schedule that was found does not show its violation again. A fault of the explorer, never of the module. */
export class DivergedReplay extends Error {
  constructor(step: number, reason: string) {
    super(`a counterexample that was found does not replay: step ${step}: ${reason}`);
  }
}

/**
 * Runs a whole schedule in another program, and records it up to where something is wrong. Throws DivergedReplay when a
 * choice cannot be made, or when nothing is wrong in the end.
 */
export function recordSteps(
  target: Target,
  recorded: Recorded,
  schedule: readonly number[],
  source?: string | SourceLines,
): { readonly steps: readonly StepRecord[]; readonly violation: Violation } {
  const player = new Replay(target, recorded, source);
  const steps: StepRecord[] = [];
  const early = player.judge();
  if (early) return { steps, violation: early };
  for (const choice of schedule) {
    if (!player.fits(choice)) throw new DivergedReplay(steps.length + 1, `choice ${choice} cannot be made`);
    const { step, violation } = player.forward(choice);
    steps.push(step);
    if (violation) return { steps, violation };
  }
  // A livelock is no single state: arriving there is all that a schedule can show.
  if (recorded.violation.kind === "livelock") return { steps, violation: recorded.violation };
  throw new DivergedReplay(steps.length, `nothing is wrong after it, where there was: ${recorded.violation.kind}`);
}

export type ReplayOutcome =
  | { readonly kind: "reproduced"; readonly violation: Violation; readonly steps: readonly StepRecord[] }
  /** The step that no longer does what it did; `step` counts from 1. */
  | { readonly kind: "diverged"; readonly step: number; readonly reason: string }
  /** Every step fits, and nothing is wrong any more, or something else. */
  | { readonly kind: "different"; readonly violation: Violation | undefined };

const brief = (record: StepRecord | undefined): string => {
  const access = record?.accesses.find(({ atomic }) => atomic) ?? record?.accesses[0];
  return access ? `${access.operation} in ${access.function} at address 0x${access.address.toString(16)}` : "no access";
};

/** Why a step is not the one that was recorded, or undefined; `taken`: what it is now, undefined where it cannot be. */
export function differenceOf(
  { threadNames }: Counterexample,
  choice: number,
  recorded: StepRecord | undefined,
  taken: StepRecord | undefined,
): string | undefined {
  const name = threadNames[choice & 15] ?? `thread ${choice & 15}`;
  if (taken === undefined) return `${name} cannot ${choice >= 16 ? "time out" : "step"} there any more`;
  const [before, now] = [brief(recorded), brief(taken)];
  return before === now ? undefined : `${name} did ${before}, and does ${now} now`;
}

/** Replays a saved counterexample against a module, which may have changed since. */
export function replay(counterexample: Counterexample, wasm: Uint8Array, source?: string | SourceLines): ReplayOutcome {
  const player = new Replay({ ...counterexample.target, wasm }, counterexample, source);
  const steps: StepRecord[] = [];
  const early = player.judge();
  if (early) {
    const same = early.kind === counterexample.violation.kind && counterexample.schedule.length === 0;
    return same ? { kind: "reproduced", violation: early, steps } : { kind: "different", violation: early };
  }
  for (const [index, choice] of counterexample.schedule.entries()) {
    const taken = player.fits(choice) ? player.forward(choice) : undefined;
    const reason = differenceOf(counterexample, choice, counterexample.steps[index], taken?.step);
    if (taken === undefined || reason !== undefined)
      return { kind: "diverged", step: index + 1, reason: reason ?? "it cannot be taken" };
    const { step, violation } = taken;
    steps.push(step);
    if (violation) {
      const same = violation.kind === counterexample.violation.kind && index === counterexample.schedule.length - 1;
      return same ? { kind: "reproduced", violation, steps } : { kind: "different", violation };
    }
  }
  const { violation } = counterexample;
  // A livelock is no single state: arriving there is all that a schedule can show.
  return violation.kind === "livelock"
    ? { kind: "reproduced", violation, steps }
    : { kind: "different", violation: undefined };
}
