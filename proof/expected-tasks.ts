// Expected tasks: what the kernel's default set is, and how each of its tasks has to end.
//
// The set is kernel/default-tasks.ts once more, and the ends are what user/program-bodies.ts leads to: expected-tasks.test.ts
// holds this table against both. What depends on the run (how often a task ran, who stole it) has bounds here and sums in
// summary.ts.
// Partners: summary.ts compares.
// Clauses: D8 (docs/contract.md).

import { Intrusion, Program } from "../abi/programs.ts";
import { Qos } from "../abi/qos.ts";

/** One task as it is spawned. */
export interface DefaultTask {
  readonly program: Program;
  readonly qos: Qos;
  /** What the program is given; `waiter`: the id of the Waiter before it. */
  readonly argument: number | "waiter";
}

const task = (program: Program, qos: Qos, argument: DefaultTask["argument"]): DefaultTask => ({
  program,
  qos,
  argument,
});

/** In the order in which they are spawned. */
export const DEFAULT_TASKS: readonly DefaultTask[] = [
  task(Program.Worker, Qos.Normal, 6),
  task(Program.Worker, Qos.Interactive, 4),
  task(Program.Worker, Qos.PerfBurst, 3),
  task(Program.Spinner, Qos.Idle, 40),
  task(Program.Sleeper, Qos.Interactive, 3),
  task(Program.Sleeper, Qos.PerfBurst, 3),
  task(Program.Waiter, Qos.Interactive, 3),
  task(Program.Waker, Qos.Normal, "waiter"),
  task(Program.Climber, Qos.Idle, 0),
  task(Program.Petitioner, Qos.Normal, 0),
  task(Program.Petitioner, Qos.Normal, 0),
  ...[
    Intrusion.ReadKernelMemory,
    Intrusion.WriteKernelMemory,
    Intrusion.ReadKernelImage,
    Intrusion.ReadBeyondOwnMemory,
    Intrusion.UnknownSyscall,
    Intrusion.WriteLineOfKernelMemory,
  ].map((attempt) => task(Program.Intruder, Qos.Normal, attempt)),
];

/** The probes of the stealing tests, which only a machine of several harts spawns, before all others. */
export const STEALING_PROBES: readonly DefaultTask[] = [
  task(Program.Probe, Qos.Normal, 7),
  task(Program.Probe, Qos.Normal, 8),
];

/** What a Petitioner's spawn makes, where it is granted. */
export const GRANTED_PROBE: DefaultTask = task(Program.Probe, Qos.Normal, 0);

export type TaskEnd =
  | { readonly kind: "exit"; readonly code: number }
  /** address: where virt reports the fault; the embedded machine names none, which shows as 0. */
  | { readonly kind: "fault"; readonly cause: number; readonly address: number };

const LOAD_PAGE_FAULT = 13;
const STORE_PAGE_FAULT = 15;

/** What the intruders reach for, from user/program-bodies.ts: offsets from a program's memory at 0x40000000, modulo 2^32. */
export const KERNEL_MEMORY = 0x40040;
export const KERNEL_IMAGE = 0x80200000;
export const BEYOND_OWN_MEMORY = 0x40010000;

export function endOf({ program, argument }: DefaultTask): TaskEnd {
  if (program === Program.Intruder) return endOfIntruder(argument as Intrusion);
  return { kind: "exit", code: program === Program.Probe ? Number(argument) : 0 };
}

function endOfIntruder(attempt: Intrusion): TaskEnd {
  switch (attempt) {
    case Intrusion.ReadKernelMemory:
      return { kind: "fault", cause: LOAD_PAGE_FAULT, address: KERNEL_MEMORY };
    case Intrusion.WriteKernelMemory:
      return { kind: "fault", cause: STORE_PAGE_FAULT, address: KERNEL_MEMORY };
    case Intrusion.ReadKernelImage:
      return { kind: "fault", cause: LOAD_PAGE_FAULT, address: KERNEL_IMAGE };
    case Intrusion.ReadBeyondOwnMemory:
      return { kind: "fault", cause: LOAD_PAGE_FAULT, address: BEYOND_OWN_MEMORY };
    case Intrusion.UnknownSyscall:
    case Intrusion.WriteLineOfKernelMemory:
      return { kind: "exit", code: 0 };
    default:
      return attempt satisfies never;
  }
}

/** The class in which a task ends. */
export function lastQosOf({ program, qos }: DefaultTask): Qos {
  return program === Program.Climber ? Qos.PerfBurst : qos;
}

/** The most sleeps that a task can end; undefined: it depends on others. */
export function wakesMaxOf({ program, argument }: DefaultTask): number | undefined {
  if (program === Program.Waker) return undefined;
  return program === Program.Sleeper || program === Program.Waiter ? Number(argument) : 0;
}
