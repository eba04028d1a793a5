// Observer memory: a file that is the board's memory while it runs, and the records that the harts write there.
//
// The file has no name: it goes when the last process that has it open ends, however that ends.
// Owner: machine-boot.ts. Invariant: a record that may have been written over before it was read counts as lost, and is
// not used; `events` has every other one, once, in the order of time.
// Pairs with: observer.h (what lies where); qemu.ts, which starts the board on this memory.

import { closeSync, ftruncateSync, mkdtempSync, openSync, readSync, rmSync, statfsSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CPUS_MAX } from "../../abi/layout.ts";
import type { TraceEvent } from "../../trace/event.ts";
import { TraceAssembler } from "../trace-assembler.ts";
import { symbolOf } from "./elf-symbols.ts";
import { observationAt, RECORD_BYTES, timeAt } from "./observer-records.ts";

/** As in observer.h. */
export const REGION_BYTES = 0x200000;
export const RECORDS = 0x10000;
const HEAD_BYTES = 64;

const MEBIBYTE = 1 << 20;
/** What the board has without an observer; its regions come behind it. */
const BOARD_MEBIBYTES = 128;
/** For the device tree, which QEMU puts at the memory's end. */
const TREE_MEBIBYTES = 16;
const MEMORY_BASE = 0x80000000;

/** Records of one hart that were read together; lost: how many were missed before them. */
interface Chunk {
  readonly lost: number;
  readonly bytes: Buffer;
}

/** Where a hart's records are read next, of what was read. */
interface Cursor {
  readonly cpu: number;
  readonly chunks: readonly Chunk[];
  chunk: number;
  offset: number;
  /** Of the record there; Infinity behind the last. */
  time: number;
}

export class ObserverMemory {
  readonly mebibytes: number;
  /** Of the file: the board's memory. */
  readonly file: number;
  private readonly cpus: number;
  private readonly chunks: Chunk[][];
  private readonly read: number[];
  private isOpen = true;

  constructor(harts: number) {
    this.cpus = Math.min(harts, CPUS_MAX);
    this.mebibytes = BOARD_MEBIBYTES + ((1 + this.cpus) * REGION_BYTES) / MEBIBYTE + TREE_MEBIBYTES;
    this.file = namelessFile(this.mebibytes * MEBIBYTE);
    ftruncateSync(this.file, this.mebibytes * MEBIBYTE);
    this.chunks = Array.from({ length: this.cpus }, () => []);
    this.read = Array.from({ length: this.cpus }, () => 0);
  }

  /** Reads what the harts have written since the last time. */
  poll(): void {
    for (let cpu = 0; cpu < this.cpus; cpu++) this.pollCpu(cpu);
  }

  /** The board has ended: reads the rest, and gives the memory back. */
  close(): void {
    if (!this.isOpen) return;
    this.poll();
    closeSync(this.file);
    this.isOpen = false;
  }

  *events(): Generator<TraceEvent> {
    const assembler = new TraceAssembler();
    const cursors = this.chunks.map((chunks, cpu): Cursor => ({ cpu, chunks, chunk: 0, offset: 0, time: 0 }));
    for (const cursor of cursors) settle(cursor);
    for (let next = earliest(cursors); next !== undefined; next = earliest(cursors)) {
      const { lost, bytes } = next.chunks[next.chunk] as Chunk;
      if (next.offset === 0 && lost > 0) yield { t: next.time, cpu: next.cpu, kind: "lost", count: lost };
      yield* assembler.assemble(observationAt(bytes, next.offset));
      next.offset += RECORD_BYTES;
      settle(next);
    }
  }

  private pollCpu(cpu: number): void {
    const head = this.headOf(cpu);
    const next = this.read[cpu] ?? 0;
    if (head === next) return;
    const from = Math.max(next, head - RECORDS);
    const bytes = Buffer.allocUnsafe((head - from) * RECORD_BYTES);
    for (let at = from; at < head;) {
      const slot = at % RECORDS;
      const count = Math.min(head - at, RECORDS - slot);
      const position = BOARD_MEBIBYTES * MEBIBYTE + REGION_BYTES * (1 + cpu) + slot * RECORD_BYTES;
      readSync(this.file, bytes, (at - from) * RECORD_BYTES, count * RECORD_BYTES, position);
      at += count;
    }
    // The hart may have gone round meanwhile; of what it writes now, the head is not moved yet.
    const valid = Math.min(head, Math.max(from, this.headOf(cpu) - RECORDS + 1));
    this.read[cpu] = head;
    this.chunks[cpu]?.push({ lost: valid - next, bytes: bytes.subarray((valid - from) * RECORD_BYTES) });
  }

  private headOf(cpu: number): number {
    const bytes = Buffer.alloc(8);
    readSync(this.file, bytes, 0, 8, BOARD_MEBIBYTES * MEBIBYTE + cpu * HEAD_BYTES);
    return Number(bytes.readBigUInt64LE());
  }
}

/** The cursor of the earliest record; undefined when all are read. */
function earliest(cursors: readonly Cursor[]): Cursor | undefined {
  let best: Cursor | undefined;
  for (const cursor of cursors) if (cursor.time < (best?.time ?? Infinity)) best = cursor;
  return best;
}

/** Goes on to the next chunk where one is read, or was all lost. */
function settle(cursor: Cursor): void {
  for (;;) {
    const chunk = cursor.chunks[cursor.chunk];
    cursor.time = chunk === undefined ? Infinity : timeIn(chunk, cursor.offset);
    if (!Number.isNaN(cursor.time)) return;
    cursor.chunk += 1;
    cursor.offset = 0;
  }
}

/** NaN behind the chunk's end. */
function timeIn({ bytes }: Chunk, offset: number): number {
  return offset < bytes.length ? timeAt(bytes, offset) : NaN;
}

/** A file with a copy of the image that has its harts observed. */
export function observedImage(image: Buffer): number {
  const { offset } = symbolOf(image, "machine_observer_base");
  if (offset === undefined) throw new Error("the image's observer word is in no segment");
  const copy = Buffer.from(image);
  copy.writeBigUInt64LE(BigInt(MEMORY_BASE + BOARD_MEBIBYTES * MEBIBYTE), offset);
  const file = namelessFile(copy.length);
  for (let from = 0; from < copy.length;) from += writeSync(file, copy, from, copy.length - from, from);
  return file;
}

/** In memory where there is space for it, else in the folder for temporary files. */
function namelessFile(bytes: number): number {
  const folder = mkdtempSync(join(hasSpace(SHARED_MEMORY, bytes) ? SHARED_MEMORY : tmpdir(), "hartbeat-"));
  try {
    return openSync(join(folder, "memory"), "wx+", 0o600);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const SHARED_MEMORY = "/dev/shm";

function hasSpace(folder: string, bytes: number): boolean {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize > 2 * bytes;
  } catch {
    return false;
  }
}
