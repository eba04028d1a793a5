import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import type { ChainKind, Trace, TraceEvent } from "../event.ts";
import { isChainEvent } from "../monitor/chain-traps.ts";
import { modelTrace } from "../testing/model-scheduler.ts";
import { writeCtf } from "./ctf.ts";
import { formatFtrace } from "./ftrace-text.ts";
import { writePerfetto } from "./perfetto.ts";

const scratch = mkdtempSync(join(tmpdir(), "hartbeat-exports-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const trace = modelTrace({ seed: 3, cpus: 3, tasks: 8, endTicks: 2000 });

function eventsOf<Kind extends TraceEvent["kind"]>(
  kind: Kind,
  of: Trace = trace,
): Extract<TraceEvent, { kind: Kind }>[] {
  return of.events.filter((event): event is Extract<TraceEvent, { kind: Kind }> => event.kind === kind);
}

const chain = trace.events.filter((event) => isChainEvent(event));
const stepsOf = (kind: ChainKind): typeof chain => chain.filter((event) => event.kind === kind);

function answers(program: string): boolean {
  return spawnSync(program, ["--version"], { stdio: "ignore" }).status === 0;
}

function output(program: string, args: readonly string[], input?: Uint8Array): string {
  const { stdout, stderr, status } = spawnSync(program, args, { input, maxBuffer: 1 << 26 });
  expect(status, stderr.toString()).toBe(0);
  return stdout.toString();
}

function count(text: string, pattern: RegExp): number {
  return [...text.matchAll(pattern)].length;
}

describe("ftrace text", () => {
  it("switches, wake-ups, migrations: each is a line as ftrace prints it", () => {
    const lines = formatFtrace(trace).split("\n");
    const first = trace.events.find(
      (event) => event.kind === "switch" && event.previous !== null && event.next !== null,
    );
    expect(first).toBeDefined();
    const form =
      /^ +\S+-\d+ +\[\d{3}\] d\.\.2\. \d+\.\d{9}: sched_switch: prev_comm=\S+ prev_pid=\d+ prev_prio=\d+ prev_state=(R|R\+|S|X) ==> next_comm=\S+ next_pid=\d+ next_prio=\d+$/;
    expect(lines.filter((line) => form.test(line)).length).toBe(eventsOf("switch").length);
    const waking = /sched_waking: comm=worker-\d+ pid=\d+ prio=\d+ target_cpu=\d{3}$/;
    expect(lines.filter((line) => waking.test(line)).length).toBe(eventsOf("wake").length);
    const moved = /sched_migrate_task: comm=\S+ pid=\d+ prio=\d+ orig_cpu=\d+ dest_cpu=\d+$/;
    expect(lines.filter((line) => moved.test(line)).length).toBe(eventsOf("migrate").length);
  });

  it("a switch by hand: thread, CPU, seconds, states and priorities", () => {
    const events: TraceEvent[] = [
      { t: 0, cpu: 1, kind: "spawn", task: 4, program: 0, qos: "Idle", target: 1 },
      { t: 10, cpu: 1, kind: "switch", previous: null, reason: null, next: 4, qos: "Idle" },
      { t: 12_345_678, cpu: 1, kind: "switch", previous: 4, reason: "preempted", next: null, qos: null },
    ];
    expect(
      formatFtrace({ ...trace, events })
        .split("\n")
        .at(-2),
    ).toBe(
      "        worker-4-5       [001] d..2. 1.234567800: sched_switch: prev_comm=worker-4 prev_pid=5 prev_prio=139 prev_state=R+ ==> next_comm=swapper/1 next_pid=0 next_prio=120",
    );
  });
});

const hasProtoc = answers("protoc");
const protocTitle = `perfetto, read by protoc${hasProtoc ? "" : " (skipped: no protoc, apt-get install protobuf-compiler)"}`;

describe.skipIf(!hasProtoc)(protocTitle, () => {
  const schema = fileURLToPath(new URL("../testing/perfetto-fields.proto", import.meta.url));
  const decode = (of: Trace): string =>
    output("protoc", ["--decode=Trace", `--proto_path=${join(schema, "..")}`, schema], writePerfetto(of));

  it("every event is there, in fields that the schema knows", () => {
    const text = decode(trace);
    // Fields that a schema does not know are printed by number.
    expect(text).not.toMatch(/^ *\d+[:{ ]/m);
    expect(count(text, /sched_switch \{/g)).toBe(eventsOf("switch").length);
    expect(count(text, /sched_waking \{/g)).toBe(eventsOf("wake").length);
    expect(count(text, /sched_wakeup_new \{/g)).toBe(eventsOf("spawn").length);
    expect(count(text, /type: 1\n/g)).toBe(eventsOf("trap").length);
    expect(count(text, /type: 2\n/g)).toBe(eventsOf("trap").length);
    expect(count(text, /type: 4\n/g)).toBe(5 * eventsOf("depths").length);
    expect(count(text, /name: "cpu\d ready \w+"\n *counter/g)).toBe(4 * 3);
  });

  it("flows: each request that was acked has an arrow to its ack, each wake-up one to a run", () => {
    const text = decode(trace);
    const starts = [...text.matchAll(/ flow_ids: (\d+)/g)].map((match) => match[1]);
    const ends = [...text.matchAll(/terminating_flow_ids: (\d+)/g)].map((match) => match[1]);
    expect(new Set(starts).size).toBe(stepsOf("accepted").length + eventsOf("wake").length);
    expect(new Set(ends).size).toBe(ends.length);
    expect(ends.every((flow) => starts.includes(flow))).toBe(true);
    const acked = stepsOf("accepted").filter((event) =>
      stepsOf("acked").some((ack) => ack.of === event.of && ack.request >= event.request && ack.t >= event.t),
    );
    expect(ends.length).toBeGreaterThan(acked.length);
  });

  it("a switch by hand: its bytes", () => {
    const events: TraceEvent[] = [
      { t: 10, cpu: 1, kind: "switch", previous: null, reason: null, next: 4, qos: "Idle" },
    ];
    expect(decode({ ...trace, events }).replaceAll(/\s+/g, " ")).toContain(
      'ftrace_events { cpu: 1 event { timestamp: 1000 pid: 0 sched_switch { prev_comm: "swapper/1" prev_pid: 0 prev_prio: 120 prev_state: 0 next_comm: "task-4" next_pid: 5 next_prio: 139 } } }',
    );
  });
});

const hasBabeltrace = answers("babeltrace2");
const babeltraceTitle = `CTF, read by babeltrace2${hasBabeltrace ? "" : " (skipped: no babeltrace2, apt-get install babeltrace2)"}`;

describe.skipIf(!hasBabeltrace)(babeltraceTitle, () => {
  const read = (of: Trace, name: string): string => {
    const folder = mkdtempSync(join(scratch, name));
    for (const [file, bytes] of writeCtf(of)) writeFileSync(join(folder, file), bytes);
    return output("babeltrace2", ["--clock-cycles", folder]);
  };

  it("every event is there, in the order of time", () => {
    const lines = read(trace, "model").trimEnd().split("\n");
    const named = (name: string): number => lines.filter((line) => line.includes(` ${name}: `)).length;
    expect(named("sched_switch")).toBe(eventsOf("switch").length);
    expect(named("sched_waking")).toBe(eventsOf("wake").length);
    expect(named("sched_migrate_task")).toBe(eventsOf("migrate").length);
    expect(named("hartbeat_steal")).toBe(eventsOf("steal").length);
    expect(named("hartbeat_depths")).toBe(eventsOf("depths").length);
    expect(named("hartbeat_resched")).toBe(chain.length);
    const times = lines.map((line) => Number(/\[(\d+)\]/.exec(line)?.[1]));
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });

  it("events by hand: their fields; lost records are discarded events", () => {
    const events: TraceEvent[] = [
      { t: 10, cpu: 1, kind: "switch", previous: 3, reason: "blocked", next: 4, qos: "PerfBurst" },
      { t: 11, cpu: 1, kind: "lost", count: 7 },
      { t: 12, cpu: 1, kind: "accepted", of: 0, n: 5, request: 2, detail: 1 },
    ];
    const text = read({ ...trace, events }, "hand");
    expect(text).toContain(
      'prev_comm = "task-3", prev_tid = 4, prev_prio = 120, prev_state = "S", next_comm = "task-4", next_tid = 5, next_prio = 100',
    );
    expect(text).toContain(
      'hartbeat_resched: { cpu_id = 1 }, { step = "accepted", of_cpu = 0, number = 5, request = 2, detail = 1 }',
    );
  });
});
