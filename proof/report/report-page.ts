// Report page: the report as one HTML file for people. No script, nothing loaded, light or dark as the reader has it; on
// a narrow screen each clause is a block of its own.
//
// Owner: none, pure: the page shows what the report holds, and nothing that it does not. Invariant: every text is escaped.
// Partners: report-data.ts, cli/report.ts.

import { nameOfCheck } from "../clauses.ts";
import {
  type BreakResult,
  type ClauseRow,
  type Report,
  type Section,
  bootsOnVirt,
  breakLabel,
  countMutants,
} from "./report-data.ts";

const STYLE = `
:root { color-scheme: light dark; --ink: #1c2128; --paper: #fff; --soft: #59636e; --line: #d1d9e0; --good: #1a7f37;
  --bad: #b62324; --open: #8a5a00; --shade: #f6f8fa; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --paper: #0d1117; --soft: #9198a1; --line: #3d444d; --good: #3fb950; --bad: #ff7b72;
    --open: #d29922; --shade: #151b23; }
}
* { box-sizing: border-box; }
body { max-width: 64rem; margin: 2rem auto; padding: 0 1rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .25rem; }
h2 { font-size: 1.15rem; margin: 2.5rem 0 .5rem; }
p { margin: .25rem 0; max-width: 46rem; }
code { font: .875em/1.4 ui-monospace, monospace; }
.soft { color: var(--soft); } .good { color: var(--good); } .bad { color: var(--bad); } .open { color: var(--open); }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: .75rem; padding: 0;
  margin: 1.25rem 0; list-style: none; }
.figures li { background: var(--shade); border-radius: .5rem; padding: .6rem .8rem; }
.figures b { display: block; font-size: 1.3rem; font-variant-numeric: tabular-nums; }
article { border-top: 1px solid var(--line); padding: .8rem 0; }
article h3 { font-size: 1rem; margin: 0 0 .25rem; }
article h3 code { font-size: 1rem; font-weight: 700; margin-right: .35rem; }
dl { display: grid; grid-template-columns: 7.5rem 1fr; gap: .15rem .75rem; margin: 0; }
dt { color: var(--soft); } dd { margin: 0; }
ul { margin: 0; padding: 0; list-style: none; }
details summary { cursor: pointer; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: .3rem .75rem .3rem 0; border-top: 1px solid var(--line); }
th { font-weight: 500; color: var(--soft); overflow-wrap: normal; hyphens: none; }
td { overflow-wrap: break-word; }
.wide { overflow-x: auto; }
td.number, th.number { text-align: right; }
@media (max-width: 34rem) {
  body { margin: 1rem auto; }
  dl { grid-template-columns: 1fr; gap: 0; } dt { margin-top: .35rem; font-size: .85rem; }
  th, td { padding-right: .5rem; font-size: .9rem; } th { font-size: .75rem; }
}
@media print { body { margin: 0; } }
`;

/** The whole page as text. */
export function reportPage(report: Report): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Hartbeat: what is shown about this kernel</title>
<style>${STYLE}</style>
<h1>What is shown about this kernel</h1>
<p class="soft">kernel.wasm, ${count(report.kernel.bytes)} bytes, SHA-256 <code>${escape(report.kernel.sha256)}</code></p>
<p class="soft">Made ${escape(report.made)}. Only what was run on this very kernel counts.</p>
${figures(report)}
<h2>The contract, clause by clause</h2>
${report.clauses.map((row) => clauseBlock(row, report)).join("\n")}
<h2>Breaks</h2>
${section(report.breaks, (breaks) => breakTable("each break before the checks of its clause", breaks))}
<h2>Matrix: clause, break, scenario</h2>
${section(report.matrix, (breaks) => breakTable("each break before each proof that is listed for its clause", breaks))}
<h2>Mutants</h2>
${section(report.mutants, mutantTable)}
<h2>Coverage</h2>
${section(report.coverage, coverageTable)}
<h2>Boots and soaks</h2>
${section(report.soaks, soakTable)}
<h2>Costs of operations</h2>
${section(report.costs, costTable)}
</html>
`;
}

function figures(report: Report): string {
  const explored = report.clauses.filter((row) => row.explored.length > 0).length;
  const scenarios = new Map(report.clauses.flatMap(({ explored: all }) => all.map((one) => [one.name, one.states])));
  const states = [...scenarios.values()].reduce((sum, one) => sum + one, 0);
  const mutants = report.mutants.kind === "known" ? countMutants(report.mutants.value) : null;
  const red = (rows: Section<readonly BreakResult[]>): string =>
    rows.kind === "known"
      ? `${rows.value.filter(({ outcome }) => outcome === "red").length} of ${rows.value.length}`
      : "not run";
  const items: [string, string][] = [
    [`${explored} of ${report.clauses.length}`, "clauses with a scenario explored"],
    [count(states), `states of ${scenarios.size} scenarios`],
    [red(report.breaks), "breaks found"],
    [mutants === null ? "not run" : `${count(mutants.killed)} of ${count(sumOf(mutants))}`, "mutants killed"],
    [count(bootsOnVirt(report)), "boots on virt passed"],
  ];
  return `<ul class="figures">${items.map(([value, caption]) => `<li><b>${escape(value)}</b>${escape(caption)}</li>`).join("")}</ul>`;
}

const sumOf = ({ killed, survived, equivalent, other }: ReturnType<typeof countMutants>): number =>
  killed + survived + equivalent + other;

function clauseBlock(row: ClauseRow, report: Report): string {
  const explored = row.explored.map(
    ({ name, tier, states, transitions }) =>
      `<li><span class="good">✓</span> ${escape(name)} <span class="soft">(${tier}, ${count(states)} states, ${count(transitions)} transitions)</span></li>`,
  );
  const left =
    row.unexplored.length === 0
      ? []
      : [
          `<li><span class="open">? not explored:</span> <code>npx hartbeat explore --kernel ${escape(row.unexplored.join(" "))}</code></li>`,
        ];
  const named = row.others.map((check) => {
    const title = check.kind === "test" ? `test “${escape(check.title)}”, ` : "";
    return `<li>${title}<code>${escape(nameOfCheck(check))}</code></li>`;
  });
  const boots = bootsOnVirt(report);
  const onVirt =
    row.onVirt === null
      ? ""
      : `${escape(row.onVirt)} <span class="soft">(${boots === 0 ? "no boot of this image on record" : `${count(boots)} boots`})</span>`;
  const rows: [string, string][] = [
    ["sim", listOf([...explored, ...left])],
    ["gates, tests", listOf(named)],
    ["virt", onVirt],
    ["breaks", breaksOf(row.breaks, report.breaks)],
    ["matrix", row.matrix.length === 0 ? "" : breaksOf(row.matrix, report.matrix)],
    ["mutants", mutantsOfClause(row, report)],
  ];
  const shown = rows.filter(([, cell]) => cell !== "").map(([head, cell]) => `<dt>${head}</dt><dd>${cell}</dd>`);
  return `<article id="${escape(row.clause)}"><h3><code>${escape(row.clause)}</code>${escape(row.label)}</h3><dl>${shown.join("")}</dl></article>`;
}

function breaksOf(breaks: readonly BreakResult[], all: Report["breaks"]): string {
  const label = breakLabel(breaks);
  if (label === null) return all.kind === "known" ? `<span class="open">no break tried</span>` : notRun(all);
  const items = breaks.map(
    ({ title, outcome, by }) => `<li>${mark(outcome)} ${escape(title)}${by === null ? "" : `: ${escape(by)}`}</li>`,
  );
  return `<details><summary>${escape(label)}</summary>${listOf(items)}</details>`;
}

function mutantsOfClause(row: ClauseRow, { mutants }: Report): string {
  if (mutants.kind !== "known") return "";
  return row.mutants.length === 0 ? `<span class="soft">none yet</span>` : `${count(row.mutants.length)} killed`;
}

function breakTable(about: string, breaks: readonly BreakResult[]): string {
  const rows = breaks.map(({ clause, title, outcome, by }) => [
    `<code>${escape(clause)}</code>`,
    escape(title),
    `${mark(outcome)} ${escape(by ?? "")}`,
  ]);
  return `<p class="soft">${escape(about)}</p><details><summary>${count(breaks.length)} results</summary>${table(["clause", "break", "by"], rows)}</details>`;
}

function mutantTable(mutants: Parameters<typeof countMutants>[0]): string {
  const files = [...new Set(mutants.map(fileOf))].toSorted();
  const rows = files.map((file) => {
    const counts = countMutants(mutants.filter((one) => fileOf(one) === file));
    return [escape(file), ...[counts.killed, counts.survived, counts.equivalent, counts.other].map(count)];
  });
  return table(["file", "killed", "survived", "equivalent", "no verdict"], rows, 1);
}

/** `dispatch/dispatchNext dispatch.ts:61 offset 1`: dispatch.ts. */
function fileOf({ id }: { readonly id: string }): string {
  return /(\S+?):\d+/.exec(id)?.[1] ?? id;
}

function coverageTable(files: readonly { file: string; lines: Share; explored: Share }[]): string {
  const rows = files.map(({ file, lines, explored }) => [
    escape(file),
    `${count(lines.reached)} of ${count(lines.of)}`,
    `${count(explored.reached)} of ${count(explored.of)}`,
  ]);
  return table(["file", "lines reached", "in every interleaving of something"], rows, 1);
}

interface Share {
  readonly reached: number;
  readonly of: number;
}

function soakTable(soaks: Extract<Report["soaks"], { kind: "known" }>["value"]): string {
  const rows = soaks.map(({ title, passed, runs, failed, isCurrent }) => [
    `${escape(title)}${isCurrent ? "" : ` <span class="open">(another image)</span>`}`,
    `${count(passed)} of ${count(runs)}`,
    failed === 0 ? "0" : `<span class="bad">${count(failed)}</span>`,
  ]);
  return table(["what", "passed", "failed"], rows, 1);
}

function costTable(costs: Extract<Report["costs"], { kind: "known" }>["value"]): string {
  const rows = costs.map(({ operation, accesses, scenario }) => [
    `<code>${escape(operation)}</code>`,
    escape(scenario),
    count(accesses),
  ]);
  const about = `<p class="soft">The most atomic accesses that one call takes, over all interleavings of the scenarios.</p>`;
  return about + table(["operation", "at worst in", "accesses"], rows, 2);
}

function section<T>(part: Section<T>, show: (value: T) => string): string {
  return part.kind === "known" ? show(part.value) : `<p>${notRun(part)}</p>`;
}

function notRun({ command, stale }: Extract<Section<never>, { kind: "not-run" }>): string {
  const label = stale ? "not run on this kernel (on another one)" : "not run";
  return `<span class="open">${label}:</span> <code>${escape(command)}</code>`;
}

function mark(outcome: BreakResult["outcome"]): string {
  switch (outcome) {
    case "red":
      return `<span class="good">✓</span>`;
    case "green":
      return `<span class="bad">✗ not found</span>`;
    case "refused":
    case "skipped":
      return `<span class="open">? ${outcome}</span>`;
    default:
      return outcome satisfies never;
  }
}

const count = (value: number): string => value.toLocaleString("en-US");
const listOf = (items: readonly string[]): string => (items.length === 0 ? "" : `<ul>${items.join("")}</ul>`);

/** Cells are HTML; those from column `numbersFrom` on are numbers. */
function table(heads: readonly string[], rows: readonly (readonly string[])[], numbersFrom = heads.length): string {
  const cell = (tag: string, text: string, index: number): string =>
    `<${tag}${index >= numbersFrom ? ' class="number"' : ""}>${text}</${tag}>`;
  const line = (tag: string, cells: readonly string[]): string =>
    `<tr>${cells.map((text, index) => cell(tag, text, index)).join("")}</tr>`;
  return `<div class="wide"><table>${line("th", heads.map(escape))}${rows.map((cells) => line("td", cells)).join("")}</table></div>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

export function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}
