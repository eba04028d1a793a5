// Strategy: who decides what happens next on a machine. A machine lists its choices; a strategy picks.
//
// Invariant: a strategy's decisions follow from its seed or schedule and from what it is shown, and nothing else.
// Partners: choice.ts (what can be chosen); runner.ts, which asks and applies.

import { type Choice, formatEntry, type Schedule, sameChoice } from "./choice.ts";
import { Random } from "./random.ts";

export interface Decision {
  readonly choice: Choice;
  /** Steps at most, for `advance`; 1 else. */
  readonly count: number;
  /** End the advance early, as soon as an interrupt could be taken by the hart that goes on. */
  readonly untilInterrupt: boolean;
}

/** A strategy's answer: a decision, nothing more to decide, or a schedule that does not fit this machine. */
export type Answer =
  | ({ readonly kind: "decision" } & Decision)
  | { readonly kind: "exhausted" }
  | { readonly kind: "mismatch"; readonly reason: string };

export interface Strategy {
  /** `choices` is not empty. */
  next(choices: readonly Choice[]): Answer;
}

/** In how many of 16 cases a hart that could take an interrupt takes it rather than go on. */
const PROMPT_OF_16 = 14;
/** In how many of 1024 cases an offered spurious interrupt is looked at as a choice like the others. */
const SPURIOUS_OF_1024 = 8;

/** Longest stretches of the phases of a run: fine ones look into narrow windows, coarse ones get programs forward. */
const STRETCHES_MAX = [1, 3, 24, 1024];

/** The same where times matter: harts keep abreast of each other, to a few steps. */
export const EVEN_STRETCHES_MAX: readonly number[] = [64];

/** Picks harts at random, each for a stretch of random length; how long it may be changes from phase to phase. */
export class SeededStrategy implements Strategy {
  private readonly random: Random;
  private stretchMax = 1;
  private decisionsLeft = 0;

  constructor(
    seed: number,
    private readonly stretchesMax: readonly number[] = STRETCHES_MAX,
  ) {
    this.random = new Random(seed);
  }

  next(choices: readonly Choice[]): Answer {
    const { random } = this;
    const among = choices.some((choice) => choice.kind === "spurious") ? this.narrow(choices) : choices;
    let choice = among[random.below(among.length)] as Choice;
    if (choice.kind === "advance" && random.below(16) < PROMPT_OF_16) {
      const { hart } = choice;
      choice = among.find((other) => other.kind === "interrupt" && other.hart === hart) ?? choice;
    }
    if (choice.kind !== "advance") return { kind: "decision", choice, count: 1, untilInterrupt: false };
    return { kind: "decision", choice, count: this.stretch(), untilInterrupt: true };
  }

  /** Leaves spurious interrupts out but for once in a while: they are offered at every turn. */
  private narrow(choices: readonly Choice[]): readonly Choice[] {
    const usual = choices.filter((choice) => choice.kind !== "spurious");
    return usual.length === 0 || this.random.below(1024) < SPURIOUS_OF_1024 ? choices : usual;
  }

  private stretch(): number {
    const { random } = this;
    if (this.decisionsLeft === 0) {
      this.stretchMax = this.stretchesMax[random.below(this.stretchesMax.length)] ?? 1;
      this.decisionsLeft = 16 + random.below(64);
    }
    this.decisionsLeft -= 1;
    return 1 + random.below(this.stretchMax);
  }
}

/** Follows a schedule to its end, then the other strategy, if there is one. */
export class ScheduledStrategy implements Strategy {
  private position = 0;

  constructor(
    private readonly schedule: Schedule,
    private readonly afterwards?: Strategy,
  ) {}

  next(choices: readonly Choice[]): Answer {
    const entry = this.schedule[this.position];
    if (entry === undefined) return this.afterwards?.next(choices) ?? { kind: "exhausted" };
    this.position += 1;
    // A spurious interrupt can come at any time, so it fits even where it is not offered.
    if (entry.choice.kind !== "spurious" && !choices.some((choice) => sameChoice(choice, entry.choice))) {
      const reason = `schedule entry ${this.position}, "${formatEntry(entry)}", cannot happen on this machine now`;
      return { kind: "mismatch", reason };
    }
    return { kind: "decision", choice: entry.choice, count: entry.count, untilInterrupt: false };
  }
}
