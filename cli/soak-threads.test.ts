// hartbeat soak as a process of its own, with its threads: what they run is what one seed alone is, and Ctrl-C stops them.

import { spawn, spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test, vi } from "vitest";
import { buildArtifacts } from "../toolchain/build.ts";
import { bundleCommand } from "./testing/command-bundle.ts";

let command: string;
let folder: string;
const env = { ...process.env, NO_COLOR: "1" };

beforeAll(async () => {
  ({ command, folder } = await bundleCommand());
  const built = await buildArtifacts();
  if (built.kind === "refused") throw new Error(built.lines.join("\n"));
  const carried = join(folder, "command", "build");
  mkdirSync(carried);
  const { kernel, kernelSim, userSim } = built.artifacts;
  copyFileSync(kernel, join(carried, "kernel.wasm"));
  copyFileSync(kernelSim, join(carried, "kernel.sim.wasm"));
  copyFileSync(userSim, join(carried, "user.sim.wasm"));
});

const run = (args: string) =>
  spawnSync(process.execPath, [command, "soak", ...args.split(" ")], { encoding: "utf8", cwd: folder, env });

const stateFiles = (): string[] => {
  const soaks = join(folder, ".hartbeat", "soak");
  if (!existsSync(soaks)) return [];
  return readdirSync(soaks)
    .map((name) => join(soaks, name, "state.json"))
    .filter((path) => existsSync(path));
};

test("soak: two threads: every seed passes, and any of them alone gives its console and passes", () => {
  const { status, stdout, stderr } = run("--smp 2 --seeds 24 --workers 2");
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout).toContain("PASS sim smp=2: 24 of 24 seeds, 0 failed");
  const alone = run("--smp 2 --faults --replay 7");
  expect(alone.status).toBe(0);
  expect(alone.stdout).toMatch(/^BOOT: harts=2 [\s\S]*^faults: expects=[\s\S]*^passed$/m);
  expect(run("--smp 2 --faults --replay 7").stdout).toBe(alone.stdout);
});

test("soak: Ctrl-C once something is known: exit 130; the same command goes on behind it", async () => {
  const before = stateFiles();
  const child = spawn(process.execPath, [command, "soak", "--smp", "3", "--seeds", "1000000"], { cwd: folder, env });
  let out = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  const ended = new Promise<number | null>((resolve) => child.once("close", (code) => resolve(code)));
  const appeared = (): string | undefined => stateFiles().find((path) => !before.includes(path));
  await vi.waitUntil(appeared, { timeout: 250_000, interval: 50 });
  child.kill("SIGINT");
  expect(await ended).toBe(130);
  expect(out).toMatch(/STOPPED sim smp=3: [\d,]+ of 1,000,000 seeds, 0 failed/);
  const done = JSON.parse(readFileSync(appeared() ?? "", "utf8")).tally.runs as number;
  expect(done).toBeGreaterThan(0);
  const { status, stderr, stdout } = run(`--smp 3 --seeds ${done + 5}`);
  expect(status).toBe(0);
  expect(stderr).toMatch(/goes on after [\d,]+ seeds/);
  expect(stdout).toContain("PASS sim smp=3");
});
