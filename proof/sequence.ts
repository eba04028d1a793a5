// Sequence: whether the evidence that a console shows is whole, in order, and without a loose end at a marker.
//
// The kernel reports every event of the two CPUs that the selftests use, and the first ones of every other CPU, each CPU's
// in the order of their numbers; before a marker it waits until each request is acknowledged. So a line that is left out,
// doubled, moved or altered leaves a gap, a wrong order, or a step without its neighbour.
// What the steps of one request need of each other is chain.ts's; here it is what all of them need together.
//
// Invariants: no clock, no counts of time; a fault stays one.
// Partners: gate.ts feeds it; chain.ts, requirements.ts.
// Clauses: D2, D8, I3 (docs/contract.md), on the host's side.

import { EventKind } from "../abi/events.ts";
import { CPUS_MAX } from "../abi/layout.ts";
import { Qos } from "../abi/qos.ts";
import { type EvidenceEvent, eventName } from "./console-line.ts";
import type { Rung } from "./ladder.ts";

/** The CPUs of the selftests, and the target that no machine has. */
export const BOOT_CPU = 0;
export const PEER_CPU = 1;
const INVALID_TARGET = CPUS_MAX;

interface CpuState {
  /** The number of the event reported last. */
  shown: number;
  accepted: Set<number>;
  trapped: number;
  acked: number;
  /** Requests for which their CPU still has to ring, by that CPU. */
  toRing: Map<number, number>;
  /** The event reported last: a send that its refusal may follow, a request whose second number was not used. */
  last: EvidenceEvent | null;
  refusals: number;
}

export interface SequenceOptions {
  readonly harts: number;
  /** The machine refuses sends beside the one of the selftest: a send may have been tried again. */
  readonly refusedSends: boolean;
}

export class Sequence {
  readonly faults: string[] = [];
  /** Hart of each CPU that came online, by CPU. */
  readonly hartOf = new Map<number, number>();
  private readonly cpus = new Map<number, CpuState>();
  private readonly options: SequenceOptions;
  /** The CPU of the last event since the last marker. */
  private lastCpu = -1;
  private readonly fresh = new Set<number>();

  constructor(options: SequenceOptions) {
    this.options = options;
  }

  /** How many events of a CPU have been shown. */
  shownOf(cpu: number): number {
    return this.cpus.get(cpu)?.shown ?? 0;
  }

  add(event: EvidenceEvent): void {
    const { of, n, by } = event;
    if (of >= this.options.harts) this.fault(event, `the machine has ${this.options.harts} harts`);
    if (by >= this.options.harts) this.fault(event, `cpu${by} is not there`);
    const cpu = this.stateOf(of);
    if (n !== cpu.shown + 1) this.fault(event, `n=${cpu.shown + 1} of this CPU is the one to follow`);
    if (of < this.lastCpu) this.fault(event, `came after those of cpu${this.lastCpu}`);
    this.lastCpu = of;
    this.fresh.add(of);
    cpu.shown = n;
    const message = shapeFault(event);
    if (message !== null) this.fault(event, message);
    this.follow(event, cpu);
  }

  /** A marker: nothing may be under way, and what was shown since the last one is of these CPUs. */
  closeSection(cpus: readonly number[]): void {
    for (const cpu of this.fresh)
      if (!cpus.includes(cpu)) this.faults.push(`events of cpu${cpu} came before their place`);
    this.fresh.clear();
    this.lastCpu = -1;
    for (const [index, cpu] of this.cpus) {
      const count = cpu.accepted.size;
      const last = Math.max(0, ...cpu.accepted);
      if (last !== count) this.faults.push(`cpu${index}: its ${count} requests are not numbered 1 to ${count}`);
      if (cpu.acked !== last)
        this.faults.push(`cpu${index}: request ${last} is accepted, and ${cpu.acked} acknowledged`);
      for (const [by, request] of cpu.toRing) {
        this.faults.push(`cpu${index}: request ${request} of cpu${by} has no IPI of its own and none to ride on`);
      }
    }
  }

  private follow(event: EvidenceEvent, cpu: CpuState): void {
    const { kind, of, by, request } = event;
    const { last } = cpu;
    cpu.last = event;
    switch (kind) {
      case EventKind.Online:
        if (event.n !== 1 && of !== BOOT_CPU) this.fault(event, "is not the first event of its CPU");
        this.hartOf.set(of, event.detail);
        return;
      case EventKind.Accepted:
        if (by === of) this.fault(event, "a CPU asks itself for nothing");
        cpu.accepted.add(request);
        if (event.detail === 0) cpu.toRing.set(by, request);
        return;
      case EventKind.Sent:
      case EventKind.Coalesced:
        return this.ring(event, cpu);
      case EventKind.SendFailed:
        cpu.refusals += 1;
        if (last?.kind !== EventKind.Sent || last.by !== by || last.request !== request) {
          this.fault(event, "does not follow its send");
        }
        return;
      case EventKind.Unused:
        if (last?.kind !== EventKind.Accepted || last.by !== by) this.fault(event, "does not follow its request");
        return;
      case EventKind.Trapped:
        if (!cpu.accepted.has(request)) this.fault(event, "was never accepted");
        cpu.trapped = request;
        return;
      case EventKind.Acked:
        if (request !== cpu.trapped) this.fault(event, `the trap before it took the requests up to ${cpu.trapped}`);
        cpu.acked = request;
        return;
      default:
        return;
    }
  }

  /** Whoever asked without an IPI to ride on rings, or finds that another has. */
  private ring(event: EvidenceEvent, cpu: CpuState): void {
    const asked = cpu.toRing.get(event.by);
    cpu.toRing.delete(event.by);
    if (!cpu.accepted.has(event.request)) this.fault(event, "was never accepted");
    if (asked === undefined && !(this.options.refusedSends && cpu.refusals > 0)) {
      this.fault(event, `cpu${event.by} has asked for nothing that needs an IPI`);
    }
    if (asked !== undefined && event.request < asked) this.fault(event, `request ${asked} was to be sent`);
  }

  private stateOf(index: number): CpuState {
    const known = this.cpus.get(index);
    if (known !== undefined) return known;
    const fresh: CpuState = {
      shown: 0,
      accepted: new Set(),
      trapped: 0,
      acked: 0,
      toRing: new Map(),
      last: null,
      refusals: 0,
    };
    this.cpus.set(index, fresh);
    return fresh;
  }

  private fault(event: EvidenceEvent, message: string): void {
    this.faults.push(`cpu${event.of} n=${event.n} ${eventName(event.kind)} request ${event.request}: ${message}`);
  }
}

/** The CPUs whose events the kernel reports between the marker before and this one. */
export function cpusBefore(rung: Rung): readonly number[] {
  switch (rung.kind) {
    case "cpu-online":
      return rung.cpu === PEER_CPU ? [BOOT_CPU, PEER_CPU] : [rung.cpu];
    case "smp-online":
      return [];
    case "smp-skipped":
      return [BOOT_CPU];
    case "ipi-counterfactual":
    case "ipi-resched":
    case "reject-invalid-cpu":
    case "reject-offline-cpu":
    case "work-stealing":
    case "reject-steal-above-bound":
    case "reject-steal-higher-qos":
      return [BOOT_CPU, PEER_CPU];
    default:
      return rung satisfies never;
  }
}

/** What a kind of event cannot look like; null: it looks as it should. */
function shapeFault({ kind, of, by, request, detail }: EvidenceEvent): string | null {
  const isOwn = by === of;
  switch (kind) {
    case EventKind.Online:
      return isOwn && request === 0 && detail >= 0 ? null : "an online CPU reports itself, with its hart";
    case EventKind.Accepted:
      return detail === 0 || detail === 1 ? null : "it rides on an IPI (1) or does not (0)";
    case EventKind.Sent:
    case EventKind.Coalesced:
      return detail === 0 ? null : "it has no detail";
    case EventKind.Unused:
      return !isOwn && request === 0 && detail === 0 ? null : "it has no request and no detail";
    case EventKind.Trapped:
    case EventKind.Acked:
    case EventKind.Started:
      return isOwn && detail === 0 ? null : "it happens on its own CPU and has no detail";
    case EventKind.SendFailed:
      return detail < 0 ? null : "its detail is the machine's error";
    case EventKind.StartFailed:
      return of === BOOT_CPU && isOwn && request < 0 ? null : "the boot hart reports the machine's error";
    case EventKind.NoPendingRequest:
    case EventKind.RuntimeDenied:
      return isOwn && request === 0 && detail === 0 ? null : "it happens on its own CPU and has no detail";
    case EventKind.RejectedInvalidCpu:
      return isOwn && request === 0 && detail === INVALID_TARGET ? null : `the test asks for cpu${INVALID_TARGET}`;
    case EventKind.RejectedOfflineCpu:
      return isOwn && request === 0 && detail === PEER_CPU ? null : `the test asks for cpu${PEER_CPU}`;
    case EventKind.Stolen:
      return of === PEER_CPU && isOwn && detail === BOOT_CPU ? null : "the test steals for cpu1 from cpu0";
    case EventKind.StealBudgetSpent:
      return of === PEER_CPU && isOwn && request === 0 && detail === 1 ? null : "the test steals twice in a tick";
    case EventKind.StealRefused:
      return of === PEER_CPU && isOwn && request === Qos.Idle && detail === BOOT_CPU
        ? null
        : "the test steals from cpu0 what is of the class Idle at most";
    case EventKind.None:
      return "is no event";
    default:
      return kind satisfies never;
  }
}
