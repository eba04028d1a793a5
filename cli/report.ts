// hartbeat report: what is known about today's kernel, from what the other commands have kept. Runs nothing itself.
//
// Partners: report-sources.ts reads; proof/report/ puts together and prints.

import { type Command, InvalidArgumentError } from "commander";
import { reportLines } from "../proof/report/report-lines.ts";
import { reportPage } from "../proof/report/report-page.ts";
import { reportOf } from "../proof/report/report-data.ts";
import { identityOf } from "./certificate-store.ts";
import { writeWhole } from "./output-file.ts";
import type { CommandEnding } from "./exit-code.ts";
import { findParts } from "./kernel-parts.ts";
import { readSources } from "./report-sources.ts";

interface ReportFlags {
  readonly html?: string;
  readonly json?: true;
}

export function addReport(program: Command, end: (ending: CommandEnding) => void): void {
  program
    .command("report")
    .description("show what is known about this kernel: clauses, what proves each, breaks, mutants, boots, costs")
    .option("--html <file>", "one self-contained page instead of text", parsePage)
    .option("--json", "one JSON object instead of text")
    .action(async (flags: ReportFlags) => end(await report(flags)));
}

async function report({ html, json }: ReportFlags): Promise<CommandEnding> {
  if (html !== undefined && json === true) return { kind: "usage", message: "--html and --json exclude each other" };
  const found = await findParts();
  if (found.kind !== "ready") return found;
  const { parts } = found;
  const made = new Date().toISOString().slice(0, 16).replace("T", " ");
  const whole = reportOf(readSources(identityOf(parts), parts.kernel.length, `${made} UTC`));
  if (html !== undefined) {
    try {
      writeWhole(html, reportPage(whole));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return { kind: "usage", message: `${html}: it cannot be written (${reason}); name another file` };
    }
    process.stdout.write(`${html}\n`);
    return { kind: "done" };
  }
  const text = json === true ? [JSON.stringify(whole)] : reportLines(whole);
  process.stdout.write(`${text.join("\n")}\n`);
  return { kind: "done" };
}

function parsePage(file: string): string {
  if (!/\.html?$/.test(file)) throw new InvalidArgumentError("Name a file that ends in .html.");
  return file;
}
