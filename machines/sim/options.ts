// Options: what can be chosen about an embedded machine before it is switched on, and the faults it can be given.
//
// Invariant: a machine made of checked options never has to wonder about them again.
// Partners: machine.ts, firmware.ts, device-tree-blob.ts read them; the command line fills them.

import type { MachineError } from "../../abi/results.ts";

/** A send that the machine refuses: the nth one of the run (from 1), or each one to a hart (hart id). */
export type FailedSend =
  { readonly nth: number; readonly error?: MachineError } | { readonly hart: number; readonly error?: MachineError };

export interface Faults {
  readonly failedSends?: readonly FailedSend[];
  /** Hart ids: startHart answers success, and the hart stays in the state "start pending" for ever. */
  readonly neverStarts?: readonly number[];
  /** startHart of that hart answers this error. */
  readonly startErrors?: readonly { readonly hart: number; readonly error: MachineError }[];
  /** The firmware has no hart state management: its calls answer NotSupported. */
  readonly noHsm?: boolean;
  /** S_SOFT becomes pending on a hart after that many steps of the run although nobody sent it. */
  readonly spuriousSoft?: readonly { readonly hart: number; readonly step: number }[];
  /** The nth send of the run (from 1) arrives so many ticks after it was accepted. */
  readonly lateSends?: readonly { readonly nth: number; readonly ticks: number }[];
  /** The nth send of the run arrives at once and a second time so many ticks later. */
  readonly doubledSends?: readonly { readonly nth: number; readonly ticks: number }[];
  /** startHart answers success, and the hart begins so many ticks later. */
  readonly lateStarts?: readonly { readonly hart: number; readonly ticks: number }[];
  /** S_SOFT becomes pending, or the timer goes off, at that time of the run although nobody asked for it. */
  readonly storms?: readonly { readonly hart: number; readonly kind: "soft" | "timer"; readonly ticks: number }[];
  /** Bytes that the console's device takes in a turn, and no more; 0: it is broken, and what is printed is lost. */
  readonly consoleBytes?: number;
  /** The hart enters the kernel with this value in `tp` instead of its own. */
  readonly poisonedPointers?: readonly { readonly hart: number; readonly value: bigint }[];
}

export interface SimOptions {
  /** 1 to SIM_HARTS_MAX; the kernel runs on the first CPUS_MAX of them and the boot hart. */
  readonly harts: number;
  /** Hart ids in the order of the device tree; 0 to harts - 1 unless given. */
  readonly hartIds?: readonly number[];
  /** The hart id of the hart that boots; the first of `hartIds` unless given. */
  readonly bootHart?: number;
  /** The machine has an ACLINT SSWI device and its device tree names it. */
  readonly sswi?: boolean;
  /** The harts that the SSWI device rings, in the order of its registers; `hartIds` unless given. */
  readonly sswiHarts?: readonly number[];
  readonly ticksPerSecond?: number;
  /** `stepped`: each step takes a fraction of a tick. `frozen`: time moves only by the choice `elapse`. */
  readonly time?: "stepped" | "frozen";
  /** `choices()` offers a spurious S_SOFT on each hart that does not have one pending. */
  readonly offerSpurious?: boolean;
  readonly faults?: Faults;
  /** The words of the task table (abi/task-table.ts), any at all; the kernel runs its default tasks unless given. */
  readonly taskTable?: readonly number[];
  /** Stored into each program's memory before it begins, as a data segment would be: how a seed reaches programs. */
  readonly userWords?: readonly UserWord[];
}

export interface UserWord {
  /** A multiple of 4. */
  readonly address: number;
  readonly value: number;
}

/** Options with every default filled in. */
export interface CheckedOptions {
  readonly hartIds: readonly number[];
  readonly bootIndex: number;
  readonly sswi: boolean;
  readonly sswiHarts: readonly number[];
  readonly ticksPerSecond: number;
  readonly time: "stepped" | "frozen";
  readonly offerSpurious: boolean;
  readonly faults: Faults;
  readonly taskTable: readonly number[];
  readonly userWords: readonly UserWord[];
}

export type OptionsCheck =
  | { readonly kind: "accepted"; readonly options: CheckedOptions }
  | { readonly kind: "refused"; readonly reason: string };

const TICKS_PER_SECOND = 10_000_000;
const HART_ID_MAX = 0x7fff_ffff;

/** More than the kernel has CPUs, so that a machine can have harts that get none. */
export const SIM_HARTS_MAX = 128;

export function checkOptions(options: SimOptions): OptionsCheck {
  const { harts } = options;
  if (!Number.isInteger(harts) || harts < 1 || harts > SIM_HARTS_MAX) {
    return refused(`harts is ${harts}: give a whole number from 1 to ${SIM_HARTS_MAX}`);
  }
  const hartIds = options.hartIds ?? Array.from({ length: harts }, (_, index) => index);
  if (hartIds.length !== harts) return refused(`hartIds names ${hartIds.length} harts, but harts is ${harts}`);
  const wrong = hartIds.find((id) => !Number.isInteger(id) || id < 0 || id > HART_ID_MAX);
  if (wrong !== undefined) return refused(`hart id ${wrong} is not a whole number from 0 to ${HART_ID_MAX}`);
  if (new Set(hartIds).size !== harts) return refused("hartIds names a hart twice");
  const bootIndex = options.bootHart === undefined ? 0 : hartIds.indexOf(options.bootHart);
  if (bootIndex < 0) return refused(`bootHart ${options.bootHart} is not one of the hart ids ${hartIds.join(", ")}`);
  const sswiHarts = options.sswiHarts ?? hartIds;
  const unknown = sswiHarts.find((id) => !hartIds.includes(id));
  if (unknown !== undefined) return refused(`sswiHarts names hart ${unknown}, which this machine does not have`);
  const ticksPerSecond = options.ticksPerSecond ?? TICKS_PER_SECOND;
  if (!Number.isInteger(ticksPerSecond) || ticksPerSecond < 1 || ticksPerSecond > HART_ID_MAX) {
    return refused(`ticksPerSecond is ${ticksPerSecond}: give a whole number from 1 to ${HART_ID_MAX}`);
  }
  const faults = options.faults ?? {};
  const stranger = hartsOfFaults(faults).find((hart) => !hartIds.includes(hart));
  if (stranger !== undefined) return refused(`a fault names hart ${stranger}, which this machine does not have`);
  return {
    kind: "accepted",
    options: {
      hartIds,
      bootIndex,
      sswi: options.sswi ?? false,
      sswiHarts,
      ticksPerSecond,
      time: options.time ?? "stepped",
      offerSpurious: options.offerSpurious ?? false,
      faults,
      taskTable: options.taskTable ?? [],
      userWords: options.userWords ?? [],
    },
  };
}

function hartsOfFaults(faults: Faults): number[] {
  return [
    ...(faults.failedSends ?? []).flatMap((send) => ("hart" in send ? [send.hart] : [])),
    ...(faults.neverStarts ?? []),
    ...[faults.startErrors, faults.spuriousSoft, faults.poisonedPointers, faults.lateStarts, faults.storms].flatMap(
      (list) => (list ?? []).map((fault) => fault.hart),
    ),
  ];
}

function refused(reason: string): OptionsCheck {
  return { kind: "refused", reason };
}
