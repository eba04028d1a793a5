// Perfetto packets: the messages of perfetto's trace format that the export uses, field by field.
//
// The numbers are those of perfetto's published protos (protos/perfetto/trace): trace.proto, trace_packet.proto,
// ftrace/ftrace_event.proto, ftrace/sched.proto, track_event/*.proto. Times are nanoseconds of its default clock.

import { PbfWriter } from "pbf";
import type { PrevState, SchedEvent, Thread } from "./linux-sched.ts";

const TRACE_PACKET = 1;

const PACKET_FTRACE = 1;
const PACKET_TIMESTAMP = 8;
const PACKET_SEQUENCE = 10;
const PACKET_TRACK_EVENT = 11;
const PACKET_TRACK_DESCRIPTOR = 60;

const BUNDLE_CPU = 1;
const BUNDLE_EVENT = 2;

const FTRACE_TIMESTAMP = 1;
const FTRACE_PID = 2;
const FTRACE_SCHED_SWITCH = 4;
const FTRACE_SCHED_WAKING = 20;
const FTRACE_SCHED_WAKEUP_NEW = 114;

const DESCRIPTOR_UUID = 1;
const DESCRIPTOR_NAME = 2;
const DESCRIPTOR_COUNTER = 8;
const COUNTER_UNIT = 3;
const UNIT_COUNT = 2;

const EVENT_TYPE = 9;
const EVENT_TRACK = 11;
const EVENT_NAME = 23;
const EVENT_COUNTER_VALUE = 30;
const EVENT_FLOWS = 47;
const EVENT_TERMINATING_FLOWS = 48;

enum EventType {
  SliceBegin = 1,
  SliceEnd = 2,
  Instant = 3,
  Counter = 4,
}

/** All packets are of one writer. */
const SEQUENCE = 1;

/** The bits of task_struct's state that all versions of Linux share. */
const STATE_BITS: Readonly<Record<PrevState, number>> = { R: 0, "R+": 0, S: 1, X: 16 };

export interface Flows {
  readonly starts?: readonly number[];
  readonly ends?: readonly number[];
}

export class PerfettoFile {
  private readonly writer = new PbfWriter();

  finish(): Uint8Array {
    return this.writer.finish();
  }

  describeTrack(uuid: number, name: string): void {
    this.describe(uuid, name, false);
  }

  describeCounter(uuid: number, name: string): void {
    this.describe(uuid, name, true);
  }

  beginSlice(track: number, ns: number, name: string): void {
    this.trackEvent(track, ns, EventType.SliceBegin, (pbf) => pbf.writeStringField(EVENT_NAME, name));
  }

  endSlice(track: number, ns: number): void {
    this.trackEvent(track, ns, EventType.SliceEnd, () => {});
  }

  instant(track: number, ns: number, name: string, { starts = [], ends = [] }: Flows): void {
    this.trackEvent(track, ns, EventType.Instant, (pbf) => {
      pbf.writeStringField(EVENT_NAME, name);
      for (const flow of starts) pbf.writeFixed64Field(EVENT_FLOWS, flow);
      for (const flow of ends) pbf.writeFixed64Field(EVENT_TERMINATING_FLOWS, flow);
    });
  }

  counter(track: number, ns: number, value: number): void {
    this.trackEvent(track, ns, EventType.Counter, (pbf) => pbf.writeVarintField(EVENT_COUNTER_VALUE, value));
  }

  /** Scheduling events of one CPU. */
  ftrace(cpu: number, events: readonly SchedEvent[]): void {
    this.packet(null, (packet) =>
      message(packet, PACKET_FTRACE, (bundle) => {
        bundle.writeVarintField(BUNDLE_CPU, cpu);
        for (const event of events) message(bundle, BUNDLE_EVENT, (pbf) => writeFtraceEvent(pbf, event));
      }),
    );
  }

  private describe(uuid: number, name: string, isCounter: boolean): void {
    this.packet(null, (packet) =>
      message(packet, PACKET_TRACK_DESCRIPTOR, (pbf) => {
        pbf.writeVarintField(DESCRIPTOR_UUID, uuid);
        pbf.writeStringField(DESCRIPTOR_NAME, name);
        if (isCounter)
          message(pbf, DESCRIPTOR_COUNTER, (counter) => counter.writeVarintField(COUNTER_UNIT, UNIT_COUNT));
      }),
    );
  }

  private trackEvent(track: number, ns: number, type: EventType, write: (pbf: PbfWriter) => void): void {
    this.packet(ns, (packet) =>
      message(packet, PACKET_TRACK_EVENT, (pbf) => {
        pbf.writeVarintField(EVENT_TYPE, type);
        pbf.writeVarintField(EVENT_TRACK, track);
        write(pbf);
      }),
    );
  }

  private packet(ns: number | null, write: (pbf: PbfWriter) => void): void {
    message(this.writer, TRACE_PACKET, (pbf) => {
      if (ns !== null) pbf.writeVarintField(PACKET_TIMESTAMP, ns);
      pbf.writeVarintField(PACKET_SEQUENCE, SEQUENCE);
      write(pbf);
    });
  }
}

function message(pbf: PbfWriter, field: number, write: (pbf: PbfWriter) => void): void {
  pbf.writeMessage(field, (_: null, inner: PbfWriter) => write(inner), null);
}

function writeFtraceEvent(pbf: PbfWriter, event: SchedEvent): void {
  pbf.writeVarintField(FTRACE_TIMESTAMP, Number(event.ns));
  pbf.writeVarintField(FTRACE_PID, event.context.pid);
  switch (event.kind) {
    case "sched_switch":
      return message(pbf, FTRACE_SCHED_SWITCH, (fields) => {
        writeThread(fields, 1, event.prev);
        fields.writeVarintField(4, STATE_BITS[event.prevState]);
        writeThread(fields, 5, event.next);
      });
    case "sched_waking":
    case "sched_wakeup_new": {
      const field = event.kind === "sched_waking" ? FTRACE_SCHED_WAKING : FTRACE_SCHED_WAKEUP_NEW;
      return message(pbf, field, (fields) => {
        writeThread(fields, 1, event.thread);
        fields.writeVarintField(4, 1);
        fields.writeVarintField(5, event.targetCpu);
      });
    }
    case "sched_migrate_task":
      // Perfetto sees it by the CPU of the next switch.
      return;
    default:
      return event satisfies never;
  }
}

/** Name, pid and priority are three fields in a row in all messages of scheduling. */
function writeThread(pbf: PbfWriter, field: number, { comm, pid, prio }: Thread): void {
  pbf.writeStringField(field, comm);
  pbf.writeVarintField(field + 1, pid);
  pbf.writeVarintField(field + 2, prio);
}
