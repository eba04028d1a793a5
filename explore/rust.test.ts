import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { beforeAll, describe, expect, test } from "vitest";
import type { Counterexample, Exploration } from "./index.ts";
import { explore, renderCounterexample, replay } from "./index.ts";
import { decodeModule } from "../wasm/decode.ts";
import { encodeModule } from "../wasm/encode.ts";
import { modelOf } from "../wasm/testing/model-of.ts";
import { readNames } from "../wasm/names.ts";
import { assertDefined } from "../wasm/assert-defined.ts";

const folder = mkdtempSync(join(tmpdir(), "explorer-rust-"));
const example = (name: string): string => fileURLToPath(new URL(`../examples/rust/${name}`, import.meta.url));
// The script reports by exit code 3 that there is no compiler; anything else that goes wrong is a failure.
const build = spawnSync("sh", [example("build.sh"), folder], { encoding: "utf8" });
const isMissing = build.status === 3 || build.error !== undefined;

describe.skipIf(isMissing)(
  `modules from rustc${isMissing ? " (skipped: no rustc for wasm32-unknown-unknown)" : ""}`,
  () => {
    let wasm: Uint8Array;
    let lines: string[];
    beforeAll(() => {
      if (build.status !== 0) throw new Error(build.stderr);
      wasm = new Uint8Array(readFileSync(join(folder, "treiber-stack.wasm")));
      lines = readFileSync(example("treiber-stack.rs"), "utf8").split("\n");
    });
    const run = (threads: string[], final?: string): Promise<Exploration> =>
      explore({ wasm, threads: threads.map((name) => ({ function: name })), final });
    const counterexampleOf = ({ verdict }: Exploration): Counterexample => {
      if (verdict.kind !== "violated") throw new Error("not found");
      return verdict.counterexample;
    };

    test("rust: the module: has mangled names, a shadow stack and line tables of many compile units, as the test assumes", () => {
      const module = decodeModule(wasm);
      // The linker pads numbers; the model is the same in the shortest form.
      // Node's comparison: that of the tests takes a minute for a module as large as this.
      expect(isDeepStrictEqual(modelOf(decodeModule(encodeModule(module))), modelOf(module))).toBe(true);
      expect(module.memory?.shared).toBe(true);
      expect([...readNames(module).globals.values()]).toContain("__stack_pointer");
      expect([...readNames(module).functions.values()].some((name) => /^_(R|ZN)/.test(name))).toBe(true);
      expect(assertDefined(module.custom.get(".debug_line")).length).toBeGreaterThan(10_000);
    });

    test("rust: a tagged stack, two borrowers and a recycler: passes", async () => {
      const { verdict, racesChecked } = await run(["borrower", "borrower", "recycler"], "complete");
      expect(verdict).toEqual({ kind: "passed" });
      expect(racesChecked).toBe(true);
    });

    test("rust: three borrowers that are alike, whose panics alone know their stacks: cost less than three that are not", async () => {
      const threads = ["borrower", "borrower", "borrower"].map((name) => ({ function: name }));
      const alike = await explore({ wasm, threads, final: "complete" });
      const apart = await explore({ wasm, threads, final: "complete", reductions: { symmetry: false } });
      expect([alike.verdict.kind, apart.verdict.kind]).toEqual(["passed", "passed"]);
      expect(2 * alike.states).toBeLessThan(apart.states);
    });

    test("rust: the stack without tags: ABA, reported in functions and lines of the user's source, and it replays", async () => {
      const found = counterexampleOf(await run(["untagged_borrower", "untagged_recycler"], "complete"));
      expect(["final", "race", "trap"]).toContain(found.violation.kind);
      const accesses = found.steps.flatMap((step) => step.accesses).filter(({ atomic }) => atomic);
      expect(accesses.length).toBeGreaterThan(5);
      for (const { function: name, source, operation } of accesses) {
        expect(name).toMatch(/^treiber_stack::Stack::(pop|push)$/);
        const line = /treiber-stack\.rs:(\d+)$/.exec(source ?? "")?.[1];
        const method = operation.includes("cmpxchg")
          ? "compare_exchange"
          : operation.includes("store")
            ? "store"
            : "load";
        expect(lines[Number(line) - 1], source).toContain(`.${method}(`);
      }
      expect(renderCounterexample(found, { width: 120 })).toContain("had changed, and come back");
      // In a narrow column a name loses its modules, and never its line.
      expect(renderCounterexample(found, { width: 80 })).toMatch(/ {2}Stack::pop treiber-stack\.rs:\d+( |$)/m);
      expect(replay(found, wasm).kind).toBe("reproduced");
    });

    test("rust: a panic: one line that names which function panicked, through which of the library's", async () => {
      const { violation } = counterexampleOf(await run(["impatient_borrower", "recycler"]));
      if (violation.kind !== "trap") throw new Error(violation.kind);
      expect(violation.message).toMatch(/^unreachable in \S+/);
      expect(violation.message).toMatch(/called by core::(panicking|option)::/);
      expect(violation.message).toMatch(/called by impatient_borrower$/);
      expect(violation.message).not.toContain("\n");
    });
  },
);
