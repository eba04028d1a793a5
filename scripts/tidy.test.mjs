// What a reader would stumble over: nothing of it is in the tree, and each rule reports a planted fault.

import { describe, expect, test } from "vitest";
import { findings, trackedFiles } from "./tidy.mjs";

test("tidy: every file that git knows: nothing to report", () => {
  expect(findings(trackedFiles())).toEqual([]);
});

describe("planted faults", () => {
  const USED = ["kernel/index.ts", "import { a } from './a';\nexport const b = a;\n"];
  const report = (path, text) => findings(new Map([USED, ["kernel/a.ts", "export const a = 1;\n"], [path, text]]));

  test.each([
    ["a function of our own", "const a = certain(b);", "assertDefined"],
    ["a figure of speech", "// It tells the boot hart.", "report"],
    ["a queue of letters", "// The oldest letter waits.", "mailbox entry"],
    ["a meter", "// The meter counts.", "cost counter"],
    ["a spelled value", "const text = spellValue(a);", "format"],
    ["a void entry", "// A void entry is dropped.", "tombstone"],
    ["a door", "// Behind the door of the machine.", "interface"],
    ["taken up", "// A search that is taken up.", "resume"],
    ["a book of helpers", "// The book of helpers.", "builder"],
    ["a text called words", "const words = `${a} failed`;", "message"],
    ["a parameter of text called words", "function report(words: string) {}", "message"],
    ["words of something", "write(wordsOf(a));", "label"],
    ["watched words", "// Two threads touch a watched word.", "race-tracked"],
    ["a closing search", "// The closing search begins.", "cycle detection"],
    ["a campaign", "// The campaign ends.", "suite run"],
    ["a wish", "// The wish of the task.", "pending QoS request"],
    ["begun anew", "// It begins anew.", "restart"],
    ["a desk", "// The desk prints.", "reporter"],
    ["a runtime book", "const a = new HelperBook();", "explore/"],
    ["evidence that vouches", "// It vouches for Q1.", "verify"],
  ])("tidy: %s: reported with its place and the field's word", (_, line, instead) => {
    const [first, ...others] = report("kernel/a.ts", `export const a = 1;\n${line}\n`);
    expect(first).toMatch(/^kernel\/a\.ts:2: "/);
    expect(first).toContain(instead);
    expect(others).toEqual([]);
  });

  test("tidy: notes and quiet steps in the explorer: reported; elsewhere not; what an older version wrote may be read", () => {
    const terms = (path, line) => findings(new Map([[path, `${line}\n`]])).filter((found) => found.includes(": say "));
    expect(terms("explore/a.ts", "// Accesses are noted.")).toEqual([
      'explore/a.ts:1: "noted": say access summary, record, mark',
    ]);
    expect(terms("explore/search/a.ts", "// A quiet step.")).toEqual(['explore/search/a.ts:1: "quiet": say invisible']);
    expect(terms("kernel/a.ts", "// A quiet hart is noted.")).toEqual([]);
    expect(terms("cli/soak-state.ts", '// Version 1 called it "campaign".')).toEqual([]);
    expect(terms("explore/report/counterexample.ts", "const { watched } = value;")).toEqual([]);
    expect(terms("wasm/module.ts", "// The closing `end`.")).toEqual([]);
    expect(terms("docs/a.md", "A line says how far it is.")).toEqual(['docs/a.md:1: "says": say report, state, print']);
  });

  test("tidy: the glossary may list such words; an alphabet has letters", () => {
    expect(report("docs/glossary.md", "letter: say mailbox entry\n")).toEqual([]);
    expect(report("docs/a.md", "A capital letter is used.\n")).toEqual([]);
  });

  test("tidy: a header that names a missing file: reported; one that names a file, or a generated one: not", () => {
    const header = (name) => report("kernel/a.ts", `// A.\n//\n// Pairs with: ${name}.\nexport const a = 1;\n`);
    expect(header("gone.ts")).toEqual(["kernel/a.ts: its header names gone.ts, which is not there"]);
    expect(header("index.ts and build/virt/abi.h")).toEqual([]);
  });

  test("tidy: a module that nothing imports: reported; an entry: not", () => {
    expect(report("proof/orphan.ts", "export {};\n")).toEqual(["proof/orphan.ts: nothing imports or names it"]);
    expect(report("proof/main.ts", "export {};\n")).toEqual([]);
  });

  test("tidy: a timer in a file without a row in the table of clocks: reported; in a comment, or with a row: not", () => {
    const timer = "export const a = setTimeout(() => undefined, 5);\n";
    expect(report("kernel/a.ts", timer)).toEqual([
      "kernel/a.ts: it reads a clock or waits for a time: give it a row in docs/clocks.md",
    ]);
    expect(report("kernel/a.ts", "// No setTimeout here.\nexport const a = 1;\n")).toEqual([]);
    expect(
      findings(new Map([USED, ["kernel/a.ts", timer], ["docs/clocks.md", "| `kernel/a.ts` | a bound |\n"]])),
    ).toEqual([]);
  });

  test("tidy: a C file of 401 lines: reported; of 400, and one that oxlint reads: not", () => {
    const lines = (count) => "// A line.\n".repeat(count);
    expect(report("kernel/a.c", lines(401))).toContain("kernel/a.c: it has 401 lines; divide it, 400 are the most");
    expect(report("kernel/a.c", lines(400)).join()).not.toContain("lines;");
    expect(report("kernel/a.ts", lines(401)).join()).not.toContain("lines;");
  });

  test("tidy: a row of the table of clocks whose file reads none: reported", () => {
    expect(report("docs/clocks.md", "| `kernel/a.ts` | a bound |\n")).toEqual([
      "docs/clocks.md: it has kernel/a.ts, which reads no clock or is not there",
    ]);
  });

  test("tidy: two files of one base name: reported; an index, the checks of a kernel file, a command: not", () => {
    const same = (path, text = "export const a = 1;\n") =>
      findings(
        new Map([
          [
            "kernel/index.ts",
            "import './a';\nimport '../proof/a';\nimport '../verify/clauses/a';\nimport '../cli/a';\n",
          ],
          ["kernel/a.ts", "export const a = 1;\n"],
          [path, text],
        ]),
      );
    expect(same("proof/a.ts")).toEqual([
      "proof/a.ts: kernel/a.ts has the same base name: give one of them another name",
    ]);
    expect(same("cli/a.ts")).toHaveLength(1);
    expect(same("cli/a.ts", 'program.command("a");\n')).toEqual([]);
    expect(same("verify/clauses/a.ts")).toEqual([]);
    expect(same("proof/index.ts")).toEqual([]);
  });
});
