// Report lines: the report as plain text, a line a clause, then a line or a few for each section.
//
// Owner: none, pure. Partners: report-data.ts, cli/report.ts.

import { nameOfCheck } from "../clauses.ts";
import { type BreakResult, type Report, type Section, bootsOnVirt, breakLabel, countMutants } from "./report-data.ts";

export function reportLines(report: Report): string[] {
  return [
    `kernel.wasm  ${report.kernel.bytes} bytes  sha256 ${report.kernel.sha256}`,
    "",
    ...report.clauses.flatMap((row) => {
      const { explored, unexplored, others } = row;
      const known = explored.map(({ name, states }) => `${name} (${states} states)`);
      const named = others.map(nameOfCheck);
      const breaks = breakLabel(row.breaks);
      const matrix = breakLabel(row.matrix);
      const mutants = row.mutants.length === 0 ? [] : [`mutants: ${row.mutants.length} killed`];
      const parts = [
        ...(known.length + named.length === 0 ? [] : [[...known, ...named].join(", ")]),
        ...(unexplored.length === 0 ? [] : [`not explored: ${unexplored.join(", ")}`]),
        ...(row.onVirt === null ? [] : [`virt: ${row.onVirt}`]),
        ...(breaks === null ? [] : [`breaks: ${breaks}`]),
        ...(matrix === null ? [] : [`breaks before the proofs of this clause: ${matrix}`]),
        ...mutants,
      ];
      return [`${row.clause}  ${row.label}`, ...parts.map((part) => `    ${part}`)];
    }),
    "",
    ...sectionLines("breaks", report.breaks, breakLines),
    ...sectionLines("matrix", report.matrix, (pairs) => {
      const red = pairs.filter(({ outcome }) => outcome === "red").length;
      return [`${red} of ${pairs.length} pairs of a break and a proof red`];
    }),
    ...sectionLines("mutants", report.mutants, (mutants) => {
      const { killed, survived, equivalent, other } = countMutants(mutants);
      return [`${killed} killed, ${survived} survived, ${equivalent} equivalent, ${other} without a verdict`];
    }),
    ...sectionLines("coverage", report.coverage, (files) => {
      const sum = (pick: (file: (typeof files)[number]) => number): number =>
        files.reduce((total, file) => total + pick(file), 0);
      return [`${sum(({ lines }) => lines.reached)} of ${sum(({ lines }) => lines.of)} lines`];
    }),
    ...sectionLines("soaks", report.soaks, (soaks) =>
      soaks.map(
        ({ title, passed, runs, isCurrent }) =>
          `${title}: ${passed} of ${runs} passed${isCurrent ? "" : " (another image)"}`,
      ),
    ),
    `boots on virt: ${bootsOnVirt(report)} of this image passed`,
    ...sectionLines("costs", report.costs, (costs) =>
      costs.map(({ operation, accesses, scenario }) => `${operation} ${accesses} atomic accesses (${scenario})`),
    ),
  ];
}

function breakLines(breaks: readonly BreakResult[]): string[] {
  const open = breaks.filter(({ outcome }) => outcome !== "red");
  const summary = `${breaks.length - open.length} of ${breaks.length} red`;
  return [summary, ...open.map(({ clause, title, outcome }) => `${clause} ${title}: ${outcome}`)];
}

function sectionLines<T>(name: string, section: Section<T>, show: (value: T) => readonly string[]): string[] {
  if (section.kind === "known") {
    const [first = "none", ...rest] = show(section.value);
    return [`${name}: ${first}`, ...rest.map((line) => `    ${line}`)];
  }
  return [`${name}: not run${section.stale ? " on this kernel" : ""}: ${section.command}`];
}
