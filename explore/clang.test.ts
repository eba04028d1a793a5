import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test, vi } from "vitest";
import type { Exploration } from "./index.ts";
import { explore } from "./index.ts";
import { decodeModule } from "./wasm/module.ts";
import { readNames } from "./wasm/names.ts";
import { certain } from "./certain.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const missing = ["clang", "wasm-ld"].filter((tool) => spawnSync(tool, ["--version"]).error);

describe.skipIf(missing.length > 0)(
  `modules from clang${missing.length > 0 ? ` (skipped: no ${missing.join(", no ")})` : ""}`,
  () => {
    let wasm: Uint8Array;
    beforeAll(() => {
      const folder = mkdtempSync(join(tmpdir(), "explorer-c-"));
      const script = fileURLToPath(new URL("../examples/c/build.sh", import.meta.url));
      const built = spawnSync("sh", [script, folder], { encoding: "utf8" });
      if (built.status !== 0) throw new Error(built.stderr);
      wasm = new Uint8Array(readFileSync(join(folder, "mutex.wasm")));
    });
    const run = (threads: string[], final: string): Promise<Exploration> =>
      explore({ wasm, threads: threads.map((name) => ({ function: name })), final });

    test("clang: the module: has a start function, passive segments, a table and a shadow stack, as the test assumes", () => {
      const module = decodeModule(wasm);
      expect(module.memory.shared).toBe(true);
      expect(module.data.some((segment) => segment.passive)).toBe(true);
      expect(module.start).toBeDefined();
      expect(module.elements.length).toBeGreaterThan(0);
      expect([...readNames(module).globals.values()]).toContain("__stack_pointer");
    });

    test("clang: a futex mutex, three threads: passes; three threads that are alike cost less than three that are not", async () => {
      const alike = await run(["worker", "worker", "worker"], "counted");
      expect(alike.verdict).toEqual({ kind: "passed" });
      const apart = await explore({
        wasm,
        threads: ["worker", "worker", "worker"].map((name) => ({ function: name })),
        final: "counted",
        reductions: { symmetry: false },
      });
      expect(apart.verdict).toEqual({ kind: "passed" });
      expect(alike.states).toBeLessThanOrEqual(apart.states);
    });

    test("clang: the wake-up forgotten: deadlock, with C source lines", async () => {
      const { verdict } = await run(["careless_worker", "worker", "worker"], "counted");
      if (verdict.kind !== "violated") throw new Error("not found");
      expect(verdict.counterexample.violation.kind).toBe("deadlock");
      const sources = verdict.counterexample.steps.flatMap((step) => step.accesses.map((access) => access.source));
      const lines = readFileSync(fileURLToPath(new URL("../examples/c/mutex.c", import.meta.url)), "utf8").split("\n");
      const exchange = sources
        .map((source) => /mutex\.c:(\d+)$/.exec(source ?? "")?.[1])
        .filter((line) => line !== undefined);
      expect(exchange.some((line) => certain(lines[Number(line) - 1]).includes("__c11_atomic_exchange"))).toBe(true);
      expect(exchange.some((line) => certain(lines[Number(line) - 1]).includes("compare_exchange_strong"))).toBe(true);
    });

    test("clang: a function pointer is called across a pause: the callee's name is in the trace", async () => {
      const { verdict } = await run(["worker"], "counter_of");
      if (verdict.kind !== "violated") throw new Error("not found");
      expect(verdict.counterexample.violation).toEqual({ kind: "final", result: 1 });
      expect(
        verdict.counterexample.steps.flatMap(({ accesses }) => accesses.map((access) => access.function)),
      ).toContain("release");
    });
  },
);
