// Choice: one decision about what happens next on the machine, and schedules, which are lists of decisions.
//
// Invariant: `formatSchedule` and `parseSchedule` are inverse to each other, so a schedule can be printed and replayed.
// Partners: machine.ts applies choices; strategy.ts makes them.

/** `hart` is the hart's place in the machine's list of harts, not its hart id. */
export type Choice =
  /** The hart goes on to its next pause. */
  | { readonly kind: "advance"; readonly hart: number }
  /** The hart takes the interrupt that is pending on it. */
  | { readonly kind: "interrupt"; readonly hart: number }
  /** S_SOFT becomes pending on the hart although nobody sent it. */
  | { readonly kind: "spurious"; readonly hart: number }
  /** Time jumps to the next deadline of any hart. */
  | { readonly kind: "elapse" };

export interface ScheduleEntry {
  readonly choice: Choice;
  /** How many times in a row; above 1 only for `advance`. */
  readonly count: number;
}

export type Schedule = readonly ScheduleEntry[];

const LETTERS = { advance: "a", interrupt: "i", spurious: "s", elapse: "t" } as const;

/** One entry as text: `a3*57` (hart 3 goes on 57 times), `i0`, `s2`, `t`. */
export function formatEntry({ choice, count }: ScheduleEntry): string {
  const letter = LETTERS[choice.kind];
  const what = choice.kind === "elapse" ? letter : `${letter}${choice.hart}`;
  return count === 1 ? what : `${what}*${count}`;
}

export function formatSchedule(schedule: Schedule): string {
  return schedule.map(formatEntry).join(" ");
}

export type ParsedSchedule =
  { readonly kind: "schedule"; readonly schedule: Schedule } | { readonly kind: "malformed"; readonly reason: string };

export function parseSchedule(text: string): ParsedSchedule {
  const schedule: ScheduleEntry[] = [];
  for (const word of text.split(/\s+/).filter((part) => part !== "")) {
    const entry = parseEntry(word);
    if (entry === undefined) {
      const reason = `schedule entry ${schedule.length + 1}, "${word}", is not one of a<hart>[*count], i<hart>, s<hart>, t`;
      return { kind: "malformed", reason };
    }
    schedule.push(entry);
  }
  return { kind: "schedule", schedule };
}

function parseEntry(word: string): ScheduleEntry | undefined {
  if (word === LETTERS.elapse) return { choice: { kind: "elapse" }, count: 1 };
  const match = /^([ais])(\d{1,2})(?:\*(\d{1,9}))?$/.exec(word);
  if (match === null) return undefined;
  const hart = Number(match[2]);
  const count = match[3] === undefined ? 1 : Number(match[3]);
  if (count === 0) return undefined;
  if (match[1] === LETTERS.advance) return { choice: { kind: "advance", hart }, count };
  if (count !== 1) return undefined;
  return { choice: { kind: match[1] === LETTERS.interrupt ? "interrupt" : "spurious", hart }, count };
}

export function sameChoice(left: Choice, right: Choice): boolean {
  if (left.kind === "elapse" || right.kind === "elapse") return left.kind === right.kind;
  return left.kind === right.kind && left.hart === right.hart;
}

/** What has been applied so far, neighbours of the same kind joined. */
export class Recording {
  private entries: ScheduleEntry[] = [];

  add(choice: Choice, count: number): void {
    const last = this.entries.at(-1);
    if (choice.kind === "advance" && last !== undefined && sameChoice(last.choice, choice)) {
      this.entries[this.entries.length - 1] = { choice, count: last.count + count };
    } else {
      this.entries.push({ choice, count });
    }
  }

  schedule(): Schedule {
    return this.entries.slice();
  }

  replace(schedule: Schedule): void {
    this.entries = schedule.slice();
  }
}
