// What the host reads of a hart's ring, written here as a hart would; with records that are written over.

import { writeSync } from "node:fs";
import { expect, test } from "vitest";
import { ObserverMemory, RECORDS, REGION_BYTES } from "./observer-memory.ts";
import { RECORD_BYTES, RecordKind } from "./observer-records.ts";

/** Where the first region begins: behind the board's own memory. */
const REGIONS = 128 << 20;

/** A hart that writes records, each with its number as its time. */
class FakeHart {
  private head = 0;

  constructor(
    private readonly file: number,
    private readonly cpu: number,
  ) {}

  write(count: number): void {
    const ring = REGIONS + REGION_BYTES * (1 + this.cpu);
    for (const end = this.head + count; this.head < end;) {
      const slot = this.head % RECORDS;
      const records = Buffer.alloc(Math.min(end - this.head, RECORDS - slot) * RECORD_BYTES);
      for (let at = 0; at < records.length; at += RECORD_BYTES, this.head++) {
        records.writeBigUInt64LE(BigInt(this.head), at);
        records[at + 8] = RecordKind.StealsContended;
        records[at + 9] = this.cpu;
        records.writeUInt32LE(1, at + 12);
      }
      writeSync(this.file, records, 0, records.length, ring + slot * RECORD_BYTES);
    }
    const head = Buffer.alloc(8);
    head.writeBigUInt64LE(BigInt(this.head));
    writeSync(this.file, head, 0, 8, REGIONS + 64 * this.cpu);
  }
}

/** Times of the events of a CPU, and how many records were lost of it. */
function eventsOf(memory: ObserverMemory, cpu: number): { times: number[]; lost: number } {
  const events = [...memory.events()].filter((event) => event.cpu === cpu);
  const lost = events.reduce((sum, event) => sum + (event.kind === "lost" ? event.count : 0), 0);
  return { times: events.filter(({ kind }) => kind === "steal-failed").map(({ t }) => t), lost };
}

test("observer memory: read in parts, around the ring's end: every record once, of all harts in order of time", () => {
  const memory = new ObserverMemory(2);
  const harts = [new FakeHart(memory.file, 0), new FakeHart(memory.file, 1)];
  for (const count of [3, 33_000, 0, 33_000, 7]) {
    harts[0]?.write(count);
    harts[1]?.write(1);
    memory.poll();
  }
  memory.close();
  let time = 0;
  const next = [0, 0];
  for (const event of memory.events()) {
    const { t, cpu } = event;
    // The next record of this hart, and none that is earlier than the one before.
    if (event.kind !== "steal-failed" || t !== next[cpu] || t < time) throw new Error(JSON.stringify(event));
    next[cpu] = t + 1;
    time = t;
  }
  expect(next).toEqual([66_010, 5]);
}, 60_000);

test("observer memory: a hart goes round before it is read: what is written over is counted, and the rest is right", () => {
  const memory = new ObserverMemory(1);
  const hart = new FakeHart(memory.file, 0);
  hart.write(10);
  memory.poll();
  hart.write(RECORDS + 5);
  memory.close();
  const { times, lost } = eventsOf(memory, 0);
  // One more than is sure to be lost: the hart may just be writing the next record over it.
  expect(lost).toBe(6);
  expect(times.slice(0, 12)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 17]);
  expect(times.length + lost).toBe(RECORDS + 15);
}, 60_000);

test("observer memory: more harts than there are CPUs: memory for the CPUs, and a device tree behind", () => {
  const memory = new ObserverMemory(66);
  expect(memory.mebibytes).toBe(128 + 2 * 65 + 16);
  memory.close();
  expect([...memory.events()]).toEqual([]);
});
