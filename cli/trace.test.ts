import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Trace } from "../trace/event.ts";
import { modelTrace } from "../trace/testing/model-scheduler.ts";
import { indexOf, without } from "../trace/testing/trace-edit.ts";
import { traceLines } from "../trace/trace-file.ts";
import { main } from "./main.ts";
import { captureOutput, workInOwnFolder } from "./testing/captured-command.ts";

const captured = captureOutput();
workInOwnFolder("trace");

function save(path: string, trace: Trace): void {
  writeFileSync(path, `${[...traceLines(trace.header, trace.events, null)].join("\n")}\n`);
}

const trace = modelTrace({ seed: 4, cpus: 2, tasks: 5, endTicks: 1500 });

describe("trace", () => {
  it("width: more columns than fit: refused", async () => {
    save("run.jsonl", trace);
    expect(await main(["trace", "run.jsonl", "--width", "10001"])).toBe(2);
    expect(captured.err).toContain("Give 40 to 10000 columns.");
  });

  it("text: a row a hart, as wide as asked for, without colour where stdout is no terminal", async () => {
    save("run.jsonl", trace);
    expect(await main(["trace", "run.jsonl", "--width", "60"])).toBe(0);
    const rows = captured.out.split("\n").filter((line) => line.startsWith("cpu"));
    expect(rows.map((row) => row.length)).toEqual([60, 60]);
    expect(captured.out).not.toContain("\u001b");
  });

  it("formats: each is written where it is to go", async () => {
    save("run.jsonl", trace);
    expect(await main(["trace", "run.jsonl", "--to", "ftrace"])).toBe(0);
    expect(captured.out).toContain("sched_switch: prev_comm=");
    expect(await main(["trace", "run.jsonl", "--to", "perfetto", "--output", "out/run.pftrace"])).toBe(0);
    expect(readFileSync("out/run.pftrace").length).toBeGreaterThan(1000);
    expect(await main(["trace", "run.jsonl", "--to", "ctf", "--output", "ctf"])).toBe(0);
    expect(readdirSync("ctf").toSorted()).toEqual(["cpu0", "cpu1", "metadata"]);
    expect(captured.err).toBe("");
  });

  it("check: no violation: 0; a planted fault: its clause, its events, a timeline, and 1", async () => {
    save("run.jsonl", trace);
    expect(await main(["trace", "run.jsonl", "--check"])).toBe(0);
    expect(captured.out).toMatch(/^monitors: no violation of I3, .* in \d+ events\n$/);
    captured.out = "";
    const index = indexOf(trace, (event) => event.kind === "trapped", 1);
    save("fault.jsonl", without(trace, index));
    expect(await main(["trace", "fault.jsonl", "--check"])).toBe(1);
    expect(captured.out).toMatch(/^VIOLATION: I[35]: .*\n {2}event \d+: t=\d+ cpu\d /m);
    expect(captured.out).toMatch(/^cpu0 \|.*\|/m);
    expect(captured.out).toMatch(/FAIL: monitors: \d+ violations/);
  });

  it.each([
    [["trace", "none.jsonl"], "none.jsonl: there is no such file"],
    [["trace", "bad.jsonl"], "bad.jsonl: line 2: no such event: swich"],
    [["trace", "text.txt", "--check"], "text.txt: line 1: this is no JSON"],
    [["trace", "run.jsonl", "--to", "perfetto"], "--to perfetto is no text: name a file with --output"],
    [["trace", "run.jsonl", "--to", "ctf", "--output", "full"], "full: it is there and no empty folder"],
    [["trace", "run.jsonl", "--from", "2ms", "--until", "1ms"], "--from is not before --until"],
    [["trace", "run.jsonl", "--from", "2"], "such as 1.5ms, 200us or 0.1s"],
    [["trace", "run.jsonl", "--to", "ftrace", "--from", "1ms"], "use them with --to text"],
    [["metrics", "run.jsonl", "--json", "--csv"], "--json and --csv exclude each other"],
    [["compare", "run.jsonl", "empty"], "empty: the folder has no .jsonl and no .json file"],
    [["compare", "run.jsonl", "text.txt/run"], "text.txt/run: "],
    [["compare", "run.jsonl", "bad.json"], "bad.json: run: rejects is no object"],
  ])("bad input: %j: one line, and 2", async (args, message) => {
    save("run.jsonl", trace);
    const lines = readFileSync("run.jsonl", "utf8").split("\n");
    writeFileSync("bad.jsonl", `${lines[0]}\n{"t":0,"cpu":0,"kind":"swich"}\n`);
    writeFileSync("text.txt", "hello\n");
    for (const folder of ["full", "empty"]) mkdirSync(folder);
    writeFileSync("full/file", "");
    const numbers = '"cpus":1,"ticksPerSecond":1,"durationTicks":1,"events":1,"lost":0,"kernel":"","machine":"sim"';
    writeFileSync("bad.json", `{"format":"hartbeat-metrics","version":1,${numbers}}`);
    expect(await main(args)).toBe(2);
    expect(captured.err).toContain(message);
    expect(captured.err.trimEnd().split("\n").length).toBe(1);
    expect(captured.out).toBe("");
  });
});

describe("metrics and compare", () => {
  it("metrics: table, JSON and CSV; JSON is what compare reads", async () => {
    save("run.jsonl", trace);
    expect(await main(["metrics", "run.jsonl"])).toBe(0);
    expect(captured.out).toContain("all tasks");
    expect(captured.err).toContain("not compared with the kernel's counters");
    captured.out = "";
    expect(await main(["metrics", "run.jsonl", "--csv"])).toBe(0);
    expect(captured.out).toMatch(/^scope,id,metric,unit,value\n/);
    captured.out = "";
    expect(await main(["metrics", "run.jsonl", "--json"])).toBe(0);
    writeFileSync("run.json", captured.out);
    captured.out = "";
    expect(await main(["compare", "run.json", "run.jsonl"])).toBe(0);
    expect(captured.out).toMatch(/^\d+ rows are equal and not shown$/m);
  });

  it("compare: folders of runs, as JSON: every row with its sides and its test", async () => {
    for (const [folder, steals] of [
      ["with", true],
      ["without", false],
    ] as const) {
      mkdirSync(folder);
      for (let seed = 1; seed <= 4; seed++)
        save(`${folder}/${seed}.jsonl`, modelTrace({ seed, cpus: 2, tasks: 5, endTicks: 1500, steals }));
    }
    expect(await main(["compare", "with", "without", "--json"])).toBe(0);
    const comparison = JSON.parse(captured.out) as { runs: number[]; rows: { metric: string; test: unknown }[] };
    expect(comparison.runs).toEqual([4, 4]);
    expect(comparison.rows.find(({ metric }) => metric === "steals")?.test).toMatchObject({ isExact: true });
    expect(existsSync("with/1.json")).toBe(false);
  });
});
