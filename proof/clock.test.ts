// Clocks: no module that reaches a verdict reads one (D5); the time-out is its caller's, and can only fail a run.

import { readFile } from "node:fs/promises";
import { dirname, join, posix } from "node:path";
import { expect, test } from "vitest";
import { PowerOff } from "../abi/results.ts";
import { packageRoot } from "../toolchain/package-root.ts";
import { type Ending, Gate } from "./gate.ts";
import { honestConsole } from "./testing/honest-console.ts";

const CLOCK = /\b(?:Date|performance|hrtime|setTimeout|setInterval|setImmediate|AbortSignal)\b/;
const IMPORT = /^(?:import|export) (?!type )(?:[^"]*? from )?"(\.[^"]+)";/gms;

/** A module and all that it imports, but for types; by path from the package's root. */
async function closureOf(entry: string): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  const open = [entry];
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (found.has(file)) continue;
    const text = await readFile(join(packageRoot, file), "utf8");
    found.set(file, text);
    for (const [, imported] of text.matchAll(IMPORT)) open.push(posix.join(dirname(file), imported ?? ""));
  }
  return found;
}

const withClock = (modules: ReadonlyMap<string, string>): string[] =>
  [...modules].filter(([, text]) => CLOCK.test(text.replace(/\/\/.*$/gm, ""))).map(([file]) => file);

test("gate: the modules that reach a verdict: none reads a clock", async () => {
  const modules = await closureOf("proof/gate.ts");
  for (const part of ["sequence", "chain", "evidence-log", "requirements", "summary", "ladder", "verdict"]) {
    expect([...modules.keys()]).toContain(`proof/${part}.ts`);
  }
  expect(withClock(modules)).toEqual([]);
});

test("clock scan: a module with a timer, and a text that asks for the time: reported", async () => {
  expect(withClock(await closureOf("proof/proof-run.ts"))).toEqual(["proof/proof-run.ts"]);
  expect(withClock(new Map([["a.ts", "if (Date.now() > 5) pass();\n"]]))).toEqual(["a.ts"]);
  expect(withClock(new Map([["a.ts", "// no Date here\n"]]))).toEqual([]);
});

test("gate: a time-out after every line of a good console: failed; the same lines and a power-off: passed", () => {
  const judge = (ending: Ending): string => {
    const gate = new Gate({ machine: "sim", harts: 2, ipi: "firmware", untilMarker: false });
    for (const line of honestConsole(2)) gate.feed(line);
    return gate.conclude(ending).kind;
  };
  expect(judge({ kind: "powered-off", result: PowerOff.Passed })).toBe("passed");
  expect(judge({ kind: "timed-out", after: "1 s" })).toBe("failed");
});
