// Honest console: the lines that a correct kernel would print, for tests to feed to the gate as they are or spoilt.
//
// Sums in its summary are counted from its own lines. console-mutants.test.ts has consoles of the kernel itself.
// Partners: gate.test.ts, reporters' tests and the command line's tests.

import { EventKind } from "../../abi/events.ts";
import {
  BOOT_FORM,
  BOOT_PREFIX,
  HART_FORM,
  HART_PREFIX,
  QOS_NAMES,
  RESCHED_FORM,
  RESCHED_PREFIX,
  RESULT_PASSED,
  TASKS_FORM,
  TASKS_PREFIX,
  TASK_FORM,
  TASK_PREFIX,
} from "../../abi/markers.ts";
import { Program } from "../../abi/programs.ts";
import { type EvidenceEvent, evidenceLine } from "../console-line.ts";
import {
  DEFAULT_TASKS,
  type DefaultTask,
  GRANTED_PROBE,
  STEALING_PROBES,
  endOf,
  lastQosOf,
} from "../expected-tasks.ts";
import { cpuOnlineMarker, ladderFor } from "../ladder.ts";

/** An evidence line, with `request` and `detail` 0 unless given. */
export function evidence(
  kind: EventKind,
  place: { of: number; n: number; by?: number; request?: number; detail?: number },
): string {
  const event: EvidenceEvent = { kind, by: place.of, request: 0, detail: 0, ...place };
  return evidenceLine(event);
}

/** A line of a form, with what stands for each `#`. */
export function formLine(prefix: string, form: string, values: readonly (string | number)[]): string {
  const rest = [...values];
  return prefix + form.replaceAll("#", () => String(rest.shift() ?? ""));
}

/** The id that the first task has. */
export const FIRST_TASK = 1024;
/** Requests, sends and traps of cpu1 in the ladder below. */
const PEER_COUNTS = { accepted: 6, sent: 4, coalesced: 1, trapped: 4, shown: 26 };

/** Every line of a green run on `harts` harts, evidence before the marker that rests on it. */
export function honestConsole(harts: number): string[] {
  const boot = formLine(BOOT_PREFIX, BOOT_FORM, [harts, harts, 0, "firmware", 0, 0, 10_000_000]);
  return ["OpenSBI v1.1", boot, ...ladderLines(harts), ...summaryLines(harts), RESULT_PASSED];
}

function ladderLines(harts: number): string[] {
  const rungs = ladderFor(harts).map((rung) => rung.marker);
  const lines = [evidence(EventKind.Online, { of: 0, n: 1 })];
  if (harts === 1) return [...lines, ...rungs];
  lines.push(evidence(EventKind.RejectedOfflineCpu, { of: 0, n: 2, detail: 1 }));
  for (let cpu = 1; cpu < harts; cpu += 1) {
    lines.push(evidence(EventKind.Online, { of: cpu, n: 1, detail: cpu }), cpuOnlineMarker(cpu));
  }
  const [smpOnline, counterfactual, resched, invalid, offline, stealing, bound, qos] = rungs.slice(harts - 1);
  let n = 1;
  const chain = (kind: EventKind, by: number, request: number, detail = 0): string =>
    evidence(kind, { of: 1, n: (n += 1), by, request, detail });
  const order = (request: number, ...between: readonly (() => string)[]): string[] => [
    chain(EventKind.Accepted, 0, request),
    chain(EventKind.Sent, 0, request),
    chain(EventKind.Trapped, 1, request),
    ...between.map((line) => line()),
    chain(EventKind.Acked, 1, request),
  ];
  lines.push(
    smpOnline ?? "",
    evidence(EventKind.NoPendingRequest, { of: 0, n: 3 }),
    chain(EventKind.Accepted, 0, 1),
    chain(EventKind.Sent, 0, 1),
    chain(EventKind.SendFailed, 0, 1, -3),
    ...order(2),
    counterfactual ?? "",
    chain(EventKind.Accepted, 0, 3),
    chain(EventKind.Sent, 0, 3),
    // It rides on the IPI of the one before.
    chain(EventKind.Accepted, 0, 4, 1),
    chain(EventKind.Unused, 0, 0),
    chain(EventKind.Trapped, 1, 4),
    chain(EventKind.Acked, 1, 4),
    resched ?? "",
    evidence(EventKind.RejectedInvalidCpu, { of: 0, n: 4, detail: 64 }),
    invalid ?? "",
    offline ?? "",
    ...order(
      5,
      () => chain(EventKind.Stolen, 1, FIRST_TASK),
      () => chain(EventKind.StealBudgetSpent, 1, 0, 1),
      () => chain(EventKind.Started, 1, FIRST_TASK),
    ),
    stealing ?? "",
    bound ?? "",
    ...order(6, () => chain(EventKind.StealRefused, 1, 0)),
    qos ?? "",
  );
  return lines;
}

interface Row {
  readonly due: DefaultTask;
  readonly id: number;
  readonly cpu: number;
}

/** Tasks on all CPUs in turn, each run once; the first probe on the CPU that stole it. */
function summaryLines(harts: number): string[] {
  const spawned = [...(harts > 1 ? STEALING_PROBES : []), ...DEFAULT_TASKS];
  const cpuOf = (index: number): number => (harts > 1 && index === 0 ? 1 : index % harts);
  const row = (due: DefaultTask, index: number): Row => ({ due, id: FIRST_TASK + index, cpu: cpuOf(index) });
  const asked = spawned.map(row);
  const isGranted = ({ due, cpu }: Row): boolean => due.program === Program.Petitioner && cpu === 0;
  const rows = [...spawned, ...asked.filter(isGranted).map(() => GRANTED_PROBE)].map(row);
  const cpus = [...Array.from({ length: harts - 1 }, (_, index) => index + 1), 0];
  return [
    ...rows.flatMap((one) => userLineOf(one, rows)),
    ...rows.map((one) => taskLine(one, harts)),
    formLine(TASKS_PREFIX, TASKS_FORM, [rows.length, rows.length, rows.length]),
    ...cpus.flatMap((cpu) => [hartLine(cpu, rows, harts), requestLine(cpu, harts)]),
  ];
}

function userLineOf({ due, id, cpu }: Row, rows: readonly Row[]): string[] {
  const waiter = rows.find((one) => one.due.program === Program.Waiter)?.id;
  if (due.program === Program.Waker) return [`[${id}] woke task ${waiter} until it had gone`];
  if (due.program !== Program.Petitioner) return [];
  return [`[${id}] asked from cpu${cpu} for a spawn: ${cpu === 0 ? "granted" : "NotBootHart"}`];
}

function taskLine({ due, id, cpu }: Row, harts: number): string {
  const end = endOf(due);
  const steals = harts > 1 && id === FIRST_TASK ? 1 : 0;
  const code = end.kind === "exit" ? end.code : end.cause;
  const address = end.kind === "fault" ? end.address : 0;
  const qos = QOS_NAMES.split(" ")[lastQosOf(due)] ?? "";
  const values = [id, due.program, qos, 1, steals, 0, 0, cpu, end.kind, code, address];
  return formLine(TASK_PREFIX, TASK_FORM, values);
}

function hartLine(cpu: number, rows: readonly Row[], harts: number): string {
  const here = rows.filter((one) => one.cpu === cpu);
  const faults = here.filter(({ due }) => endOf(due).kind === "fault").length;
  const steals = harts > 1 && cpu === 1 ? 1 : 0;
  return formLine(HART_PREFIX, HART_FORM, [cpu, cpu, here.length, steals, 0, 0, here.length, faults, 0, 12]);
}

function requestLine(cpu: number, harts: number): string {
  const { accepted, sent, coalesced, trapped, shown } = PEER_COUNTS;
  const values = (() => {
    if (harts === 1) return [0, 0, 0, 0, 0, 0, 0, 0, 1];
    if (cpu === 0) return [accepted, sent, 1, coalesced, 0, 0, 0, 0, 4];
    return cpu === 1 ? [0, 0, 0, 0, accepted, trapped, trapped, accepted, shown] : [0, 0, 0, 0, 0, 0, 0, 0, 1];
  })();
  return formLine(RESCHED_PREFIX, RESCHED_FORM, [cpu, ...values]);
}
