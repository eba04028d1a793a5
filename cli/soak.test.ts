// hartbeat soak: usage, exit codes, the state that it keeps and resumes, failures and their replay, Ctrl-C.

import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Chunk, ChunkResult } from "../proof/soak/soak-setup.ts";
import { main } from "./main.ts";
import type { LaneOpener, LaneOptions } from "./soak-lanes.ts";
import { doneWithin, joined, nextChunk } from "./soak-state.ts";
import { captureOutput, workInOwnFolder } from "./testing/captured-command.ts";

const output = captureOutput();
workInOwnFolder("soak");

interface Play {
  /** Numbers that fail. */
  readonly failing?: readonly number[];
  /** Called before each chunk is run. */
  readonly before?: (chunk: Chunk) => void;
  readonly image?: string;
}

/** Lanes that answer at once; `ran` lists every number that was run. */
function fakeLanes({ failing = [], before, image = "a" }: Play = {}) {
  const ran: number[] = [];
  const asked: LaneOptions[] = [];
  const run = async (chunk: Chunk): Promise<ChunkResult> => {
    before?.(chunk);
    const numbers = Array.from({ length: chunk.to - chunk.from }, (_, index) => chunk.from + index);
    ran.push(...numbers);
    const failures = numbers
      .filter((number) => failing.includes(number))
      .map((number) => ({ number, reasons: [`reason of ${number}`], console: ["a line"], plan: "some faults" }));
    const tally = { runs: numbers.length, passed: numbers.length - failures.length, failed: failures.length };
    return { done: chunk, tally: { ...tally, counts: { events: numbers.length } }, failures };
  };
  const opener: LaneOpener = async (_, options) => {
    asked.push(options);
    const lanes = Array.from({ length: options.workers }, () => run);
    return { kind: "open", lanes, images: { image }, elf: null, chunkRuns: 10, close: async () => undefined };
  };
  return { opener, ran, asked };
}

const command = (args: string, opener: LaneOpener): Promise<number> =>
  main(["soak", ...args.split(" ").filter((word) => word !== "")], undefined, undefined, opener);

describe("soak: usage", () => {
  test.each([
    ["--machine sim", /how many: --seeds/],
    ["--machine virt", /how many: --boots/],
    ["--seeds 5 --boots 5", /--boots belongs to --machine virt/],
    ["--machine virt --boots 5 --seeds 5", /--seeds belongs to --machine sim/],
    ["--machine virt --boots 5 --faults", /--faults belongs to --machine sim/],
    ["--machine virt --boots 5 --seed 5", /--seed belongs to --machine sim/],
    ["--seeds 5 --elf x", /--elf belongs to --machine virt/],
    ["--seeds 5 --programs bytes", /--programs bytes belongs to --machine virt/],
    ["--seeds 0", /at least 1/],
    ["--seeds 5 --programs wild", /programs/],
    ["--seeds 5 --workers 0", /at least 1/],
  ])("soak %s: exit 2 and one line", async (args, message) => {
    const { opener, ran } = fakeLanes();
    expect(await command(args, opener)).toBe(2);
    expect(output.err).toMatch(message);
    expect(output.err.trimEnd().split("\n")).toHaveLength(1);
    expect(ran).toEqual([]);
  });
});

describe("soak: runs", () => {
  test("soak: all seeds pass on two workers: exit 0, each seed run once, the tally on stdout", async () => {
    const { opener, ran, asked } = fakeLanes();
    expect(await command("--smp 3 --seeds 95 --seed 7 --workers 2", opener)).toBe(0);
    expect(ran.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 95 }, (_, index) => 7 + index));
    expect(asked[0]?.workers).toBe(2);
    expect(output.out).toMatch(/events 95\nPASS sim smp=3: 95 of 95 seeds, 0 failed\n$/);
    expect(output.err).toBe("");
  });

  test("soak: some seeds fail: exit 1, each named, its console kept, the last line replays the first", async () => {
    const { opener } = fakeLanes({ failing: [12, 31] });
    expect(await command("--smp 2 --seeds 40 --faults --workers 1", opener)).toBe(1);
    expect(output.out).toContain("FAIL seed 12: reason of 12");
    expect(output.out).toContain("FAIL sim smp=2 faults: 40 of 40 seeds, 2 failed");
    expect(output.out.trimEnd().split("\n").at(-1)).toBe(
      "npx hartbeat soak --machine sim --smp 2 --faults --replay 12",
    );
    const kept = /\((\.hartbeat[^)]*)\)/.exec(output.out)?.[1] ?? "";
    expect(readFileSync(join(kept, "console.log"), "utf8")).toBe("a line\n");
    const verdict = JSON.parse(readFileSync(join(kept, "verdict.json"), "utf8"));
    expect(verdict).toMatchObject({
      number: 12,
      faults: "some faults",
      replay: expect.stringContaining("--replay 12"),
    });
  });

  test("soak: the same command again: nothing runs twice, and what failed is still known", async () => {
    const first = fakeLanes({ failing: [3] });
    expect(await command("--seeds 20 --workers 1", first.opener)).toBe(1);
    const second = fakeLanes();
    expect(await command("--seeds 50 --workers 1", second.opener)).toBe(1);
    expect(second.ran).toEqual(Array.from({ length: 30 }, (_, index) => 21 + index));
    expect(output.err).toContain("goes on after 20 seeds");
    expect(output.out).toContain("50 of 50 seeds, 1 failed");
  });

  test("soak: another image, other options, --fresh: begins again", async () => {
    expect(await command("--seeds 20 --workers 1", fakeLanes().opener)).toBe(0);
    for (const [args, image] of [
      ["--seeds 20 --workers 1", "b"],
      ["--seeds 20 --workers 1 --smp 4", "a"],
      ["--seeds 20 --workers 1 --faults", "a"],
      ["--seeds 20 --workers 1 --programs calls", "a"],
      ["--seeds 20 --workers 1 --fresh", "a"],
    ] as const) {
      const { opener, ran } = fakeLanes({ image });
      expect(await command(args, opener)).toBe(0);
      expect(ran, args).toHaveLength(20);
    }
  });

  test("soak: Ctrl-C between chunks: exit 130, what is known is kept, and the same command goes on", async () => {
    const first = fakeLanes({ before: ({ from }) => from === 21 && process.emit("SIGINT") });
    expect(await command("--seeds 100 --workers 1", first.opener)).toBe(130);
    expect(first.ran).toHaveLength(30);
    expect(output.out).toContain("STOPPED sim smp=2: 30 of 100 seeds, 0 failed");
    const second = fakeLanes();
    expect(await command("--seeds 100 --workers 1", second.opener)).toBe(0);
    expect(second.ran).toHaveLength(70);
  });

  test.each([
    ["an older version that is read", '"version": 1', 0],
    ["a version that is not known", '"version": 3', 20],
  ])("soak: state of %s (%s): %i seeds run again", async (_, version, runs) => {
    await command("--seeds 20 --workers 1", fakeLanes().opener);
    const [name = ""] = readdirSync(join(".hartbeat", "soak"));
    const state = join(".hartbeat", "soak", name, "state.json");
    const text = readFileSync(state, "utf8");
    expect(text).toContain('"version": 2');
    writeFileSync(state, text.replace('"version": 2', version).replace('"setup"', '"campaign"'));
    const { opener, ran } = fakeLanes();
    expect(await command("--seeds 20 --workers 1", opener)).toBe(0);
    expect(ran).toHaveLength(runs);
  });

  test("soak: state cut short: no part of it is believed", async () => {
    await command("--seeds 20 --workers 1", fakeLanes().opener);
    const [name = ""] = readdirSync(join(".hartbeat", "soak"));
    const state = join(".hartbeat", "soak", name, "state.json");
    const text = readFileSync(state, "utf8");
    writeFileSync(state, text.slice(0, -20));
    const { opener, ran } = fakeLanes();
    expect(await command("--seeds 20 --workers 1", opener)).toBe(0);
    expect(ran).toHaveLength(20);
    expect(readFileSync(state, "utf8")).toBe(text);
    expect(existsSync(`${state}.part`)).toBe(false);
  });

  test("soak: --json: one versioned object on stdout", async () => {
    expect(await command("--seeds 20 --workers 1 --json", fakeLanes({ failing: [2] }).opener)).toBe(1);
    const object = JSON.parse(output.out);
    expect(object).toMatchObject({ format: "hartbeat-soak", version: 2, tally: { runs: 20, failed: 1 } });
  });

  test("soak: lanes that cannot be opened: their ending is the command's", async () => {
    const opener: LaneOpener = async () => ({ kind: "missing-tool", message: "no emulator" });
    expect(await command("--machine virt --boots 2", opener)).toBe(3);
    expect(output.err).toBe("error: no emulator\n");
  });
});

describe("soak: chunks", () => {
  test("chunks: with gaps: the next one fills the first gap and no more", () => {
    const done = [
      { from: 1, to: 5 },
      { from: 9, to: 20 },
    ];
    expect(nextChunk(done, 1, 40, 10)).toEqual({ from: 5, to: 9 });
    expect(nextChunk([...done, { from: 5, to: 9 }], 1, 40, 10)).toEqual({ from: 20, to: 30 });
    expect(nextChunk([{ from: 1, to: 40 }], 1, 40, 10)).toBeUndefined();
    expect(nextChunk([], 1, 4, 10)).toEqual({ from: 1, to: 4 });
    // A longer soak that was stopped has run numbers beyond the end of this one.
    expect(nextChunk([...done, { from: 5, to: 9 }], 1, 20, 10)).toBeUndefined();
    expect(nextChunk(done, 1, 5, 10)).toBeUndefined();
    expect(nextChunk(done, 7, 40, 10)).toEqual({ from: 7, to: 9 });
    expect(nextChunk(done, 12, 40, 10)).toEqual({ from: 20, to: 30 });
  });

  test("chunks: joined and counted: neighbours are one, empty ones are none, numbers outside do not count", () => {
    const chunks = [
      { from: 5, to: 9 },
      { from: 1, to: 5 },
      { from: 12, to: 12 },
      { from: 20, to: 30 },
    ];
    expect(joined(chunks)).toEqual([
      { from: 1, to: 9 },
      { from: 20, to: 30 },
    ]);
    expect(doneWithin(joined(chunks), 4, 25)).toBe(10);
  });
});
