// Perfetto: a trace in perfetto's protobuf format: scheduling as ftrace events, which make its CPU and thread tracks, and
// track events of ours: traps as slices, the resched chain and wake-ups with flow arrows, queue depths as counters.
//
// Flows: from the acceptance of a request to its ack, and from a wake-up to the first run after it. An arrow whose end
// would lie before its start is left out: the two were written by traps that overlapped.
// What is lost: preempted threads are shown as ready, because the bit of "preempted" depends on a Linux version.
// Partners: perfetto-packets.ts writes the messages; linux-sched.ts has the scheduling.

import { Syscall } from "../../abi/syscalls.ts";
import type { Trace, TraceEvent } from "../event.ts";
import { nanosecondsOf, schedEventsOf, type SchedEvent } from "./linux-sched.ts";
import { PerfettoFile } from "./perfetto-packets.ts";

/** Ftrace events in one bundle at most. */
const BUNDLE_MAX = 1000;

const CLASSES = ["Idle", "Normal", "Interactive", "PerfBurst"] as const;

/** Tracks of a CPU: its traps, and a counter for each class and the mailbox. */
const TRACKS_PER_CPU = 8;
const MAILBOX_TRACK = CLASSES.length + 1;

export function writePerfetto(trace: Trace): Uint8Array {
  const file = new PerfettoFile();
  for (let cpu = 0; cpu < trace.header.cpus; cpu++) {
    file.describeTrack(trackOf(cpu, 0), `cpu${cpu} traps`);
    for (const [qos, name] of CLASSES.entries()) file.describeCounter(trackOf(cpu, 1 + qos), `cpu${cpu} ready ${name}`);
    file.describeCounter(trackOf(cpu, MAILBOX_TRACK), `cpu${cpu} mailbox`);
  }
  writeSched(
    file,
    schedEventsOf(trace).filter((event) => event.kind !== "sched_migrate_task"),
  );
  new TrackWriter(file, trace).write();
  return file.finish();
}

function trackOf(cpu: number, track: number): number {
  return 1 + cpu * TRACKS_PER_CPU + track;
}

/** A bundle holds events of one CPU. */
function writeSched(file: PerfettoFile, events: readonly SchedEvent[]): void {
  const open = new Map<number, SchedEvent[]>();
  for (const event of events) {
    const bundle = open.get(event.cpu) ?? [];
    if (bundle.length === 0) open.set(event.cpu, bundle);
    bundle.push(event);
    if (bundle.length < BUNDLE_MAX) continue;
    file.ftrace(event.cpu, bundle);
    open.set(event.cpu, []);
  }
  for (const [cpu, bundle] of open) if (bundle.length > 0) file.ftrace(cpu, bundle);
}

interface OpenTrap {
  readonly track: number;
  last: number;
}

class TrackWriter {
  private readonly file: PerfettoFile;
  private readonly trace: Trace;
  private readonly traps = new Map<number, OpenTrap>();
  /** By target and request: when it was accepted. */
  private readonly accepted = new Map<string, number>();
  private readonly ackedUpTo = new Map<number, number>();
  /** By task: the flow of its last wake-up. */
  private readonly wakes = new Map<number, number>();
  private flows = 0;
  private readonly flowOf = new Map<string, number>();

  constructor(file: PerfettoFile, trace: Trace) {
    this.file = file;
    this.trace = trace;
    for (const event of trace.events)
      if (event.kind === "accepted") this.accepted.set(`${event.of} ${event.request}`, event.t);
  }

  write(): void {
    for (const event of this.trace.events) this.take(event);
    for (const trap of this.traps.values()) this.file.endSlice(trap.track, this.ns(trap.last));
  }

  private take(event: TraceEvent): void {
    const { t, cpu } = event;
    const track = trackOf(cpu, 0);
    if (event.kind === "trap") {
      const before = this.traps.get(cpu);
      if (before !== undefined) this.file.endSlice(track, this.ns(before.last));
      this.traps.set(cpu, { track, last: t });
      const name = event.call === undefined ? event.cause : (Syscall[event.call] ?? `call ${event.call}`);
      return this.file.beginSlice(track, this.ns(t), name);
    }
    const trap = this.traps.get(cpu);
    if (trap !== undefined) trap.last = t;
    this.mark(event, track);
  }

  /** What happens in a trap is an instant in its slice. */
  private mark(event: TraceEvent, track: number): void {
    const at = this.ns(event.t);
    switch (event.kind) {
      case "accepted":
        return this.file.instant(track, at, `accepted cpu${event.of} #${event.request}`, {
          starts: [this.chainFlow(event)],
        });
      case "sent":
      case "send-failed":
      case "coalesced":
      case "trapped":
      case "no-pending-request":
        return this.file.instant(track, at, `${event.kind} cpu${event.of} #${event.request}`, {});
      case "acked":
        return this.file.instant(track, at, `acked #${event.request}`, { ends: this.ackedFlows(event) });
      case "wake":
        this.wakes.set(event.task, ++this.flows);
        return this.file.instant(track, at, `wake task ${event.task}`, { starts: [this.flows] });
      case "switch": {
        const flow = event.next === null ? undefined : this.wakes.get(event.next);
        if (event.next === null || flow === undefined) return;
        this.wakes.delete(event.next);
        return this.file.instant(track, at, `run task ${event.next}`, { ends: [flow] });
      }
      case "steal":
        return this.file.instant(track, at, `steal task ${event.task} from cpu${event.victim}`, {});
      case "reject":
        return this.file.instant(track, at, `reject ${event.why}`, {});
      case "lost":
        return this.file.instant(track, at, `${event.count} records lost`, {});
      case "depths":
        for (const [qos, depth] of event.queues.entries()) this.file.counter(trackOf(event.cpu, 1 + qos), at, depth);
        return this.file.counter(trackOf(event.cpu, MAILBOX_TRACK), at, event.mailbox);
      default:
        return;
    }
  }

  private chainFlow({ of, request }: { readonly of: number; readonly request: number }): number {
    const key = `${of} ${request}`;
    const flow = this.flowOf.get(key) ?? ++this.flows;
    this.flowOf.set(key, flow);
    return flow;
  }

  /** The requests that this ack covers and no ack before it. */
  private ackedFlows(event: { readonly of: number; readonly request: number; readonly t: number }): number[] {
    const { of, request, t } = event;
    const flows: number[] = [];
    for (let one = (this.ackedUpTo.get(of) ?? 0) + 1; one <= request; one++) {
      const acceptedAt = this.accepted.get(`${of} ${one}`);
      if (acceptedAt !== undefined && acceptedAt <= t) flows.push(this.chainFlow({ of, request: one }));
    }
    this.ackedUpTo.set(of, request);
    return flows;
  }

  private ns(ticks: number): number {
    return Number(nanosecondsOf(ticks, this.trace.header.ticksPerSecond));
  }
}
