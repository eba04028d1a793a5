// CTF: a trace in the Common Trace Format 1.8 (diamon.org), which babeltrace2 and Trace Compass read: a folder with a
// description of the layout in TSDL, and one stream of one packet for each CPU.
//
// The scheduling events have the names and fields of LTTng's and Linux's; the resched chain and the queue depths have
// names of ours. Lost records are the packets' count of discarded events.
// Partners: ctf-metadata.ts describes what is written here, field by field.

import type { Trace, TraceEvent } from "../event.ts";
import { COMM_LENGTH_MAX, type SchedEvent, type Thread, ThreadTable, nanosecondsOf } from "./linux-sched.ts";
import { CTF_EVENTS, CTF_MAGIC, type CtfEventName, ctfMetadata } from "./ctf-metadata.ts";

/** The files of the folder, by name. */
export function writeCtf(trace: Trace): Map<string, Uint8Array> {
  const threads = new ThreadTable(trace);
  const streams = Array.from({ length: trace.header.cpus }, (_, cpu) => new Stream(cpu));
  for (const event of trace.events) {
    const ns = nanosecondsOf(event.t, trace.header.ticksPerSecond);
    const sched = threads.take(event);
    if (sched !== null) streams[event.cpu]?.sched(sched);
    else streams[event.cpu]?.own(event, ns);
  }
  const files = new Map<string, Uint8Array>([["metadata", new TextEncoder().encode(ctfMetadata(trace.header))]]);
  for (const stream of streams) files.set(`cpu${stream.cpu}`, stream.finish());
  return files;
}

/** Bytes, little-endian, each value at the next byte. The place is taken first: that may exchange the buffer. */
class Bytes {
  private view = new DataView(new ArrayBuffer(4096));
  length = 0;

  u8(value: number): void {
    const at = this.take(1);
    this.view.setUint8(at, value);
  }
  u16(value: number): void {
    const at = this.take(2);
    this.view.setUint16(at, value, true);
  }
  u32(value: number): void {
    const at = this.take(4);
    this.view.setUint32(at, value, true);
  }
  i32(value: number): void {
    const at = this.take(4);
    this.view.setInt32(at, value, true);
  }
  u64(value: bigint): void {
    const at = this.take(8);
    this.view.setBigUint64(at, value, true);
  }
  /** With its end. */
  text(value: string): void {
    for (const byte of new TextEncoder().encode(value)) this.u8(byte);
    this.u8(0);
  }
  append(other: Uint8Array): void {
    const at = this.take(other.length);
    new Uint8Array(this.view.buffer).set(other, at);
  }
  bytes(): Uint8Array {
    return new Uint8Array(this.view.buffer, 0, this.length);
  }

  private take(size: number): number {
    const at = this.length;
    this.length += size;
    if (this.length > this.view.byteLength) {
      const larger = new Uint8Array(2 * this.length);
      larger.set(new Uint8Array(this.view.buffer));
      this.view = new DataView(larger.buffer);
    }
    return at;
  }
}

class Stream {
  readonly cpu: number;
  private readonly events = new Bytes();
  private first: bigint | null = null;
  private last = 0n;
  private discarded = 0;

  constructor(cpu: number) {
    this.cpu = cpu;
  }

  sched(event: SchedEvent): void {
    this.begin(event.kind, event.ns);
    switch (event.kind) {
      case "sched_switch":
        this.thread(event.prev);
        this.events.text(event.prevState);
        return this.thread(event.next);
      case "sched_waking":
      case "sched_wakeup_new":
        this.thread(event.thread);
        return this.events.i32(event.targetCpu);
      case "sched_migrate_task":
        this.thread(event.thread);
        this.events.i32(event.from);
        return this.events.i32(event.to);
      default:
        return event satisfies never;
    }
  }

  own(event: TraceEvent, ns: bigint): void {
    if (event.kind === "lost") this.discarded += event.count;
    if ("request" in event) {
      this.begin("hartbeat_resched", ns);
      this.events.text(event.kind);
      this.events.u32(event.of);
      for (const value of [event.n, event.request, event.detail]) this.events.u64(BigInt(value));
    } else if (event.kind === "depths") {
      this.begin("hartbeat_depths", ns);
      for (const depth of [...event.queues, event.mailbox]) this.events.u32(depth);
    } else if (event.kind === "steal") {
      this.begin("hartbeat_steal", ns);
      this.events.i32(event.task + 1);
      this.events.i32(event.victim);
    } else if (event.kind === "reject") {
      this.begin("hartbeat_reject", ns);
      this.events.i32(event.task === null ? 0 : event.task + 1);
      this.events.text(event.why);
    }
  }

  finish(): Uint8Array {
    const packet = new Bytes();
    const headBytes = 4 + 4 + 8 * 4 + 4 + 8;
    const bits = BigInt(headBytes + this.events.length) * 8n;
    packet.u32(CTF_MAGIC);
    packet.u32(0);
    packet.u64(this.first ?? 0n);
    packet.u64(this.last);
    packet.u64(bits);
    packet.u64(bits);
    packet.u32(this.cpu);
    packet.u64(BigInt(this.discarded));
    packet.append(this.events.bytes());
    return packet.bytes();
  }

  private begin(name: CtfEventName, ns: bigint): void {
    this.first ??= ns;
    this.last = ns;
    this.events.u16(CTF_EVENTS.findIndex((one) => one.name === name));
    this.events.u64(ns);
  }

  /** The name has a fixed length in Linux: its end and what follows are zeros. */
  private thread({ comm, pid, prio }: Thread): void {
    const bytes = new TextEncoder().encode(comm);
    for (let i = 0; i <= COMM_LENGTH_MAX; i++) this.events.u8(bytes[i] ?? 0);
    this.events.i32(pid);
    this.events.i32(prio);
  }
}
