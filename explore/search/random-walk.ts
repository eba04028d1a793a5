// Random walk: single schedules drawn by a seed, for a first look and for what cannot be exhausted.
//
// PCT gives each thread a random priority and lowers the leader's at a few random steps: a bug that needs d ordering
// constraints among n threads and k steps shows up with probability at least 1 / (n * k^(d-1)) a walk (Burckhardt et al.,
// ASPLOS 2010). Unlike there, k is an estimate, and a thread whose step changes nothing gets the lowest priority.
// Owner: none. Invariant: the same seed gives the same walks.
// Pairs with: first-look.ts, which walks before it searches (violations and contended words show up early).

import type { Program } from "../program/program.ts";
import { CONTROL } from "../instrument/engine-layout.ts";
import type { Found } from "./session.ts";
import { assertDefined } from "../../wasm/assert-defined.ts";

/** xorshift32; the seed 0 is replaced, because it would stay 0. */
export class Random {
  private state: number;
  constructor(seed: number) {
    this.state = seed | 0 || 0x9e3779b9;
  }
  /** An integer from 0 to below `bound`. */
  below(bound: number): number {
    let x = this.state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state = x | 0;
    return (x >>> 0) % bound;
  }
}

export type WalkOutcome =
  { readonly kind: "ended" | "cut" | "restart"; readonly steps: number } | ({ readonly kind: "violated" } & Found);

export interface WalkOptions {
  readonly strategy: "uniform" | "pct";
  readonly stepsMax: number;
  /** PCT: priority changes in a walk. */
  readonly changes: number;
  /** PCT: an estimate of the steps of a walk. */
  readonly stepsExpected: number;
  /** Called with each state on the way. */
  readonly onState?: (low: number, high: number) => void;
}

function choicesIn(mask: number): number[] {
  const list: number[] = [];
  for (let rest = mask; rest !== 0; rest &= rest - 1) list.push(31 - Math.clz32(rest & -rest));
  return list;
}

/** One walk from the state that `prefix`, applied already, leads to. The program stays where the walk ends. */
export function walk(program: Program, random: Random, prefix: readonly number[], options: WalkOptions): WalkOutcome {
  const schedule = [...prefix];
  const priorities = Array.from({ length: program.threads }, () => options.changes + 1 + random.below(1 << 20));
  const changes = new Map<number, number>();
  for (let i = 0; i < options.changes; i++) changes.set(random.below(Math.max(1, options.stepsExpected)), i);
  for (let steps = 0; steps < options.stepsMax; steps++) {
    const choices = choicesIn(program.enabled);
    if (choices.length === 0) return { kind: "ended", steps };
    let choice = assertDefined(choices[random.below(choices.length)]);
    if (options.strategy === "pct") {
      for (const other of choices)
        if (assertDefined(priorities[other & 15]) > assertDefined(priorities[choice & 15])) choice = other;
      const lowered = changes.get(steps);
      if (lowered !== undefined) priorities[choice & 15] = lowered;
    }
    const [low, high] = [program.low, program.high];
    const violation = program.apply(choice);
    schedule.push(choice);
    // Whether the bound on plain loops is too low, others may find out.
    if (violation?.kind === "plain-loop") return { kind: "cut", steps };
    if (violation) return { kind: "violated", violation, schedule, known: program.words.known };
    if (program.i32[CONTROL.raceTrackedNew >> 2] !== 0) return { kind: "restart", steps };
    options.onState?.(program.low, program.high);
    // A thread that only spins gives way to the others.
    if (program.low === low && program.high === high) priorities[choice & 15] = -steps;
    const bad = program.judge();
    if (bad?.kind === "plain-loop") return { kind: "cut", steps };
    if (bad) return { kind: "violated", violation: bad, schedule, known: program.words.known };
    if (program.logIsFull) return { kind: "cut", steps };
  }
  return { kind: "cut", steps: options.stepsMax };
}
