// Suite file: what an exploration of the kernel that stopped has left to do, in its run's folder: `suite.json`, and
// beside it the search of each scenario that was in progress.
//
// Invariant: it goes on only with the very kernel and harness that it began with; what has ended is not in it.
// Partners: explore-kernel.ts writes and resumes it; explore/search/resume.ts has the searches' format.

import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type SearchState, decodeSearch, searchParts } from "../explore/search/resume.ts";
import type { Scenario, Tier } from "../verify/scenarios/scenario.ts";
import type { Identity } from "./certificate-store.ts";
import { readInput } from "./input-file.ts";
import { writeParts, writeWhole } from "./output-file.ts";

const SUITE_FORMAT = "hartbeat-kernel-suite";

export interface SavedSuite {
  readonly tier: Tier;
  readonly identity: Identity;
  /** Names of the scenarios that were asked for, and of those that have not ended. */
  readonly asked: readonly string[];
  readonly left: readonly string[];
}

export type LoadedSuite =
  { readonly kind: "loaded"; readonly suite: SavedSuite } | { readonly kind: "usage"; readonly message: string };

export function saveSuite(folder: string, suite: SavedSuite): void {
  const saved = { format: SUITE_FORMAT, version: 1, ...suite };
  writeWhole(suiteFile(folder), `${JSON.stringify(saved, null, 2)}\n`);
}

export function loadSuite(folder: string): LoadedSuite {
  const file = suiteFile(folder);
  const input = readInput(file);
  if (input.kind !== "read") return { kind: "usage", message: `${input.message}; --resume takes the folder of a run` };
  const suite = parse(new TextDecoder().decode(input.bytes));
  return suite === undefined
    ? { kind: "usage", message: `${file}: this is not an exploration of the kernel that was stopped` }
    : { kind: "loaded", suite };
}

export function saveSearch(folder: string, scenario: Scenario, search: SearchState): void {
  writeParts(searchFile(folder, scenario), searchParts(search));
}

/** undefined: there is none that is whole, so the scenario begins again. */
export function loadSearch(folder: string, scenario: Scenario): SearchState | undefined {
  const file = searchFile(folder, scenario);
  if (!existsSync(file)) return undefined;
  const input = readInput(file);
  return input.kind === "read" ? decodeSearch(input.bytes) : undefined;
}

export function dropSearch(folder: string, scenario: Scenario): void {
  rmSync(searchFile(folder, scenario), { force: true });
}

/** Nothing is left to do. */
export function dropSuite(folder: string): void {
  rmSync(suiteFile(folder), { force: true });
}

const suiteFile = (folder: string): string => join(folder, "suite.json");
const searchFile = (folder: string, { name }: Scenario): string => join(folder, `${name}.search.bin`);

function parse(text: string): SavedSuite | undefined {
  try {
    const value = JSON.parse(text) as (Partial<SavedSuite> & { format?: unknown; version?: unknown }) | null;
    if (value?.format !== SUITE_FORMAT || value.version !== 1) return undefined;
    const { tier, identity, asked, left } = value;
    if (tier === undefined || identity === undefined || !Array.isArray(asked) || !Array.isArray(left)) return undefined;
    return { tier, identity, asked, left };
  } catch {
    return undefined;
  }
}
