// Fault plan: the faults that one run of a long series is given, as they follow from its seed.
//
// Most are survived: the run must pass all the same. A send that is refused may hit a step of the selftests, which then
// has to end the run with a FAIL line. A hart that is missing must always end it so.
// Invariant: a seed and a number of harts have one plan.
// Partners: options.ts has the faults; proof/soak judges by `expects`.

import { CONSOLE_TURN_BYTES, CPUS_MAX } from "../../abi/layout.ts";
import { MachineError } from "../../abi/results.ts";
import type { Faults, SimOptions } from "./options.ts";
import { Random } from "./random.ts";

export type FaultKind =
  | "late sends"
  | "doubled sends"
  | "refused sends"
  | "S_SOFT storms"
  | "timer storms"
  | "late harts"
  | "missing hart"
  | "refused hart"
  | "no HSM"
  | "more harts than CPUs"
  | "slow console"
  | "hart ids with gaps";

export type FaultExpectation =
  /** As if nothing had happened. */
  | "passes"
  /** The same, or a FAIL line that names the send of a selftest. */
  | "passes-or-names-the-send"
  /** A FAIL line, RESULT: failed, and no claim that all harts are online. */
  | "stops"
  /** The kernel passes on CPUS_MAX harts, reports that there are more, and the gate is red for it. */
  | "leaves-harts-out";

export interface FaultPlan {
  readonly options: SimOptions;
  readonly kinds: readonly FaultKind[];
  readonly expects: FaultExpectation;
}

/** Sends of a run that may be given a fault: those of the boot and the first of its tasks. */
const SENDS_MAX = 90;
/** When storms begin: an ordinary run is over within this many ticks. */
const STORM_BEGIN_TICKS_MAX = 300_000;
/** How late: within a step's time, within a system call's, over several ticks of the kernel. */
const LATENESS_TICKS_MAX = [8, 300, 5000, 60_000];
const START_TICKS_MAX = 3_000_000;
const STORM_LENGTH_MAX = 40;
const EXTRA_HARTS_MAX = 8;
/** Counted up whenever a seed comes to another plan: what was run with other plans holds for none of these. */
export const FAULT_PLAN_VERSION = 2;
/** The seeds of schedules and of plans shall have nothing in common. */
const PLAN_SALT = 0x5eed_fa17;

/** Of the plan's own seed; the schedule follows from the seed itself. */
export function faultPlanFor(seed: number, machine: Omit<SimOptions, "faults" | "hartIds" | "bootHart">): FaultPlan {
  const random = new Random((seed ^ PLAN_SALT) >>> 0);
  // The first number is the same for every seed below 2^32: it follows from the seed's high half alone.
  random.next();
  const kinds: FaultKind[] = [];
  const pick = (kind: FaultKind, of16: number): boolean => {
    const taken = random.below(16) < of16;
    if (taken) kinds.push(kind);
    return taken;
  };
  const more = machine.harts === CPUS_MAX && pick("more harts than CPUs", 4) ? 1 + random.below(EXTRA_HARTS_MAX) : 0;
  const harts = machine.harts + more;
  const hartIds = pick("hart ids with gaps", 4) ? scattered(random, harts) : undefined;
  const ids = hartIds ?? Array.from({ length: harts }, (_, index) => index);
  const bootHart = ids[hartIds === undefined ? 0 : random.below(ids.length)] ?? 0;
  const others = ids.filter((id) => id !== bootHart);

  const faults: Mutable<Faults> = {};
  if (pick("late sends", 6)) faults.lateSends = sends(random).map((nth) => ({ nth, ticks: lateness(random) }));
  if (pick("doubled sends", 5)) faults.doubledSends = sends(random).map((nth) => ({ nth, ticks: lateness(random) }));
  const storms: Storm[] = [];
  if (pick("S_SOFT storms", 5)) storms.push(...storm(random, ids, "soft"));
  if (pick("timer storms", 5)) storms.push(...storm(random, ids, "timer"));
  if (storms.length > 0) faults.storms = storms;
  if (others.length > 0 && pick("late harts", 4)) {
    faults.lateStarts = some(random, others).map((hart) => ({ hart, ticks: below(random, START_TICKS_MAX) }));
  }
  if (pick("slow console", 4)) faults.consoleBytes = 1 + random.below(random.below(2) === 0 ? 4 : CONSOLE_TURN_BYTES);
  let expects: FaultExpectation = more > 0 ? "leaves-harts-out" : "passes";
  if (more === 0 && pick("refused sends", 3)) {
    faults.failedSends = sends(random).map((nth) => ({ nth, error: refusal(random) }));
    expects = "passes-or-names-the-send";
  }
  if (more === 0 && others.length > 0 && random.below(32) === 0) {
    kinds.push(stopping(random, others, faults));
    expects = "stops";
  }
  const options = { ...machine, harts, ...(hartIds === undefined ? {} : { hartIds, bootHart }), faults };
  return { options, kinds, expects };
}

/** One line: what a run was given, to be read beside its console. */
export function planLabel({ options, kinds, expects }: FaultPlan): string {
  const { hartIds, bootHart, faults } = options;
  const shape = hartIds === undefined ? "" : ` harts=${hartIds.join(",")} boot-hart=${bootHart}`;
  return `expects=${expects} kinds=[${kinds.join(", ")}]${shape} faults=${JSON.stringify(faults)}`;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };
type Storm = NonNullable<Faults["storms"]>[number];

/** A hart that does not come: it may take one of three ways, and never more than one of them. */
function stopping(random: Random, others: readonly number[], faults: Mutable<Faults>): FaultKind {
  const hart = others[random.below(others.length)] ?? 0;
  // A hart that is late and missing is missing.
  if (faults.lateStarts !== undefined) faults.lateStarts = faults.lateStarts.filter((late) => late.hart !== hart);
  switch (random.below(3)) {
    case 0:
      faults.neverStarts = [hart];
      return "missing hart";
    case 1:
      faults.startErrors = [{ hart, error: refusal(random) }];
      return "refused hart";
    default:
      faults.noHsm = true;
      return "no HSM";
  }
}

/** Places of sends in a run, in order and each once. */
function sends(random: Random): number[] {
  const count = 1 + random.below(8);
  const places = new Set(Array.from({ length: count }, () => 1 + random.below(SENDS_MAX)));
  return [...places].toSorted((left, right) => left - right);
}

function lateness(random: Random): number {
  return 1 + below(random, LATENESS_TICKS_MAX[random.below(LATENESS_TICKS_MAX.length)] ?? 1);
}

function storm(random: Random, ids: readonly number[], kind: Storm["kind"]): Storm[] {
  const hart = ids[random.below(ids.length)] ?? 0;
  const spacing = lateness(random);
  let ticks = below(random, STORM_BEGIN_TICKS_MAX);
  return Array.from({ length: 1 + random.below(STORM_LENGTH_MAX) }, () => {
    ticks += random.below(Math.min(spacing, 0xffff) + 1);
    return { hart, kind, ticks };
  });
}

function refusal(random: Random): MachineError {
  const errors = [MachineError.Failed, MachineError.NotSupported, MachineError.InvalidParameter, MachineError.Denied];
  return errors[random.below(errors.length)] ?? MachineError.Failed;
}

/** Hart ids as a board may have them: not from 0, not dense, not in order. */
function scattered(random: Random, count: number): number[] {
  const ids = new Set<number>();
  while (ids.size < count) ids.add(random.below(4 * count));
  return [...ids];
}

/** At least one of the list. */
function some(random: Random, list: readonly number[]): number[] {
  const chosen = list.filter(() => random.below(2) === 0);
  return chosen.length > 0 ? chosen : list.slice(0, 1);
}

/** A number below a bound that may be more than 2^16. */
function below(random: Random, bound: number): number {
  return Math.floor((random.next() / 0x1_0000_0000) * bound);
}
