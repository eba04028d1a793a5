// Report sources: what the other commands have kept under .hartbeat, read for one kernel.
//
//   certificates/…                explore --kernel        (certificate-store.ts)
//   breaks.json                   verify/breaks   {format, version, kernel, breaks: BreakResult[]}
//   matrix.json                   npm run matrix          {version, artifact, harness, clauses: {id: [{break, proof, red}]}}
//   mutants/results.ndjson        hartbeat mutate         {artifact, id, outcome} a line
//   coverage.json                 hartbeat mutate --coverage   {format, version, kernel, files: CoverageRow[]}
//   soak/*/state.json             hartbeat soak           (soak-state.ts)
//
// `kernel` and `artifact` are the SHA-256 of kernel.wasm. Invariant: a file that is missing, cut short, of another format or
// about another kernel is no result; nothing here throws because of what stands in a file.
// Partners: report.ts asks, proof/report/ puts together.

import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { scenarios } from "../verify/scenarios/suite.ts";
import { clauseFacts } from "../proof/clauses.ts";
import type {
  BreakResult,
  CostRow,
  CoverageRow,
  MutantResult,
  ReportSources,
  Section,
  SoakRow,
} from "../proof/report/report-data.ts";
import { packageRoot } from "../toolchain/package-root.ts";
import { sha256Of } from "../toolchain/sha256.ts";
import { type Identity, type KeptCertificates, exploredIn, readCertificates } from "./certificate-store.ts";

const ROOT = ".hartbeat";
export const BREAKS_FORMAT = "hartbeat-breaks";
export const COVERAGE_FORMAT = "hartbeat-coverage";

const BREAKS_COMMAND = "node dist/verify/breaks/main.js";
const MUTATE_COMMAND = "npx hartbeat mutate";

/** bytes: of kernel.wasm. made: when, as the page shows it. */
export function readSources(identity: Identity, bytes: number, made: string): ReportSources {
  const kept = readCertificates(identity, scenarios);
  return {
    kernel: { sha256: identity.kernel, bytes },
    made,
    facts: clauseFacts(scenarios, exploredIn(kept)),
    transitionsOf: new Map([...kept.certificates].map(([name, { transitions }]) => [name, transitions])),
    breaks: readRows("breaks.json", BREAKS_FORMAT, "breaks", identity, BREAKS_COMMAND, isBreak),
    matrix: readMatrix(identity),
    mutants: readMutants(identity),
    coverage: readRows("coverage.json", COVERAGE_FORMAT, "files", identity, `${MUTATE_COMMAND} --coverage`, isCoverage),
    soaks: readSoaks(),
    costs: costsOf(kept),
  };
}

type Json = Readonly<Record<string, unknown>>;

const isRecord = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** undefined: it is not there, or no JSON. */
function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}

/** A file with a list of rows about one kernel; one row that is none makes the whole file none. */
function readRows<T>(
  name: string,
  format: string,
  list: string,
  { kernel }: Identity,
  command: string,
  isRow: (row: unknown) => row is T,
): Section<readonly T[]> {
  const value = readJson(join(ROOT, name));
  const rows = isRecord(value) && value["format"] === format && value["version"] === 1 ? value[list] : undefined;
  if (!isRecord(value) || !Array.isArray(rows) || !rows.every(isRow)) return { kind: "not-run", command, stale: false };
  return value["kernel"] === kernel ? { kind: "known", value: rows } : { kind: "not-run", command, stale: true };
}

const OUTCOMES: readonly unknown[] = ["red", "green", "refused", "skipped"];

function isBreak(row: unknown): row is BreakResult {
  return (
    isRecord(row) &&
    typeof row["clause"] === "string" &&
    typeof row["title"] === "string" &&
    OUTCOMES.includes(row["outcome"]) &&
    (row["by"] === null || typeof row["by"] === "string")
  );
}

function isShare(value: unknown): boolean {
  return isRecord(value) && typeof value["reached"] === "number" && typeof value["of"] === "number";
}

function isCoverage(row: unknown): row is CoverageRow {
  return isRecord(row) && typeof row["file"] === "string" && isShare(row["lines"]) && isShare(row["explored"]);
}

/** A row for each break and each proof of its clause; `by` is the proof, whatever came of it. */
function readMatrix({ kernel, harness }: Identity): Section<readonly BreakResult[]> {
  const notRun = (stale: boolean) => ({ kind: "not-run", command: "npm run matrix", stale }) as const;
  const value = readJson(join(ROOT, "matrix.json"));
  const clauses = isRecord(value) && value["version"] === 1 ? value["clauses"] : undefined;
  if (!isRecord(value) || !isRecord(clauses)) return notRun(false);
  const rows = Object.entries(clauses).flatMap(([clause, entries]) =>
    (Array.isArray(entries) ? entries : [undefined]).map((entry) => matrixRow(clause, entry)),
  );
  if (rows.length === 0 || rows.includes(undefined)) return notRun(false);
  if (value["artifact"] !== kernel || value["harness"] !== harness) return notRun(true);
  return { kind: "known", value: rows.filter((row) => row !== undefined) };
}

function matrixRow(clause: string, entry: unknown): BreakResult | undefined {
  if (!isRecord(entry)) return undefined;
  const { break: title, proof, red } = entry;
  if (typeof title !== "string" || typeof proof !== "string" || (red !== null && typeof red !== "boolean"))
    return undefined;
  return { clause, title, outcome: red === null ? "skipped" : red ? "red" : "green", by: proof };
}

/** The last line about a mutant counts. */
function readMutants({ kernel }: Identity): Section<readonly MutantResult[]> {
  const path = join(ROOT, "mutants", "results.ndjson");
  const notRun = (stale: boolean) => ({ kind: "not-run", command: MUTATE_COMMAND, stale }) as const;
  if (!existsSync(path)) return notRun(false);
  const results = new Map<string, MutantResult>();
  let others = 0;
  for (const line of readFileSync(path, "utf8").split("\n")) {
    const value = parseLine(line);
    const outcome = isRecord(value) ? value["outcome"] : undefined;
    if (!isRecord(value) || !isRecord(outcome) || typeof value["id"] !== "string") continue;
    const [id, kind, by] = [value["id"], outcome["kind"], outcome["by"]];
    if (value["artifact"] !== kernel) others += 1;
    else if (typeof kind === "string" && kind !== "invalid")
      results.set(id, { id, outcome: kind, by: typeof by === "string" ? by : null });
  }
  return results.size > 0 ? { kind: "known", value: [...results.values()] } : notRun(others > 0);
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function readSoaks(): Section<readonly SoakRow[]> {
  const root = join(ROOT, "soak");
  const folders = existsSync(root) ? readdirSync(root).toSorted() : [];
  const rows = folders.flatMap((name) => soakRow(readJson(join(root, name, "state.json"))) ?? []);
  return rows.length > 0
    ? { kind: "known", value: rows }
    : { kind: "not-run", command: "npx hartbeat soak --machine virt --smp 8 --boots 1000", stale: false };
}

function soakRow(state: unknown): SoakRow | undefined {
  if (!isRecord(state) || state["format"] !== "hartbeat-soak") return undefined;
  const { tally, images } = state;
  // Version 1 called it "campaign".
  const setup = state["setup"] ?? state["campaign"];
  if (!isRecord(setup) || !isRecord(tally) || !isRecord(images)) return undefined;
  const { machine, harts, ipi, programs, faults } = setup;
  const [runs, passed, failed] = [tally["runs"], tally["passed"], tally["failed"]].map(Number);
  if (machine !== "sim" && machine !== "virt") return undefined;
  if (![runs, passed, failed].every((each) => Number.isSafeInteger(each) && Number(each) >= 0)) return undefined;
  const labels = [
    `${machine}, ${String(harts)} hart${harts === 1 ? "" : "s"}`,
    `by ${String(ipi)}`,
    `${String(programs)} programs`,
  ];
  return {
    title: [...labels, ...(faults === true ? ["faults by seed"] : [])].join(", "),
    machine,
    programs: String(programs),
    faults: faults === true,
    runs: Number(runs),
    passed: Number(passed),
    failed: Number(failed),
    isCurrent: isToday(images),
  };
}

/** Images that are not named are not known to be today's. */
function isToday(images: Json): boolean {
  const named = Object.entries(images);
  return named.length > 0 && named.every(([name, sha256]) => hashOfBuilt(name) === sha256);
}

/** An image is named by its file under build/, or, where it was given, by its path. */
function hashOfBuilt(name: string): string | undefined {
  const path = join(packageRoot, "build", name);
  try {
    return sha256Of(readFileSync(path));
  } catch {
    return undefined;
  }
}

/** Of each operation its worst over all scenarios that measured it. */
function costsOf({ certificates }: KeptCertificates): Section<readonly CostRow[]> {
  const worst = new Map<string, CostRow>();
  for (const [scenario, { operations }] of certificates) {
    if (operations?.kind !== "measured") continue;
    for (const { operation, accesses } of operations.costs)
      if (accesses > (worst.get(operation)?.accesses ?? 0)) worst.set(operation, { operation, accesses, scenario });
  }
  const rows = [...worst.values()].toSorted((a, b) => (a.operation < b.operation ? -1 : 1));
  return rows.length > 0
    ? { kind: "known", value: rows }
    : { kind: "not-run", command: "npx hartbeat explore --kernel --operations", stale: false };
}
