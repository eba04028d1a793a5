// hartbeat report: what the page and the text show, and what they show where nothing is known.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { CLAUSE_IDS } from "../verify/clause-id.ts";
import { reportLines } from "../proof/report/report-lines.ts";
import { escape, reportPage } from "../proof/report/report-page.ts";
import { type BreakResult, type Report, bootsOnVirt, reportOf } from "../proof/report/report-data.ts";
import { keepBreaks } from "../verify/breaks/breaks-file.ts";
import { packageRoot } from "../toolchain/package-root.ts";
import { sha256Of } from "../toolchain/sha256.ts";
import { main } from "./main.ts";
import { readSources } from "./report-sources.ts";
import { captureOutput, workInOwnFolder } from "./testing/captured-command.ts";

const KERNEL = new TextEncoder().encode("a kernel");
const IDENTITY = { kernel: sha256Of(KERNEL), harness: sha256Of(new TextEncoder().encode("a harness")) };
const NASTY = `<script>alert("1")</script> & 'x'`;

const output = captureOutput();
const folder = workInOwnFolder("report");

function keep(path: string, text: string): void {
  const file = join(folder(), ".hartbeat", path);
  mkdirSync(join(file, ".."), { recursive: true });
  writeFileSync(file, text);
}

const report = (): Report => reportOf(readSources(IDENTITY, KERNEL.length, "2026-01-02 03:04 UTC"));

const BREAKS: readonly BreakResult[] = [
  { clause: "Q2", title: `off by one ${NASTY}`, outcome: "red", by: `a check ${NASTY}` },
  { clause: "Q2", title: "overwritten", outcome: "green", by: null },
];

function keepMutants(artifact: string): void {
  const line = (id: string, outcome: object): string => JSON.stringify({ artifact, key: "k", id, outcome });
  keep(
    "mutants/results.ndjson",
    [
      line("run-queue/push run-queue.ts:9 offset 1", { kind: "survived", checks: 1 }),
      line("run-queue/push run-queue.ts:9 offset 1", {
        kind: "killed",
        stage: "unit",
        by: "Q2 queue: full",
        reason: "",
      }),
      line("run-queue/push run-queue.ts:10 offset 1", { kind: "survived", checks: 3 }),
      line("mailbox/post mailbox.ts:4 swap 0", {
        kind: "killed",
        stage: "explored",
        by: "scenario full-queue",
        reason: "",
      }),
      line("x x.ts:1 y 0", { kind: "invalid" }),
      `{"artifact":"${artifact}","id":"cut`,
    ].join("\n"),
  );
}

function keepMatrix(artifact: string): void {
  const entry = (title: string, proof: string, red: boolean | null): object => ({
    break: title,
    proof,
    red,
    how: "",
    key: "",
  });
  const clauses = {
    Q2: [
      entry("overwritten", "full-queue", true),
      entry("overwritten", "full-of-tombstones", false),
      entry(NASTY, "x", null),
    ],
  };
  keep("matrix.json", JSON.stringify({ version: 1, artifact, harness: IDENTITY.harness, clauses }));
}

function keepSoak(name: string, state: object): void {
  keep(
    `soak/${name}/state.json`,
    JSON.stringify({ format: "hartbeat-soak", version: "campaign" in state ? 1 : 2, ...state }),
  );
}

describe("nothing is known", () => {
  test("report: empty folder: every section names its command, and no clause has a result", () => {
    const page = reportPage(report());
    for (const command of [
      "node dist/verify/breaks/main.js",
      "npx hartbeat mutate",
      "npx hartbeat mutate --coverage",
      "npx hartbeat soak --machine virt --smp 8 --boots 1000",
      "npx hartbeat explore --kernel --operations",
      "npm run matrix",
    ]) {
      expect(page).toContain(`not run:</span> <code>${command}</code>`);
    }
    expect(page).not.toContain("✓");
    expect(page).toContain(`<b>0 of ${CLAUSE_IDS.length}</b>clauses with a scenario explored`);
    expect(page).toContain("no boot of this image on record");
    const text = reportLines(report()).join("\n");
    expect(text).toContain("mutants: not run: npx hartbeat mutate");
    expect(text).toContain("boots on virt: 0 of this image passed");
  });

  test.each([
    ["breaks.json", "{"],
    ["breaks.json", "[]"],
    ["breaks.json", JSON.stringify({ format: "hartbeat-breaks", version: 2, kernel: IDENTITY.kernel, breaks: [] })],
    [
      "breaks.json",
      JSON.stringify({ format: "hartbeat-breaks", version: 1, kernel: IDENTITY.kernel, breaks: [{ clause: "Q2" }] }),
    ],
    ["coverage.json", JSON.stringify({ format: "hartbeat-coverage", version: 1, kernel: IDENTITY.kernel, files: [7] })],
    ["mutants/results.ndjson", "null\n7\n{}\n"],
    [
      "matrix.json",
      JSON.stringify({ version: 1, artifact: IDENTITY.kernel, harness: IDENTITY.harness, clauses: { Q2: [7] } }),
    ],
    [
      "soak/x/state.json",
      JSON.stringify({ format: "hartbeat-soak", setup: { machine: "moon" }, tally: {}, images: {} }),
    ],
  ])("report: %s that is not whole (%s): not run, and nothing is thrown", (path, text) => {
    keep(path, text);
    const { breaks, coverage, mutants, soaks, matrix } = report();
    for (const section of [breaks, coverage, mutants, soaks, matrix])
      expect(section).toMatchObject({ kind: "not-run", stale: false });
  });

  test("report: results about another kernel: not shown as results, and reported as such", () => {
    keepBreaks(new TextEncoder().encode("another kernel"), BREAKS);
    keepMutants("0".repeat(64));
    keepMatrix("0".repeat(64));
    keep("coverage.json", JSON.stringify({ format: "hartbeat-coverage", version: 1, kernel: "0", files: [] }));
    const whole = report();
    for (const section of [whole.breaks, whole.mutants, whole.coverage, whole.matrix])
      expect(section).toMatchObject({ kind: "not-run", stale: true });
    expect(reportPage(whole)).toContain("not run on this kernel (on another one)");
    expect(reportPage(whole)).not.toContain("overwritten");
  });
});

describe("what is known", () => {
  beforeEach(() => {
    keepBreaks(KERNEL, BREAKS);
    keepMutants(IDENTITY.kernel);
    keepMatrix(IDENTITY.kernel);
    const files = [{ file: "kernel/run-queue.ts", lines: { reached: 9, of: 10 }, explored: { reached: 8, of: 10 } }];
    keep("coverage.json", JSON.stringify({ format: "hartbeat-coverage", version: 1, kernel: IDENTITY.kernel, files }));
    const setup = { machine: "virt", harts: 8, ipi: "firmware", programs: "default", faults: false };
    const tally = { runs: 1000, passed: 999, failed: 1, counts: {} };
    // Some file of today that is always there, named as from build/.
    const today = { "../package.json": sha256Of(readFileSync(join(packageRoot, "package.json"))) };
    keepSoak("virt-smp8-a", { setup, tally, images: today, done: [], failures: [] });
    keepSoak("virt-smp8-c", { campaign: setup, tally, images: {}, done: [], failures: [] });
    keepSoak("virt-smp8-b", { setup, tally, images: { "hartbeat.elf": "0" }, done: [], failures: [] });
  });

  test("report: clause: its breaks, what found each, and the mutants that its checks and scenarios killed", () => {
    const row = report().clauses.find(({ clause }) => clause === "Q2");
    expect(row?.breaks).toEqual(BREAKS);
    expect(row?.matrix.map(({ by, outcome }) => `${by} ${outcome}`)).toEqual([
      "full-queue red",
      "full-of-tombstones green",
      "x skipped",
    ]);
    expect(row?.mutants).toEqual(["run-queue/push run-queue.ts:9 offset 1", "mailbox/post mailbox.ts:4 swap 0"]);
    const text = reportLines(report()).join("\n");
    expect(text).toContain("breaks: 1 of 2 red");
    expect(text).toContain("breaks before the proofs of this clause: 1 of 2 red");
    expect(text).toContain("matrix: 1 of 3 pairs of a break and a proof red");
    expect(text).toContain("Q2 overwritten: green");
    expect(text).toContain("mutants: 2 killed, 1 survived, 0 equivalent, 0 without a verdict");
    expect(text).toContain("coverage: 9 of 10 lines");
  });

  test("report: page: figures, tables, and every text escaped; no script and nothing from elsewhere", () => {
    const page = reportPage(report());
    expect(page).toContain("<b>1 of 2</b>breaks found");
    expect(page).toContain("<b>2 of 3</b>mutants killed");
    expect(page).toContain("✗ not found");
    expect(page).toContain(`<td class="number">9 of 10</td><td class="number">8 of 10</td>`);
    expect(page).toContain(`<td class="number">999 of 1,000</td>`);
    expect(page).toContain(escape(NASTY));
    expect(page).not.toContain("<script");
    expect(page).not.toMatch(/(src|href)=|url\(|@import|https?:/);
    for (const tag of ["article", "dl", "ul", "li", "table", "tr", "details", "span", "code"]) {
      const count = (pattern: RegExp): number => [...page.matchAll(pattern)].length;
      expect(count(new RegExp(`<${tag}[ >]`, "g")), tag).toBe(count(new RegExp(`</${tag}>`, "g")));
    }
    for (const clause of CLAUSE_IDS) expect(page).toContain(`<article id="${clause}">`);
  });

  test("report: boots: of images that are not today's: shown, and not counted", () => {
    expect(bootsOnVirt(report())).toBe(999);
    expect(reportPage(report())).toContain("(another image)");
  });

  test("breaks file: a run over one clause: replaces that clause's results and keeps the others", () => {
    keepBreaks(KERNEL, [{ clause: "S5", title: "new", outcome: "red", by: "check" }]);
    keepBreaks(KERNEL, [{ clause: "Q2", title: "only", outcome: "skipped", by: null }]);
    const { breaks } = report();
    expect(breaks.kind === "known" && breaks.value.map(({ title }) => title)).toEqual(["only", "new"]);
  });
});

describe("hartbeat report", () => {
  test.each([
    ["report --html page.txt", /ends in \.html/],
    ["report --html page.html --json", /exclude each other/],
    ["report page.html", /too many arguments/],
  ])("hartbeat %s: exit code 2, one line", async (command, complaint) => {
    expect(await main(command.split(" "))).toBe(2);
    expect(output.err).toMatch(complaint);
    expect(output.err.trimEnd().split("\n")).toHaveLength(1);
  });

  test("hartbeat report: text, one JSON object, and a page about today's kernel", async () => {
    expect(await main(["report", "--json"])).toBe(0);
    const whole = JSON.parse(output.out) as Report;
    expect(whole).toMatchObject({ format: "hartbeat-report", version: 2 });
    expect(whole.clauses.map(({ clause }) => clause)).toEqual(CLAUSE_IDS);
    output.out = "";
    expect(await main(["report", "--html", "page.html"])).toBe(0);
    expect(output.out).toBe("page.html\n");
    expect(readFileSync("page.html", "utf8")).toContain(whole.kernel.sha256);
    output.out = "";
    expect(await main(["report"])).toBe(0);
    expect(output.out).toContain(`sha256 ${whole.kernel.sha256}`);
  });
});
