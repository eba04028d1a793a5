// A seeded share of the random programs; the rest is a command: npm run oracle -- --programs 100000 --seed 1.

import { readFileSync, readdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bundleWorker } from "../fixtures/worker-bundle.ts";
import { describeMismatch, runOracle } from "./oracle-run.ts";
import { compare } from "./compare.ts";
import { ALL_CONFIGURATIONS, configurationsFor } from "./configurations.ts";
import { encode } from "./encode-program.ts";
import { generate } from "./generate.ts";

const SEED = 1_000_000;
const PROGRAMS = 500;
const STATES_MAX = 3000;

let worker = "";
beforeAll(async () => {
  worker = await bundleWorker();
});
afterAll(() => rmSync(dirname(dirname(worker)), { recursive: true, force: true }));

describe("random programs", () => {
  test(
    `oracle: ${PROGRAMS} programs from seed ${SEED}: the explorer finds what the interpreter finds`,
    { timeout: 600_000 },
    async () => {
      const { tally } = await runOracle(SEED, PROGRAMS, { statesMax: STATES_MAX, mismatchesMax: 3 });
      expect(tally.mismatches.map(describeMismatch).join("\n\n")).toBe("");
      expect(tally.compared).toBeGreaterThan(0.95 * PROGRAMS);
      // Programs that pass, and each kind of fault; not an empty comparison.
      const seen = new Set([...tally.found.keys()].flatMap((kinds) => kinds.split("+")));
      for (const kind of [
        "passed",
        "race",
        "trap",
        "deadlock",
        "livelock",
        "assertion",
        "mixed-width",
        "invariant",
        "final",
      ])
        expect(seen, kind).toContain(kind);
    },
  );

  test(
    "oracle: every configuration, two workers included, on a few programs: they agree",
    { timeout: 600_000 },
    async () => {
      const options = { statesMax: 300, workerModule: pathToFileURL(worker), configurations: ALL_CONFIGURATIONS };
      for (let seed = SEED; seed < SEED + 6; seed++) {
        const { kind } = await compare(generate(seed), options);
        expect(["agree", "too-large"], `seed ${seed}`).toContain(kind);
      }
    },
  );

  test("oracle: which configurations a seed gets: every one has its turn", () => {
    const named = new Set<string>();
    for (let seed = 1; seed <= 20_000; seed++) for (const { name } of configurationsFor(seed, true)) named.add(name);
    expect([...named].toSorted()).toEqual(ALL_CONFIGURATIONS.map(({ name }) => name).toSorted());
  });

  test("oracle: one seed: one program, byte by byte, and a valid module", () => {
    for (let seed = 1; seed <= 200; seed++) {
      const wasm = encode(generate(seed));
      expect(encode(generate(seed))).toEqual(wasm);
      expect(WebAssembly.validate(wasm as BufferSource), `seed ${seed}`).toBe(true);
    }
  });
});

test("oracle: the generator, the encoder and the interpreter: import nothing of the explorer; only the encoder the binary format", () => {
  const folder = fileURLToPath(new URL(".", import.meta.url));
  const independent = new Set(["compare.ts", "configurations.ts", "oracle.test.ts", "planted.test.ts"]);
  for (const file of readdirSync(folder)) {
    if (independent.has(file) || file.endsWith(".test.ts")) continue;
    const imports = [...readFileSync(`${folder}${file}`, "utf8").matchAll(/from "([^"]+)"/g)].map(
      ([, from]) => from ?? "",
    );
    const allowed = file.startsWith("encode") ? ["./", "../../wasm/"] : ["./"];
    expect(
      imports.filter((from) => !allowed.some((prefix) => from.startsWith(prefix))),
      file,
    ).toEqual([]);
  }
});
