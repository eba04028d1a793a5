// Counterexample file: `.hartbeat/runs/<id>/counterexample.json`, written and read.
//
// The id comes from the module and the schedule, so the same fault has the same file. Besides the counterexample the file
// states where its module was.

import { createHash } from "node:crypto";
import { join } from "node:path";
import { type Counterexample, parseCounterexample } from "../explore/report/counterexample.ts";
import { readInput } from "./input-file.ts";
import { writeWhole } from "./output-file.ts";
import { sessionFolder } from "./run-folder.ts";

export interface SavedCounterexample extends Counterexample {
  readonly module?: string;
}

/** Saves to `path`, or to the place that follows from the fault itself; hands back where. */
export function saveCounterexample(counterexample: Counterexample, module: string, path: string | undefined): string {
  const id = createHash("sha256")
    .update(counterexample.artifact.sha256)
    .update(JSON.stringify([counterexample.schedule, counterexample.target]))
    .digest("hex")
    .slice(0, 12);
  const file = path ?? join(sessionFolder(id), "counterexample.json");
  const saved: SavedCounterexample = { ...counterexample, module };
  writeWhole(file, `${JSON.stringify(saved, null, 2)}\n`);
  return file;
}

export type LoadedCounterexample =
  | { readonly kind: "loaded"; readonly counterexample: SavedCounterexample }
  | { readonly kind: "usage"; readonly message: string };

export function loadCounterexample(path: string): LoadedCounterexample {
  const input = readInput(path);
  if (input.kind !== "read") return input;
  const parsed = parseCounterexample(new TextDecoder().decode(input.bytes));
  return parsed.kind === "ok"
    ? { kind: "loaded", counterexample: parsed.counterexample }
    : { kind: "usage", message: `${path}: ${parsed.reason}` };
}
