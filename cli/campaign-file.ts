// Campaign file: what an exploration of the kernel that stopped has left to do, in its run's folder: `campaign.json`, and
// beside it the search of each scenario that was in progress.
//
// Invariant: it goes on only with the very kernel and harness that it began with; what has ended is not in it.
// Partners: explore-kernel.ts writes and takes it up; explore/resume.ts has the searches' format.

import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type SearchState, decodeSearch, encodeSearch } from "../explore/resume.ts";
import type { Scenario, Tier } from "../verify/scenarios/scenario.ts";
import type { Identity } from "./certificate-store.ts";
import { writeWhole } from "./counterexample-file.ts";
import { readInput } from "./input-file.ts";

const CAMPAIGN_FORMAT = "hartbeat-kernel-campaign";

export interface SavedCampaign {
  readonly tier: Tier;
  readonly identity: Identity;
  /** Names of the scenarios that were asked for, and of those that have not ended. */
  readonly asked: readonly string[];
  readonly left: readonly string[];
}

export type LoadedCampaign =
  { readonly kind: "loaded"; readonly campaign: SavedCampaign } | { readonly kind: "usage"; readonly message: string };

export function saveCampaign(folder: string, campaign: SavedCampaign): void {
  const saved = { format: CAMPAIGN_FORMAT, version: 1, ...campaign };
  writeWhole(campaignFile(folder), `${JSON.stringify(saved, null, 2)}\n`);
}

export function loadCampaign(folder: string): LoadedCampaign {
  const file = campaignFile(folder);
  const input = readInput(file);
  if (input.kind !== "read") return { kind: "usage", message: `${input.message}; --resume takes the folder of a run` };
  const campaign = parse(new TextDecoder().decode(input.bytes));
  return campaign === undefined
    ? { kind: "usage", message: `${file}: this is not an exploration of the kernel that was stopped` }
    : { kind: "loaded", campaign };
}

export function saveSearch(folder: string, scenario: Scenario, search: SearchState): void {
  writeWhole(searchFile(folder, scenario), encodeSearch(search));
}

/** undefined: there is none that is whole, so the scenario begins again. */
export function loadSearch(folder: string, scenario: Scenario): SearchState | undefined {
  const file = searchFile(folder, scenario);
  return existsSync(file) ? decodeSearch(new Uint8Array(readFileSync(file))) : undefined;
}

export function dropSearch(folder: string, scenario: Scenario): void {
  rmSync(searchFile(folder, scenario), { force: true });
}

/** Nothing is left to do. */
export function dropCampaign(folder: string): void {
  rmSync(campaignFile(folder), { force: true });
}

const campaignFile = (folder: string): string => join(folder, "campaign.json");
const searchFile = (folder: string, { name }: Scenario): string => join(folder, `${name}.search.bin`);

function parse(text: string): SavedCampaign | undefined {
  try {
    const value = JSON.parse(text) as (Partial<SavedCampaign> & { format?: unknown; version?: unknown }) | null;
    if (value?.format !== CAMPAIGN_FORMAT || value.version !== 1) return undefined;
    const { tier, identity, asked, left } = value;
    if (tier === undefined || identity === undefined || !Array.isArray(asked) || !Array.isArray(left)) return undefined;
    return { tier, identity, asked, left };
  } catch {
    return undefined;
  }
}
