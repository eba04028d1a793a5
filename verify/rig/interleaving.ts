// Interleaving: every order in which a few harts can make their calls, up to a number of switches between them.
//
// A run is a list of segments, "this hart makes so many steps", after which the harts finish one after the other; a
// step is one atomic access or machine call. All runs with at most `switches` such segments are tried, each from the
// same memory. This is a net with a stated mesh: what needs more switches to show passes through it, and is the
// explorer's to find.
// Partners: engine.ts, which leaves calls in the middle; checks/ that are about races.

import { PausableEngine } from "./engine.ts";
import * as calls from "./kernel-calls.ts";
import type { KernelCall } from "./kernel-calls.ts";
import type { KernelImage } from "./kernel-image.ts";
import { GLOBALS, hartAddress, WAKE } from "./kernel-map.ts";
import { Refutation, isRefutation } from "./refutation.ts";
import { Rig, type RigOptions } from "./rig.ts";

/** What one hart does: it yields calls and is given what each returned (0 for nothing). */
export interface Actor {
  readonly cpu: number;
  readonly script: (rig: Rig) => Generator<KernelCall, void, number>;
}

/** An actor that makes this one call. */
export function caller(cpu: number, call: KernelCall): Actor {
  return {
    cpu,
    *script() {
      yield call;
    },
  };
}

/** An actor that wakes a task as the system call does: a mailbox entry is followed by a request to its CPU. */
export function waker(cpu: number, task: number, heard?: (outcome: number) => void): Actor {
  return {
    cpu,
    *script(rig) {
      const { incarnation } = rig.life(task);
      const outcome = yield calls.wake(cpu, task, incarnation);
      heard?.(outcome);
      if (outcome === WAKE.Posted) yield calls.requestResched(cpu, rig.field(cpu, "posted"));
    },
  };
}

export interface Interleavings extends RigOptions {
  readonly setUp: (rig: Rig) => void;
  readonly actors: readonly Actor[];
  /** Refutes what must not be, once all harts have made their calls. steps: what each of the actors took. */
  readonly judge: (rig: Rig, steps: readonly number[]) => void;
  readonly switches: number;
}

/** The same, by schedules that are given: for what needs more switches than can be tried in every way. */
export interface Schedules extends Omit<Interleavings, "switches"> {
  readonly schedules: Iterable<readonly Segment[]>;
}

export interface Segment {
  readonly actor: number;
  readonly steps: number;
}

/** Tries them all; returns how many there were. Throws the first refutation, with its schedule. */
export function tryInterleavings(image: KernelImage, options: Interleavings): number {
  const tryOne = trialOf(image, options);
  let runs = 0;
  const visit = (prefix: readonly Segment[], done: readonly boolean[]): void => {
    const last = prefix.at(-1)?.actor;
    for (let actor = 0; actor < options.actors.length; actor++) {
      if (actor === last || done[actor] === true) continue;
      for (let steps = 1, isOver = false; !isOver; steps++) {
        const segments = [...prefix, { actor, steps }];
        const finished = tryOne(segments);
        runs += 1;
        isOver = finished[actor] === true;
        // With one hart left there is nothing to switch between.
        const left = finished.filter((one) => !one).length;
        if (left > 1 && segments.length < options.switches) visit(segments, finished);
      }
    }
  };
  visit([], []);
  return runs;
}

export function trySchedules(image: KernelImage, options: Schedules): void {
  const tryOne = trialOf(image, options);
  for (const segments of options.schedules) tryOne(segments);
}

/** Segments of a schedule that a refutation names. */
const LABELS_MAX = 24;

/** Runs one schedule from the beginning and judges it: which actors had finished when its segments were over. */
function trialOf(
  image: KernelImage,
  options: Omit<Interleavings, "switches">,
): (segments: readonly Segment[]) => readonly boolean[] {
  const engine = new PausableEngine(image, options.cpus);
  const rig = new Rig(engine, options);
  options.setUp(rig);
  const start = new Start(rig);
  return (segments) => {
    start.restore();
    try {
      const { finished, steps } = runSegments(engine, rig, options.actors, segments);
      options.judge(rig, steps);
      return finished;
    } catch (thrown) {
      if (!isRefutation(thrown)) throw thrown;
      const labels = segments
        .slice(0, LABELS_MAX)
        .map(({ actor, steps }) => `cpu${options.actors[actor]?.cpu} ${steps} steps`);
      if (segments.length > LABELS_MAX) labels.push(`${segments.length - LABELS_MAX} segments more`);
      throw new Refutation(`${thrown.message} (after ${labels.join(", ")}, then the others to their ends)`);
    }
  };
}

/** Memory and machine as they were before the first step. */
class Start {
  private readonly bytes: Uint8Array;
  private readonly harts: readonly {
    readonly pointer: bigint;
    readonly softPending: boolean;
    readonly deadline: bigint;
  }[];
  private readonly calls: number;

  constructor(private readonly rig: Rig) {
    this.bytes = rig.bytes.slice(GLOBALS, hartAddress(rig.machine.harts.length));
    this.harts = rig.machine.harts.map(({ pointer, softPending, deadline }) => ({ pointer, softPending, deadline }));
    this.calls = rig.machine.calls.length;
  }

  restore(): void {
    this.rig.bytes.set(this.bytes, GLOBALS);
    this.harts.forEach((saved, cpu) => Object.assign(this.rig.machine.hartOf(cpu), saved));
    this.rig.machine.calls.length = this.calls;
  }
}

function runSegments(
  engine: PausableEngine,
  rig: Rig,
  actors: readonly Actor[],
  segments: readonly Segment[],
): { readonly finished: readonly boolean[]; readonly steps: readonly number[] } {
  const runners = actors.map((actor) => new ActorRunner(engine, rig, actor));
  for (const { actor, steps } of segments) runners[actor]?.run(steps);
  const finished = runners.map((runner) => runner.isFinished);
  const last = segments.at(-1)?.actor;
  // The hart of the last segment finishes last: else its segment would not have ended there.
  for (const [index, runner] of runners.entries()) if (index !== last) runner.run(Infinity);
  if (last !== undefined) runners[last]?.run(Infinity);
  return { finished, steps: runners.map((runner) => runner.stepsMade) };
}

class ActorRunner {
  private readonly calls: Generator<KernelCall, void, number>;
  private next: IteratorResult<KernelCall, void>;
  private entered = false;
  stepsMade = 0;

  constructor(
    private readonly engine: PausableEngine,
    rig: Rig,
    private readonly actor: Actor,
  ) {
    this.calls = actor.script(rig);
    this.next = this.calls.next();
  }

  get isFinished(): boolean {
    return this.next.done === true;
  }

  /** Makes at most that many steps. */
  run(steps: number): void {
    for (let left = steps; this.next.done !== true;) {
      const { name, values } = this.next.value;
      // A call that stands at a pause makes at least the step that it stands before.
      if (left === 0 && this.entered) return;
      const made = this.engine.run(this.actor.cpu, name, values, this.entered, left);
      left -= made.steps;
      this.stepsMade += made.steps;
      this.entered = made.outcome.kind === "paused";
      if (made.outcome.kind === "paused") return;
      this.next = this.calls.next(Number(made.outcome.value ?? 0));
    }
  }
}
