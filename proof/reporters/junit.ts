// JUnit reporter: one test case a run, for the dashboards that read this format.
//
// What covers which clause of the contract stands in the suite's properties. It is written whole at the end, since the counts stand at its head. A run that is neither shown nor refuted is
// an error there: JUnit's "skipped" would let it pass.

import { nameOfCheck } from "../clauses.ts";
import { type Reporter, type Sink, type ClauseCoverage, runTitle, verdictMessage } from "../proof-event.ts";
import type { Verdict } from "../verdict.ts";

export function junitReporter(write: Sink): Reporter {
  const cases: string[] = [];
  let properties: readonly string[] = [];
  return (event) => {
    if (event.kind === "covered") properties = propertiesOf(event.coverage);
    if (event.kind === "run-ended") {
      const seconds = ((event.report.lastMarkerMilliseconds ?? 0) / 1000).toFixed(3);
      const attributes = `classname="hartbeat.${event.run.machine}" name="${escapeXml(runTitle(event.run))}" time="${seconds}"`;
      const body = bodyOf(event.report.verdict, event.report.console, event.run.replay);
      cases.push(body === "" ? `  <testcase ${attributes}/>` : `  <testcase ${attributes}>\n${body}  </testcase>`);
    }
    if (event.kind === "ended") {
      const { runs, failed, inconclusive, notRun } = event.summary;
      const counts = `tests="${runs}" failures="${failed}" errors="${inconclusive + notRun}"`;
      const missing = notRun > 0 ? [notRunCase(notRun)] : [];
      write(
        [
          '<?xml version="1.0" encoding="UTF-8"?>',
          `<testsuite name="hartbeat prove" ${counts}>`,
          ...properties,
          ...cases,
          ...missing,
        ]
          .concat("</testsuite>", "")
          .join("\n"),
      );
    }
  };
}

function propertiesOf({ kernel, clauses }: ClauseCoverage): string[] {
  const property = (name: string, value: string): string =>
    `    <property name="${escapeXml(name)}" value="${escapeXml(value)}"/>`;
  const lines = clauses.map(({ clause, explored, unexplored, others }) => {
    const parts = [
      ...explored.map(({ name, tier, states }) => `${name} (${tier}, ${states} states)`),
      ...unexplored.map((name) => `${name} (not explored)`),
      ...others.map(nameOfCheck),
    ];
    return property(`clause ${clause}`, parts.join("; "));
  });
  return ["  <properties>", property("kernel sha256", kernel), ...lines, "  </properties>"];
}

function bodyOf(verdict: Verdict, console: readonly string[], replay: string): string {
  if (verdict.kind === "passed") return "";
  const element = verdict.kind === "failed" ? "failure" : "error";
  const message = escapeXml(verdictMessage(verdict));
  const output = escapeXml([...console, "", replay].join("\n"));
  return `    <${element} message="${message}"/>\n    <system-out>${output}</system-out>\n`;
}

function notRunCase(count: number): string {
  return `  <testcase classname="hartbeat" name="runs that never began"><error message="${count} not run"/></testcase>`;
}

/** XML text; characters that XML cannot carry become U+FFFD. */
function escapeXml(text: string): string {
  return text
    .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, "\ufffd")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
