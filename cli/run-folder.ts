// Run folder: where a run that did not pass leaves its console and its evidence, `.hartbeat/runs/<id>/`.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type RunName, runTitle, verdictMessage } from "../proof/proof-event.ts";
import type { ProofRunReport } from "../proof/proof-run.ts";

/** Writes `console.log`, `evidence.txt` and `verdict.json`; hands back the folder, relative to the working folder. */
export function keepRun(session: string, name: RunName, report: ProofRunReport): string {
  const folder = join(sessionFolder(session), runTitle(name).replaceAll(/[ =]/g, "-"));
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "console.log"), toText(report.console));
  writeFileSync(join(folder, "evidence.txt"), toText(report.evidence));
  const verdict = { run: runTitle(name), verdict: verdictMessage(report.verdict), replay: name.replay };
  writeFileSync(join(folder, "verdict.json"), `${JSON.stringify(verdict, null, 2)}\n`);
  return folder;
}

/** Where everything that one command keeps lies. */
export function sessionFolder(session: string): string {
  return join(".hartbeat", "runs", session);
}

/** `20260131-235959-4711`: sorts by time, and two commands at once differ. */
export function sessionId(now: Date): string {
  const stamp = now.toISOString().replaceAll(/[-:]/g, "").replace("T", "-").slice(0, 15);
  return `${stamp}-${process.pid}`;
}

function toText(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}
