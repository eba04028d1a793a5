// Reporter choice: `--reporter list,json=out.ndjson,junit`, read and opened.
//
// The first reporter without a file has stdout; each further one without a file gets one beside the run's
// artifacts, and stderr states where.

import { mkdirSync, openSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { styleText } from "node:util";
import { InvalidArgumentError } from "commander";
import type { Reporter, Sink } from "../proof/proof-event.ts";
import { jsonReporter } from "../proof/reporters/json.ts";
import { junitReporter } from "../proof/reporters/junit.ts";
import { listReporter } from "../proof/reporters/list.ts";
import { progressReporter } from "./progress-line.ts";

const FILE_NAMES = { list: "report.txt", json: "report.ndjson", junit: "report.xml" } as const;

export type ReporterName = keyof typeof FILE_NAMES;

export interface ReporterChoice {
  readonly name: ReporterName;
  /** null: stdout, or a file of its own where stdout is taken. */
  readonly file: string | null;
}

export function parseReporters(text: string): ReporterChoice[] {
  return text.split(",").map((part) => {
    const [name = "", ...rest] = part.split("=");
    if (!isReporterName(name)) {
      throw new InvalidArgumentError(`There is no reporter "${name}": choose from list, json and junit.`);
    }
    if (rest.length > 0 && rest.join("=") === "") throw new InvalidArgumentError(`Name a file after "${name}=".`);
    return { name, file: rest.length > 0 ? rest.join("=") : null };
  });
}

/** One reporter that informs all chosen ones; `folder` is for those that find stdout taken. */
export function openReporters(choices: readonly ReporterChoice[], folder: string): Reporter {
  let stdoutIsFree = true;
  const reporters = choices.map(({ name, file }) => {
    if (file === null && stdoutIsFree) {
      stdoutIsFree = false;
      return createReporter(name, (text) => process.stdout.write(text), process.stdout);
    }
    const path = file ?? join(folder, FILE_NAMES[name]);
    if (file === null) process.stderr.write(`${name} report: ${path}\n`);
    return createReporter(name, openFile(path), null);
  });
  // First, so that its line is gone before another reporter writes.
  reporters.unshift(progressReporter(process.stderr));
  return (event) => {
    for (const reporter of reporters) reporter(event);
  };
}

function createReporter(name: ReporterName, write: Sink, stream: NodeJS.WriteStream | null): Reporter {
  switch (name) {
    case "list":
      return listReporter(
        write,
        (format, text) => (stream === null ? text : styleText(format, text, { stream })),
        stream?.isTTY ? stream.columns : undefined,
      );
    case "json":
      return jsonReporter(write);
    case "junit":
      return junitReporter(write);
    default:
      return name satisfies never;
  }
}

function openFile(path: string): Sink {
  mkdirSync(dirname(path), { recursive: true });
  const file = openSync(path, "w");
  return (text) => {
    writeSync(file, text);
  };
}

function isReporterName(name: string): name is ReporterName {
  return Object.hasOwn(FILE_NAMES, name);
}
