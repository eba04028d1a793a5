import { readdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { findQemu } from "../machines/virt/qemu.ts";
import { findCompiler } from "../toolchain/gcc.ts";
import { packageRoot } from "../toolchain/package-root.ts";
import { orderlyWorkload } from "../workload/testing/random-workload.ts";
import { main } from "./main.ts";
import { captureOutput, workInOwnFolder } from "./testing/captured-command.ts";

const output = captureOutput();
workInOwnFolder("run-machines");

const FOLDER = join(packageRoot, "examples", "workloads");
const FILES = readdirSync(FOLDER).filter((file) => file.endsWith(".json"));
const absent = [
  ...((await findQemu()) === undefined ? ["QEMU"] : []),
  ...((await findCompiler()) === undefined ? ["the cross compiler"] : []),
].join(" and ");

/** Runs a workload, of ours unless the path is absolute; its tasks by name. */
async function run(file: string, args: string): Promise<Map<string, Record<string, number | string>>> {
  output.out = "";
  const code = await main(["run", resolve(FOLDER, file), "--json", ...args.split(" ")]);
  expect(code, `${file} ${args}: ${output.err}`).toBe(0);
  const { tasks } = JSON.parse(output.out) as { tasks: Record<string, number | string>[] };
  return new Map(tasks.map((task) => [String(task["task"]), task]));
}

describe("workloads of ours on sim", () => {
  test("workloads: there are six", () => expect(FILES).toHaveLength(6));

  test.each(FILES)("workloads: %s: every task ends as it should (harts=1, 2 and 8)", async (file) => {
    for (const harts of [1, 2, 8]) {
      const tasks = await run(file, `--smp ${harts} --duration 50ms`);
      for (const task of tasks.values()) expect(task["end"]).toBe("duration");
    }
  });

  test("workloads: the same seed twice: the same table; another seed: another one", async () => {
    const [first, second, other] = [
      await run("thundering-herd.json", "--smp 4 --seed 9 --duration 50ms"),
      await run("thundering-herd.json", "--smp 4 --seed 9 --duration 50ms"),
      await run("thundering-herd.json", "--smp 4 --seed 10 --duration 50ms"),
    ];
    expect(first).toEqual(second);
    expect(first).not.toEqual(other);
  });

  test("workloads: a wake-up storm of 100 ms: each burst makes the storm's loops", async () => {
    const tasks = await run("wake-up-storm.json", "--smp 2 --duration 100ms");
    const storm = Number(tasks.get("storm")?.["loops"]);
    expect(storm).toBe(19);
    for (const [name, task] of tasks)
      if (name.startsWith("burst")) expect(Number(task["loops"])).toBeGreaterThanOrEqual(storm);
  });

  test("workloads: inversion bait: the mutex of a starved task makes the highest class late on one hart", async () => {
    const late = async (harts: number): Promise<number> =>
      Number((await run("inversion-bait.json", `--smp ${harts} --duration 500ms`)).get("urgent")?.["late"]);
    const [one, two] = [await late(1), await late(2)];
    expect(one).toBeGreaterThan(3 * two);
  });
});

describe("random workloads on sim", () => {
  const SEEDS = 6;
  test(`workloads: ${SEEDS} orderly ones from seeds, on 1 to 4 harts: every task makes all of its loops`, async () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      writeFileSync("load.json", orderlyWorkload(seed));
      const tasks = await run(join(process.cwd(), "load.json"), `--smp ${1 + (seed % 4)} --seed ${seed}`);
      expect(tasks.size).toBeGreaterThan(4);
      for (const [name, task] of tasks) expect(task["end"], `seed ${seed}: ${name}`).toBe("done");
    }
  });

  test("workloads: a wait whose signal came before: the task does not make its loops, and that is seen", async () => {
    const waiter = `"waiter": {"loop": 1, "sleep": 20000, "suspend": "s"}`;
    writeFileSync("load.json", `{"tasks": {${waiter}, "early": {"loop": 1, "resume": "s"}}}`);
    const tasks = await run(join(process.cwd(), "load.json"), "--duration 60ms");
    expect([tasks.get("waiter")?.["end"], tasks.get("early")?.["end"]]).toEqual(["duration", "done"]);
  });

  test("workloads: as many tasks as can be on one hart: all of them end", async () => {
    const tasks = `"a": {"instance": 62, "loop": 1, "sleep": 3000}, "b": {"priority": 19, "instance": 58, "loop": 1, "sleep": 3000}`;
    writeFileSync("load.json", `{"tasks": {${tasks}}}`);
    const ended = await run(join(process.cwd(), "load.json"), "--smp 1");
    expect([...ended.values()].filter(({ end }) => end === "done")).toHaveLength(120);
  });
});

describe.skipIf(absent !== "")(
  `workloads of ours on virt (needs ${absent === "" ? "QEMU, a cross compiler" : absent})`,
  () => {
    test("workloads: the pipeline with --icount: the stages keep up with the source, as on sim", async () => {
      for (const machine of ["virt --icount", "sim"]) {
        const tasks = await run("pipeline.json", `--machine ${machine} --smp 2 --duration 100ms`);
        const source = Number(tasks.get("source")?.["loops"]);
        expect(source).toBeGreaterThan(20);
        for (const task of tasks.values()) expect(Math.abs(Number(task["loops"]) - source)).toBeLessThanOrEqual(2);
      }
    });
  },
);
