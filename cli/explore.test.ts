import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { compileAssemblyScript } from "../explore/fixtures/compile.ts";
import { example } from "../explore/fixtures/example.ts";
import { explorationProgress, formatSuite } from "./exploration-progress.ts";
import { bundleCommand } from "./testing/command-bundle.ts";
import { interruptAt } from "./testing/interrupt.ts";

let command: string;
let folder: string;

const run = (args: string) => {
  const env = { ...process.env, NO_COLOR: "1" };
  return spawnSync(process.execPath, [command, ...args.split(" ").filter(Boolean)], {
    encoding: "utf8",
    cwd: folder,
    env,
  });
};

/** A module of hand-made sections: id and body, each shorter than 128 bytes. */
const handMade = (...sections: readonly (readonly number[])[]): Uint8Array =>
  Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, ...sections.flatMap(([id = 0, ...body]) => [id, body.length, ...body]));
const text = (content: string): number[] => [content.length, ...Buffer.from(content)];
const ONE_FUNCTION = [
  [1, 1, 0x60, 0, 0],
  [3, 1, 0],
] as const;
const EXPORTED = [7, 1, ...text("f"), 0, 0];

beforeAll(async () => {
  ({ command, folder } = await bundleCommand());
  for (const name of ["peterson", "chase-lev", "faults/lost-wakeup", "faults/counter"]) {
    const { wasm, sourceMap } = await example(name);
    const path = join(folder, `${name.replace("faults/", "")}.wasm`);
    writeFileSync(path, wasm);
    writeFileSync(`${path}.map`, sourceMap);
  }
  // Five of these threads have 31^5 states: more than any test waits for.
  const long = `export function worker(id: i32): void { for (let i = 0; i < 30; i++) atomic.add<i32>(0, 1); }`;
  writeFileSync(join(folder, "long.wasm"), (await compileAssemblyScript(long)).wasm);
  const body = [10, 1, 2, 0, 0x0b];
  writeFileSync(join(folder, "not.wasm"), "#!/bin/sh\n");
  writeFileSync(join(folder, "plain.wasm"), handMade(...ONE_FUNCTION, [5, 1, 0, 1], EXPORTED, body));
  writeFileSync(join(folder, "wide.wasm"), handMade(...ONE_FUNCTION, [5, 1, 4, 1], EXPORTED, body));
  const fence = [10, 1, 5, 0, 0xfe, 0x03, 0, 0x0b];
  const load = [10, 1, 9, 0, 0x41, 0, 0xfe, 0x10, 2, 0, 0x1a, 0x0b];
  const imported = [2, 1, ...text("env"), ...text("clock"), 0, 0];
  const exportedSecond = [7, 1, ...text("f"), 0, 1];
  const parts = [[1, 1, 0x60, 0, 0], imported, [3, 1, 0], [5, 1, 3, 1, 1], exportedSecond, load];
  writeFileSync(join(folder, "imports.wasm"), handMade(...parts));
  writeFileSync(join(folder, "fence.wasm"), handMade(...ONE_FUNCTION, [5, 1, 3, 1, 1], EXPORTED, fence));
  mkdirSync(join(folder, "some.wasm"));
});

const PETERSON = "explore peterson.wasm --thread worker:0 --thread worker:1 --final counted";

describe("hartbeat explore: endings", () => {
  test("a correct program: PASS with its numbers, certificates by suffix, exit code 0", () => {
    const { status, stdout, stderr } = run(`${PETERSON} --certificate out/c.json --certificate out/c.html`);
    expect(status).toBe(0);
    const lines = stdout.split("\n");
    expect(lines[0]).toBe("PASS: peterson.wasm");
    expect(lines[1]).toMatch(/^[\d,]+ states, [\d,]+ transitions/);
    // No terminal, no progress.
    expect(stderr).toBe("");
    const saved = JSON.parse(readFileSync(join(folder, "out", "c.json"), "utf8"));
    expect(saved.checked).toContain("data races");
    expect(readFileSync(join(folder, "out", "c.html"), "utf8")).toContain(saved.artifact.sha256);
  });

  test("a planted fault: exit code 1, columns with source lines, and the last line replays it byte for byte", () => {
    const { status, stdout } = run("explore lost-wakeup.wasm --thread sleeper --thread waker");
    expect(status).toBe(1);
    expect(stdout).toContain("sleeper module.ts:6");
    expect(stdout).toContain("FAIL: deadlock: sleeper #0 waits");
    const last = stdout.trimEnd().split("\n").at(-1) ?? "";
    expect(last).toMatch(/^npx hartbeat replay \.hartbeat\/runs\/[0-9a-f]{12}\/counterexample\.json$/);
    const again = run(last.replace("npx hartbeat ", ""));
    expect(again.status).toBe(1);
    expect(`${again.stdout}${last}\n`).toBe(stdout);
    expect(run("explore lost-wakeup.wasm --thread sleeper --thread waker").stdout).toBe(stdout);
  });

  test.each(["--preemptions 0", "--strategy random --walks 50"])(
    "bounds that cut something off (%s): INCOMPLETE, exit code 5, no certificate",
    (bound) => {
      const { status, stdout } = run(`${PETERSON} ${bound} --certificate none.json`);
      expect(status).toBe(5);
      expect(stdout).toMatch(/^INCOMPLETE: /);
      expect(existsSync(join(folder, "none.json"))).toBe(false);
    },
  );

  test("stopped at a bound: kept, and the last line goes on with it until it passes", () => {
    const args = "explore chase-lev.wasm --thread owner --thread thief --thread thief --invariant twice --final lost";
    const whole = run(args);
    let part = run(`${args} --transitions 400`);
    let rounds = 1;
    for (; part.status === 5 && rounds < 50; rounds++) {
      const last = part.stdout.trimEnd().split("\n").at(-1) ?? "";
      expect(last).toMatch(/^npx hartbeat explore chase-lev\.wasm .* --resume \.hartbeat\/runs\/\w+\/search\.bin$/);
      part = run(`${last.replace("npx hartbeat ", "")} --transitions 400`);
    }
    expect(part.status).toBe(0);
    expect(rounds).toBeGreaterThan(2);
    const states = (stdout: string): string | undefined => /^[\d,]+ states/m.exec(stdout)?.[0];
    expect(states(part.stdout)).toBe(states(whole.stdout));
    const together = run(`${args} --transitions 800 --workers 2 --memory 64M`);
    expect(together.status).toBe(5);
    const last = together.stdout.trimEnd().split("\n").at(-1) ?? "";
    expect(last).toContain("--workers 2 --resume");
    const rest = run(last.replace("npx hartbeat ", ""));
    expect(rest.status).toBe(0);
    expect(states(rest.stdout)).toBe(states(whole.stdout));
  });

  test("several workers, a reduction less: the same verdict", () => {
    expect(run(`${PETERSON} --workers 2 --memory 64M`)).toMatchObject({ status: 0, stderr: "" });
    expect(run(`${PETERSON} --without sleepSets,symmetry`).status).toBe(0);
  });

  test("--json: versioned objects, one a line, with what was kept", () => {
    const { status, stdout } = run("explore counter.wasm --thread torn --thread torn --final two --json");
    expect(status).toBe(1);
    const [begun, ended, ...rest] = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(rest).toEqual([]);
    expect(begun).toEqual({
      kind: "begun",
      format: "hartbeat-exploration",
      version: 2,
      module: "counter.wasm",
      threads: ["torn", "torn"],
    });
    expect(ended).toMatchObject({ kind: "ended", verdict: "violated", violation: { kind: "final", result: 1 } });
    expect(ended.next).toBe(`npx hartbeat replay ${ended.counterexample}`);
    const passed = run(`${PETERSON} --json`)
      .stdout.trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(passed[1]).toMatchObject({ verdict: "passed", racesChecked: true });
  });

  test.each([1, 2])(
    "Ctrl-C: %i workers: reported at once, exit code 130, and the search goes on from where it was",
    async (workers) => {
      const threads = [0, 1, 2, 3, 4].flatMap((id) => ["--thread", `worker:${id}`]);
      const args = `explore long.wasm ${threads.join(" ")} --walks 0 --memory 512M --workers ${workers}`;
      const searching = /search {2}[1-9][\d,]* states/;
      const { status, stdout: out, stderr: err } = await interruptAt(searching, [command, ...args.split(" ")], folder);
      expect(err).toContain("interrupted: stopping");
      expect(status).toBe(130);
      expect(out).toContain("INCOMPLETE: interrupted");
      const next = out.trimEnd().split("\n").at(-1) ?? "";
      const resumed = run(`${next.replace("npx hartbeat ", "")} --transitions 1000`);
      expect(resumed.status).toBe(5);
      expect(resumed.stdout).toContain("the bound on transitions was reached");
    },
  );
});

describe("hartbeat explore: user mistakes: one line, exit code 2", () => {
  test.each([
    ["explore", /name a module/],
    ["explore none.wasm --thread f", /none\.wasm: there is no such file/],
    ["explore some.wasm --thread f", /some\.wasm: this is a folder; name a file/],
    ["explore not.wasm --thread f", /not\.wasm: this is not a WebAssembly module/],
    ["explore plain.wasm --thread f", /has no atomic access; build it with the threads feature/],
    ["explore wide.wasm --thread f", /the memory is a 64-bit one; build for wasm32/],
    ["explore imports.wasm --thread f", /imports env\.clock, which the explorer does not supply \(it supplies/],
    ["explore peterson.wasm --thread nobody", /exports no function "nobody"; it exports .*worker/],
    ["explore peterson.wasm --thread worker --final nobody", /exports no function "nobody"; it exports .*counted/],
    ["explore peterson.wasm", /no thread is given; .*exports .*worker/],
    ["explore peterson.wasm --thread worker:x", /"x" is not an integer/],
    ["explore peterson.wasm --thread worker:1,2,3", /worker takes 1 arguments, 3 are given/],
    ["explore peterson.wasm --thread worker:99999999999999999999", /does not fit 64 bits/],
    ["explore peterson.wasm --thread worker --memory many", /size with its unit/],
    ["explore peterson.wasm --thread worker --workers 2 --memory 4G", /several workers share at most 2 GiB/],
    ["explore peterson.wasm --thread worker --workers 999", /999 workers are asked for; the explorer takes up to 256/],
    ["explore peterson.wasm --thread worker --bogus", /unknown option '--bogus'/],
    ["explore peterson.wasm --thread worker --strategy luck", /exhaustive, preemptions, random/],
    ["explore peterson.wasm --thread worker --strategy random --preemptions 1", /--preemptions belongs to/],
    ["explore peterson.wasm --thread worker --strategy random --workers 2", /--workers belongs to/],
    ["explore peterson.wasm --thread worker --without luck", /no reduction "luck": choose from mergeStates/],
    ["explore peterson.wasm --thread worker --certificate c.pdf", /ends in \.json or \.html/],
    [
      "explore peterson.wasm --thread worker --resume peterson.wasm",
      /no search that this version of explore has saved/,
    ],
    ["replay", /missing required argument 'file'/],
    ["replay none.json", /none\.json: there is no such file/],
    ["replay peterson.wasm", /peterson\.wasm: the file is not JSON/],
  ])("%s", (args, complaint) => {
    const { status, stdout, stderr } = run(args);
    expect(stderr).toMatch(complaint);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(status).toBe(2);
    expect(stdout).toBe("");
  });

  test("a module with nothing but a fence: taken, so the mistakes above are not of the hand-made bytes", () => {
    expect(run("explore fence.wasm --thread f --thread f")).toMatchObject({ status: 0, stderr: "" });
  });
});

describe("progress", () => {
  const progress = {
    phase: "search",
    states: 1_234_567,
    transitions: 2_000_000,
    transitionsPerSecond: 1_500_000,
    depth: 42,
    frontier: 17,
    seen: 0.375,
    tableUsed: 0.02,
    seconds: 12.3,
  } as const;
  const drawn = (isTTY: boolean, columns: number): string => {
    let all = "";
    const write = { value: (part: string) => (all += part) !== "" };
    const stream = Object.create(process.stderr, { isTTY: { value: isTTY }, columns: { value: columns }, write });
    const line = explorationProgress(stream);
    line.draw(progress);
    line.clear();
    line.clear();
    return all;
  };

  test("progress: on a terminal: one line that fits, taken away at the end", () => {
    const all = drawn(true, 200);
    for (const part of ["1,234,567 states", "1,500,000 transitions/s", "depth 42", "frontier 17", "about 38 % seen"])
      expect(all).toContain(part);
    expect(all.endsWith("\r\u001b[K")).toBe(true);
    expect(drawn(true, 20).length).toBeLessThan(20 + 2 * "\r\u001b[K".length);
  });

  test("progress: no terminal: nothing", () => {
    expect(drawn(false, 200)).toBe("");
  });

  test("progress of a suite: what is done, what runs and how much of it is seen; what does not fit is left out whole", () => {
    const running = [
      { name: "two-refused", progress },
      { name: "bring-up", progress: { ...progress, phase: "livelock" } },
      { name: "identity", progress: undefined },
    ] as const;
    const suite = { done: 12, of: 31, running };
    const args = "12 of 31 done  two-refused 38 %, bring-up livelocks, identity";
    expect(formatSuite(suite, 14.4, 200)).toBe(`${args}  2.5M states  3M transitions/s  14 s  depth 42  frontier 34`);
    expect(formatSuite(suite, 14.4, 80)).toBe(`${args}  2.5M states`);
    expect(formatSuite(suite, 14.4, 20)).toBe("12 of 31 done");
  });
});
