// Exploration report: what a search ended with, as lines for people or as one object for programs.
//
// Pure: the verb prints. Nothing is reported of the schedules that pass.

import type { Exploration, IncompleteReason } from "../explore/exploration.ts";
import { describeViolation } from "../explore/program/violation.ts";

export const EXPLORATION_FORMAT = "hartbeat-exploration";

const REASONS: Readonly<Record<IncompleteReason, string>> = {
  memory: "the table of states is full; give --memory more, where the machine has it",
  depth: "a schedule is too long for the undo log; does a loop count without end?",
  interrupted: "interrupted",
  transitions: "the bound on transitions was reached",
  random: "random walks prove nothing; nothing was found",
  preemptions: "schedules with more preemptions were left out; nothing was found",
  "plain-loop":
    "a step goes round plain loops for longer than the bound; give --plain-loops more, or make the loop wait with an atomic access",
  contended: "too many words are shared plainly for footprints; use --no-races",
};

export function formatReason(reason: IncompleteReason): string {
  return REASONS[reason];
}

/** Below so many, a rate would measure the start rather than of the search. */
const TRANSITIONS_FOR_A_RATE = 100_000;

/** The numbers of a search, whatever its verdict. */
export function summaryLines(exploration: Exploration): string[] {
  const { states, transitions, transitionsPerSecond, depthMax, seconds, worstSteps, threadNames } = exploration;
  const rate =
    transitions >= TRANSITIONS_FOR_A_RATE ? `, ${count(Math.round(transitionsPerSecond))} transitions a second` : "";
  const lines = [
    `${count(states)} states, ${count(transitions)} transitions${rate}, depth ${depthMax}, ${seconds.toFixed(2)} s`,
  ];
  if (worstSteps)
    lines.push(`steps at worst: ${threadNames.map((name, i) => `${name} ${worstSteps[i] ?? 0}`).join(", ")}`);
  if (exploration.verdict.kind === "passed") {
    const races = exploration.racesChecked ? "checked" : "not checked";
    lines.push(`odds that a state was missed: ${exploration.oddsOfMiss.toExponential(1)}; data races ${races}`);
  }
  return lines;
}

/** What files and commands the verb adds to the object. */
export interface Kept {
  readonly counterexample?: string;
  readonly search?: string;
  /** The command that shows the fault again, or goes on with the search. */
  readonly next?: string;
}

/** The last object of `--json`. */
export function endedRecord(exploration: Exploration, kept: Kept): object {
  const { verdict, artifact, states, transitions, depthMax, seconds, oddsOfMiss, racesChecked } = exploration;
  const numbers = { artifact, states, transitions, depthMax, seconds, oddsOfMiss, racesChecked };
  const worst = exploration.worstSteps === undefined ? {} : { worstSteps: exploration.worstSteps };
  return { kind: "ended", verdict: verdict.kind, ...outcomeOf(exploration), ...numbers, ...worst, ...kept };
}

function outcomeOf({ verdict, threadNames }: Exploration): object {
  switch (verdict.kind) {
    case "passed":
      return {};
    case "incomplete":
      return { reason: verdict.reason };
    case "violated": {
      const { violation, schedule, shortest } = verdict.counterexample;
      const message = describeViolation(violation, (thread) => threadNames[thread] ?? "the check");
      return { violation, message, steps: schedule.length, shortest };
    }
    default:
      return verdict satisfies never;
  }
}

const count = (value: number): string => value.toLocaleString("en-US");
