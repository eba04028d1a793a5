// Machine boot: one run of a kernel on the embedded machine, in the form that every machine's runs have.
//
// The run is cut into slices, between which whoever waits for lines gets its turn; how it is cut changes nothing.
// Partners: machines/machine-run.ts; runner.ts; cli/ and proof/, which read the run.

import type { TraceEvent } from "../../trace/event.ts";
import type { MachineRun, RunOutcome } from "../machine-run.ts";
import { TraceAssembler } from "../trace-assembler.ts";
import { parseSchedule } from "./choice.ts";
import { LineStream } from "./line-stream.ts";
import { Machine } from "./machine.ts";
import type { MachineListener } from "./machine-parts.ts";
import { checkOptions, type SimOptions } from "./options.ts";
import { pausableModule } from "./resumable-instance.ts";
import { Runner } from "./runner.ts";
import { EVEN_STRETCHES_MAX, ScheduledStrategy, SeededStrategy, type Strategy } from "./strategy.ts";

/** A module as bytes, or compiled before: who boots often compiles once. */
export type ModuleSource = Uint8Array | WebAssembly.Module;

export interface BootOptions extends SimOptions {
  /** kernel.sim.wasm */
  readonly kernel: ModuleSource;
  /** user.sim.wasm */
  readonly user?: ModuleSource;
  /** Further modules in their pausable form, whose programs are numbered after those of `user`. */
  readonly programs?: readonly ModuleSource[];
  /** A whole number from 0 to 2^53 - 1; 0 unless given. */
  readonly seed?: number;
  /** A schedule as formatSchedule prints it: followed first, then the seed decides. */
  readonly schedule?: string;
  /** even: no hart gets far ahead of the others, for runs whose times matter. Any pace else, the fine and the coarse. */
  readonly pace?: "even";
  /** Steps after which the run counts as hung. */
  readonly stepsMax?: number;
  /** Observes the kernel: the run has events. */
  readonly observe?: boolean;
}

const STEPS_MAX = 100_000_000;
const SLICE_STEPS = 200_000;

/** Boots the kernel; the run begins at once. Whatever goes wrong is the run's outcome: nothing is thrown. */
export function bootSim(options: BootOptions): MachineRun {
  const lines = new LineStream();
  let stopped = false;
  const events: TraceEvent[] | null = options.observe === true ? [] : null;
  const outcome = run(options, lines, events, () => stopped)
    .catch((thrown: unknown): RunOutcome => ({ kind: "crashed", reason: oneLine(thrown) }))
    .finally(() => lines.end());
  return {
    lines,
    outcome,
    stop: () => {
      stopped = true;
    },
    // A trap is written when it begins, all else when it is over: of one hart in order, of several nearly.
    ...(events === null ? {} : { events: () => events.toSorted((one, other) => one.t - other.t) }),
  };
}

async function run(
  options: BootOptions,
  lines: LineStream,
  events: TraceEvent[] | null,
  stopped: () => boolean,
): Promise<RunOutcome> {
  const check = checkOptions(options);
  if (check.kind === "refused") return { kind: "crashed", reason: check.reason };
  const strategy = strategyOf(options);
  if (typeof strategy === "string") return { kind: "crashed", reason: strategy };
  const kernel = pausableModule(await compile(options.kernel));
  const user = options.user === undefined ? {} : { user: pausableModule(await compile(options.user)) };
  const programs = await Promise.all((options.programs ?? []).map(async (one) => pausableModule(await compile(one))));
  const machine = new Machine({ kernel, ...user, programs }, check.options, {
    line: (line) => lines.write(line),
    ...(events === null ? {} : observationsTo(events)),
  });
  const runner = new Runner(machine, strategy, check.options);
  const stepsMax = options.stepsMax ?? STEPS_MAX;
  while (machine.clock.steps < stepsMax) {
    const slice = runner.run(Math.min(SLICE_STEPS, stepsMax - machine.clock.steps));
    if (slice.kind === "ended") return slice.end;
    await nextTurn();
    if (stopped()) return { kind: "stopped" };
  }
  return { kind: "hung", reason: `the run was not over after ${stepsMax} steps` };
}

function observationsTo(events: TraceEvent[]): Pick<MachineListener, "observation"> {
  const assembler = new TraceAssembler();
  return { observation: (found) => events.push(...assembler.assemble(found)) };
}

function strategyOf(options: BootOptions): Strategy | string {
  const seed = options.seed ?? 0;
  if (!Number.isSafeInteger(seed) || seed < 0) return `seed is ${seed}: give a whole number from 0 to 2^53 - 1`;
  const seeded = options.pace === "even" ? new SeededStrategy(seed, EVEN_STRETCHES_MAX) : new SeededStrategy(seed);
  if (options.schedule === undefined) return seeded;
  const parsed = parseSchedule(options.schedule);
  return parsed.kind === "malformed" ? parsed.reason : new ScheduledStrategy(parsed.schedule, seeded);
}

async function compile(source: ModuleSource): Promise<WebAssembly.Module> {
  return source instanceof WebAssembly.Module ? source : WebAssembly.compile(source as Uint8Array<ArrayBuffer>);
}

/** Lets everything else that waits have a turn. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

function oneLine(thrown: unknown): string {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return message.split("\n", 1)[0] ?? message;
}
