import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { beforeAll, describe, expect, test } from "vitest";
import { NO_REDUCTIONS } from "./program/reductions.ts";
import type { Exploration, Reductions } from "./index.ts";
import { explore } from "./index.ts";
import { decodeModule } from "../wasm/decode.ts";
import { encodeModule } from "../wasm/encode.ts";
import { modelOf } from "../wasm/testing/model-of.ts";
import { readNames } from "../wasm/names.ts";
import { isAtomic } from "../wasm/opcodes.ts";
import { findSourceLines } from "./program/source-lines.ts";
import { assertDefined } from "../wasm/assert-defined.ts";

const missing = ["clang", "wasm-ld"].filter((tool) => spawnSync(tool, ["--version"]).error);

const CLANG = "--target=wasm32-unknown-unknown -matomics -mbulk-memory -mmutable-globals -O1"
  .split(" ")
  .concat("-ftls-model=local-exec");
const LINK =
  "--no-entry --import-memory --shared-memory --max-memory=262144 -z stack-size=4096 --export=__stack_pointer".split(
    " ",
  );
const LOCALS = ["__wasm_init_tls", "__tls_size", "__tls_align"].map((name) => `--export=${name}`);
const CONSTRUCT = "--export=__wasm_call_ctors";

function runTool(tool: string, args: readonly string[]): void {
  const result = spawnSync(tool, args, { encoding: "utf8" });
  if (result.status !== 0) throw new Error(result.stderr);
}

describe.skipIf(missing.length > 0)(
  `modules from clang${missing.length > 0 ? ` (skipped: no ${missing.join(", no ")})` : ""}`,
  () => {
    let wasm: Uint8Array;
    let queueLock: Uint8Array;
    const folder = mkdtempSync(join(tmpdir(), "explorer-c-"));
    const built = (file: string): Uint8Array => new Uint8Array(readFileSync(join(folder, file)));
    beforeAll(() => {
      const script = fileURLToPath(new URL("../examples/c/build.sh", import.meta.url));
      runTool("sh", [script, folder]);
      wasm = built("mutex.wasm");
      queueLock = built("mcs-lock.wasm");
      for (const name of ["thread-locals", "stack-addresses"]) {
        const source = fileURLToPath(new URL(`fixtures/${name}.c`, import.meta.url));
        runTool("clang", [...CLANG, "-c", "-o", join(folder, `${name}.o`), source]);
      }
    });
    /** A fixture, linked with these flags besides what threads need. */
    const linkedFrom = (name: string, ...flags: string[]): Uint8Array => {
      runTool("wasm-ld", [...LINK, ...flags, "-o", join(folder, `${name}.wasm`), join(folder, `${name}.o`)]);
      return built(`${name}.wasm`);
    };
    const linked = (...flags: string[]): Uint8Array => linkedFrom("thread-locals", ...flags);
    const run = (threads: string[], final: string): Promise<Exploration> =>
      explore({ wasm, threads: threads.map((name) => ({ function: name })), final });

    test("clang: the module: has a start function, passive segments, a table and a shadow stack, as the test assumes", () => {
      const module = decodeModule(wasm);
      // The linker pads numbers; the model is the same in the shortest form.
      expect(isDeepStrictEqual(modelOf(decodeModule(encodeModule(module))), modelOf(module))).toBe(true);
      expect(module.memory?.shared).toBe(true);
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
      expect(exchange.some((line) => assertDefined(lines[Number(line) - 1]).includes("__c11_atomic_exchange"))).toBe(
        true,
      );
      expect(exchange.some((line) => assertDefined(lines[Number(line) - 1]).includes("compare_exchange_strong"))).toBe(
        true,
      );
    });

    test("clang: a function pointer is called across a pause: the callee's name is in the trace", async () => {
      const { verdict } = await run(["worker"], "counter_of");
      if (verdict.kind !== "violated") throw new Error("not found");
      expect(verdict.counterexample.violation).toEqual({ kind: "final", result: 1 });
      expect(
        verdict.counterexample.steps.flatMap(({ accesses }) => accesses.map((access) => access.function)),
      ).toContain("release");
    });

    test("clang: thread-local variables: every thread and the checks begin with the initial values, at aligned addresses", async () => {
      const module = linked(CONSTRUCT, ...LOCALS);
      const ask = (final: string): Promise<Exploration> =>
        explore({ wasm: module, threads: [{ function: "adds" }, { function: "adds" }], final });
      const results = [];
      for (const final of ["total_of", "mine_of"]) {
        const { verdict } = await ask(final);
        results.push(verdict.kind === "violated" ? verdict.counterexample.violation : verdict.kind);
      }
      expect(results).toEqual([
        { kind: "final", result: 2 * (7 + 1 + 1) },
        { kind: "final", result: 7 },
      ]);
    });

    test("clang: thread-local variables of the main thread: what init wrote, the checks see and the threads do not", async () => {
      const module = linked(CONSTRUCT, ...LOCALS);
      const target = { wasm: module, threads: [{ function: "adds" }, { function: "adds" }], init: "init" };
      for (const [final, result] of [
        ["mine_of", 30],
        ["total_of", 18],
      ] as const) {
        const { verdict } = await explore({ ...target, final });
        if (verdict.kind !== "violated") throw new Error("not found");
        expect(verdict.counterexample.violation).toEqual({ kind: "final", result });
      }
    });

    test.each([
      ["thread-local variables", "thread-locals"],
      ["variables on the stack", "stack-addresses"],
    ])(
      "clang: threads distinguished by the addresses of their %s: each reduction, all and none reach the same ends",
      async (_, name) => {
        const module = linkedFrom(name, CONSTRUCT, ...LOCALS);
        const ends = async (reductions: Partial<Reductions>): Promise<ReadonlySet<string> | undefined> => {
          const target = { wasm: module, threads: [{ function: "turns" }, { function: "turns" }], reductions };
          const result = await explore(target, { collectFinals: true, walks: 5 });
          expect(result.verdict).toEqual({ kind: "passed" });
          return result.finals;
        };
        const plain = await ends(NO_REDUCTIONS);
        expect(assertDefined(plain).size).toBe(18);
        for (const reduction of Object.keys(NO_REDUCTIONS)) {
          expect(await ends({ ...NO_REDUCTIONS, [reduction]: true }), reduction).toEqual(plain);
          expect(await ends({ [reduction]: false }), `without ${reduction}`).toEqual(plain);
        }
        expect(await ends({})).toEqual(plain);
      },
    );

    test("clang: thread-local variables without names: found by what is exported; with nothing exported: one line", async () => {
      const stripped = linked(CONSTRUCT, ...LOCALS, "--strip-all");
      const target = { threads: [{ function: "adds" }, { function: "adds" }], final: "total_of" };
      const { verdict } = await explore({ wasm: stripped, ...target });
      if (verdict.kind !== "violated") throw new Error("not found");
      expect(verdict.counterexample.violation).toEqual({ kind: "final", result: 18 });
      await expect(explore({ wasm: linked(CONSTRUCT), ...target })).rejects.toThrow(
        /^the module has thread-local variables.* --export=__wasm_init_tls --export=__tls_size --export=__tls_align$/,
      );
    });

    test("clang: a constructor: run once, after the thread-local variables, unless the module's own functions run it", async () => {
      const threads = [{ function: "adds" }, { function: "adds" }];
      const answer = async (module: Uint8Array, init?: string): Promise<unknown> => {
        const { verdict } = await explore({ wasm: module, threads, init, final: "constructed_of" });
        return verdict.kind === "violated" && verdict.counterexample.violation;
      };
      expect(await answer(linked(CONSTRUCT, ...LOCALS))).toEqual({ kind: "final", result: 7 });
      // Named as init it is not run a second time.
      expect(await answer(linked(CONSTRUCT, ...LOCALS), "__wasm_call_ctors")).toEqual({ kind: "final", result: 7 });
      // Not exported: then the linker has put it into every export, and the threads race for what it does.
      const { verdict } = await explore({ wasm: linked(...LOCALS), threads, final: "constructed_of" });
      expect(verdict.kind === "violated" && verdict.counterexample.violation.kind).toBe("race");
    });

    test("clang: a queue lock over thread-local nodes, three threads: passes; queued before it is ready: livelock", async () => {
      const run3 = await explore({
        wasm: queueLock,
        threads: ["worker", "worker", "worker"].map((name) => ({ function: name })),
        final: "counted",
      });
      expect(run3.verdict).toEqual({ kind: "passed" });
      const { verdict } = await explore({
        wasm: queueLock,
        threads: [{ function: "worker" }, { function: "late_worker" }],
        final: "counted",
      });
      expect(verdict.kind === "violated" && verdict.counterexample.violation.kind).toBe("livelock");
    });

    test("clang: memory.grow as far as it goes: never reaches the threads' stacks and thread-local variables", async () => {
      const { verdict } = await explore({
        wasm: linked(CONSTRUCT, ...LOCALS),
        threads: [{ function: "grows" }, { function: "adds" }],
        final: "total_of",
      });
      if (verdict.kind !== "violated") throw new Error("not found");
      expect(verdict.counterexample.violation).toEqual({ kind: "final", result: 9 });
    });

    test("clang: a position-independent module with an imported table: loaded and explored", async () => {
      const [source, object, out] = ["pic.c", "pic.o", "pic.wasm"].map((name) => join(folder, name)) as [
        string,
        string,
        string,
      ];
      writeFileSync(
        source,
        `static _Atomic int total = 40;
        static int one(int *at) { return *at; }
        static int (*volatile pointer)(int *at) = one;
        __attribute__((export_name("worker"))) void worker(void) { int x = 1; total += pointer(&x); }
        __attribute__((export_name("total_of"))) int total_of(void) { return total; }`,
      );
      const [, ...flags] = CLANG;
      runTool("clang", ["--target=wasm32-unknown-emscripten", "-fPIC", ...flags, "-c", "-o", object, source]);
      const link = "--experimental-pic -shared --no-entry --import-memory --shared-memory --max-memory=131072";
      runTool("wasm-ld", [...link.split(" "), "-o", out, object]);
      const threads = [{ function: "worker" }, { function: "worker" }];
      const { verdict } = await explore({ wasm: built("pic.wasm"), threads, final: "total_of" });
      if (verdict.kind !== "violated") throw new Error("not found");
      expect(verdict.counterexample.violation).toEqual({ kind: "final", result: 42 });
    });

    test("clang: more data to begin with than the undo log usually holds: explored; with a log that is too small: one line", async () => {
      const [source, object, out] = ["big.c", "big.o", "big.wasm"].map((name) => join(folder, name)) as [
        string,
        string,
        string,
      ];
      const last = 1_500_002;
      writeFileSync(
        source,
        `static _Atomic int total;
        unsigned char table[${last + 1}] = {[0 ... ${last}] = 0x5a};
        __attribute__((export_name("worker"))) void worker(void) { total += table[${last}]; }
        __attribute__((export_name("differ"))) int differ(void) {
          for (int i = 0; i <= ${last}; i += 19) if (table[i] != 0x5a) return i + 1;
          return total != 2 * 0x5a;
        }`,
      );
      runTool("clang", [...CLANG, "-c", "-o", object, source]);
      runTool("wasm-ld", [...LINK, "--max-memory=2097152", "-o", out, object]);
      const target = { wasm: built("big.wasm"), threads: [{ function: "worker" }, { function: "worker" }] };
      const whole = await explore({ ...target, final: "differ", plainLoopMax: 2 * last }, { walks: 1 });
      expect(whole.verdict).toEqual({ kind: "passed" });
      await expect(explore({ ...target, logBytes: 1024 * 1024 })).rejects.toThrow(
        /^the start function writes more than.*logBytes/,
      );
    });

    test.each([2, 3, 4, 5])(
      "clang: an atomic access inlined from a library's header, DWARF %i, two compile units: its line is where the user called",
      (version) => {
        const header = join(folder, "include", "c++");
        mkdirSync(header, { recursive: true });
        const inlined = "static inline __attribute__((always_inline))";
        writeFileSync(
          join(header, "counter.h"),
          `${inlined} int add(_Atomic int *at, int x) {
            return __c11_atomic_fetch_add(at, x, __ATOMIC_SEQ_CST);
          }
          ${inlined} void twice(_Atomic int *at, int x) { if (add(at, x) & 1) add(at, x + 1); add(at, x); }`,
        );
        const objects = ["one", "two"].map((name) => {
          const source = join(folder, `${name}.c`);
          const calls = [`  twice(&${name}_word, x);`, `  add(&${name}_word, x * 3);`];
          writeFileSync(
            source,
            `#include "counter.h"\n_Atomic int ${name}_word;\n__attribute__((export_name("${name}"))) void ${name}(int x) {\n${calls.join("\n")}\n}\n`,
          );
          const object = join(folder, `${name}.o`);
          runTool("clang", [...CLANG, "-g", `-gdwarf-${version}`, "-I", header, "-c", "-o", object, source]);
          return object;
        });
        const out = join(folder, "inlined.wasm");
        runTool("wasm-ld", [...LINK, "-o", out, ...objects]);
        const module = decodeModule(built("inlined.wasm"));
        const lineOf = findSourceLines(module);
        const places = (name: string): (string | undefined)[] =>
          assertDefined(module.functions.find(({ index }) => index === module.exports.get(name)?.index))
            .body.filter(({ op }) => isAtomic(op))
            .map(({ start }) => lineOf(start)?.replace(/^.*\//, ""));
        expect(places("one")).toEqual(["one.c:4", "one.c:4", "one.c:4", "one.c:5"]);
        expect(places("two")).toEqual(["two.c:4", "two.c:4", "two.c:4", "two.c:5"]);
      },
    );
  },
);
