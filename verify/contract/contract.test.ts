// docs/contract.md and the code: each names what the other has, and every kind of wrong name is reported.

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { scenarios } from "../scenarios/suite.ts";
import { allChecks } from "../clauses/index.ts";
import { OTHER_CHECKS } from "../../proof/clauses.ts";
import { BREAKS } from "../breaks/table.ts";
import { missingIn } from "../../proof/testing/named-check.ts";
import { packageRoot } from "../../toolchain/package-root.ts";
import { CLAUSE_IDS } from "../clause-id.ts";
import { citationsIn } from "./citations.ts";
import { disagreements, DOCUMENT, rewritten } from "./document.ts";
import { citationMistakes, type ContractFacts, contractFacts, kernelCitations } from "./facts.ts";

let text: string;
let facts: ContractFacts;
beforeAll(async () => {
  text = await readFile(join(packageRoot, DOCUMENT), "utf8");
  facts = await contractFacts(packageRoot);
});

describe("contract: as it is", () => {
  test("document and code: no name in one that the other lacks, and nothing to write", async () => {
    expect(await disagreements(text, facts, packageRoot)).toEqual([]);
    expect(rewritten(text, facts)).toBe(text);
  });

  test("kernel: headers and comments cite the same clauses, each of which exists", async () => {
    expect(citationMistakes(await kernelCitations(packageRoot))).toEqual([]);
  });

  test("kernel: every clause but those of the build, the machines and the gate: cited beside a line", () => {
    const uncited = CLAUSE_IDS.filter((id) => facts.get(id)?.kernel.length === 0);
    expect(uncited).toEqual(["T4", "D3", "D7", "D9"]);
  });

  // The rows are made from these tables, so their names are resolved here by other means.
  test("code: every gate and test that a clause names exists; every break and check is of one clause's", async () => {
    const named = Object.values(OTHER_CHECKS).flat();
    expect((await Promise.all(named.map((one) => missingIn(one, packageRoot)))).filter(Boolean)).toEqual([]);
    const sum = (row: "tests" | "breaks"): number => [...facts.values()].reduce((all, one) => all + one[row].length, 0);
    expect(sum("breaks")).toBe(BREAKS.flatMap(({ clauses: ids }) => ids).length);
    expect(sum("tests")).toBeGreaterThanOrEqual(allChecks.length);
    for (const { name, clauses } of scenarios)
      for (const id of clauses) expect(facts.get(id)?.scenarios).toContain(`\`${name}\``);
  });

  test("checks: every title stands in a file of the checks", () => {
    const lost = [...facts].flatMap(([id, { tests }]) =>
      tests.filter((one) => !/ in `[\w/.-]+\.ts`$/.test(one)).map((one) => `${id} ${one}`),
    );
    expect(lost).toEqual([]);
  });

  test("kernel and documents: clauses are listed one by one, never as a range", async () => {
    const kernel = (await readdir(join(packageRoot, "kernel"))).filter((name) => name.endsWith(".ts"));
    const files = ["README.md", "docs/architecture.md", DOCUMENT, ...kernel.map((name) => `kernel/${name}`)];
    const texts = await Promise.all(files.map((file) => readFile(join(packageRoot, file), "utf8")));
    expect(files.filter((_, i) => hasRange(texts[i] ?? ""))).toEqual([]);
    expect(hasRange("// Clauses: I1 to I7.")).toBe(true);
  });
});

function hasRange(sentence: string): boolean {
  return /\b[QSICTD]\d(?: to |-|\.\.)[QSICTD]?\d\b/.test(sentence);
}

/** Replaces a text that stands in the document, once or more often: the first. */
function withFault(from: string | RegExp, to: string): string {
  const changed = text.replace(from, to);
  if (changed === text) throw new Error(`the document has no ${String(from)}`);
  return changed;
}

describe("contract: planted faults", () => {
  test.each<[string, string | RegExp, string, RegExp]>([
    ["a function that does not cite it", "`recordRefusal`", "`noSuch`", /I4: Kernel: the code has no .*`noSuch`/],
    [
      "a kernel file that there is not",
      "`mailbox.ts`: `STATE_EMPTY`",
      "`post.ts`: `STATE_EMPTY`",
      /Q1: Kernel: the code has no `post.ts`/,
    ],
    [
      "a place that is left out",
      "  - `mailbox.ts`: `STATE_EMPTY`\n",
      "",
      /Q1: Kernel: `mailbox.ts`: `STATE_EMPTY` is missing/,
    ],
    [
      "a scenario that there is not",
      "Scenarios: `full-queue`",
      "Scenarios: `no-such`",
      /Q1: Scenarios: the code has no `no-such`/,
    ],
    [
      "a scenario of another clause",
      "Scenarios: `full-queue`",
      "Scenarios: `full-queue`, `ladder`",
      /Q1: Scenarios: the code has no `ladder`/,
    ],
    [
      "a gate that there is not",
      "`must-use gate` in",
      "`may-use gate` in",
      /Q4: Gates: the code has no `may-use gate`/,
    ],
    [
      "a test that there is not",
      "each holds 64 tasks and not one more",
      "each holds 65 tasks",
      /Q1: Tests: the code has no .*65 tasks/,
    ],
    [
      "a break that there is not",
      "`tp is preferred to the stack`",
      "`no such break`",
      /C2: Breaks: the code has no `no such break`/,
    ],
    [
      "a file elsewhere that there is not",
      "`machines/virt/panic.c`",
      "`machines/virt/alarm.c`",
      /T4: Elsewhere: there is no file machines\/virt\/alarm\.c/,
    ],
    [
      "a name elsewhere that there is not",
      "`checkAllocator`",
      "`checkAllocators`",
      /Q1: Elsewhere: toolchain\/artifact-gate\.ts declares no checkAllocators/,
    ],
    ["a section that is left out", /### I5\.[^]*?(?=### I6)/, "", /I5: it has no section/],
    ["a section of no clause", "### I5. ", "### I0. ", /I0: there is no such clause/],
    ["a clause without text", "The same for a CPU that has not joined.", "", /I2: it has no text/],
    [
      "no break and no reason",
      /- Only tested: the markers .*\n/,
      "",
      /D1: no break turns it red, and no reason is given/,
    ],
    [
      "a reason although there are breaks",
      /(### C2[^]*?)- Scenarios/,
      "$1- Only tested: so.\n- Scenarios",
      /C2: it has breaks/,
    ],
    ["a row of the table", "| Q1  | Cap", "| Q1  | Kap", /its table or its layout/],
  ])("%s: reported", async (_, from, to, expected) => {
    const lines = await disagreements(withFault(from, to), facts, packageRoot);
    expect(lines.join("\n")).toMatch(expected);
  });

  test("a clause that lost its code and its checks: reported", async () => {
    const empty = { kernel: [], scenarios: [], gates: [], tests: [], breaks: [] };
    const poorer = new Map([...facts, ["C2" as const, empty]]);
    const lines = await disagreements(rewritten(text, poorer), poorer, packageRoot);
    expect(lines).toEqual([
      `${DOCUMENT}: C2: no code enforces it`,
      `${DOCUMENT}: C2: nothing checks it`,
      `${DOCUMENT}: C2: no break turns it red, and no reason is given`,
    ]);
  });

  test.each<[string, string, RegExp]>([
    [
      "an id in the header that no comment carries",
      "// A.\n// Clauses: I1, I2.\n\n// I1: here.\nfunction f() {}\n",
      /header lists I2/,
    ],
    [
      "an id in a comment that the header lacks",
      "// A.\n// Clauses: I1.\n\n// I1, I2: here.\nfunction f() {}\n",
      /carries I2/,
    ],
    ["a range in the header", "// A.\n// Clauses: I1 to I3.\n\n// I1, I3.\nfunction f() {}\n", /give ids one by one/],
    ["an id of no clause", "// A.\n\n/** D44. */\nfunction f() {}\n", /there is no clause D44/],
    ["an id outside of any declaration", "// A.\n// Clauses: I1.\n\n// I1.\n", /outside of any declaration/],
  ])("kernel source: %s: reported", (_, source, expected) => {
    expect(citationMistakes(new Map([["a.ts", citationsIn(source)]])).join("\n")).toMatch(expected);
  });

  test("kernel source: comments above, within and beside: of the declaration that they belong to", () => {
    const source = `// A.\n// Clauses: Q1, Q2, Q3.\n\n/** Q1. */\n// @x: y\nexport function one(): void {\n  // Q2: here.\n  f();\n}\n\n// Q3.\nconst two = 1;\n`;
    expect(citationsIn(source)).toEqual({
      header: ["Q1", "Q2", "Q3"],
      body: [
        { clause: "Q1", symbol: "one" },
        { clause: "Q2", symbol: "one" },
        { clause: "Q3", symbol: "two" },
      ],
      mistakes: [],
    });
  });
});
