// JUnit reporter: one test case a run, for the dashboards that read this format.
//
// It is written whole at the end, since the counts stand at its head. A run that is neither shown nor refuted is
// an error there: JUnit's "skipped" would let it pass.

import { type Reporter, type Sink, runTitle, verdictWords } from "../proof-event.ts";
import type { Verdict } from "../verdict.ts";

export function junitReporter(write: Sink): Reporter {
  const cases: string[] = [];
  return (event) => {
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
        ['<?xml version="1.0" encoding="UTF-8"?>', `<testsuite name="hartbeat prove" ${counts}>`, ...cases, ...missing]
          .concat("</testsuite>", "")
          .join("\n"),
      );
    }
  };
}

function bodyOf(verdict: Verdict, console: readonly string[], replay: string): string {
  if (verdict.kind === "passed") return "";
  const element = verdict.kind === "failed" ? "failure" : "error";
  const message = escapeXml(verdictWords(verdict));
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
