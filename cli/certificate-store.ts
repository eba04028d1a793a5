// Certificate store: what was shown of which kernel, `.hartbeat/certificates/<kernel>-<harness>/<scenario>.<tier>.json`,
// a page beside each.
//
// The folder's name is the beginning of both artifacts' SHA-256; inside, a certificate counts only where it carries the
// whole hashes and asks what the scenario asks today, bounds included. So nothing old is taken for new.
// Owner: `explore --kernel` writes, `prove` reads. Invariant: at most FOLDERS_MAX kernels are kept, the newest.

import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { CERTIFICATE_FORMAT } from "../explore/report/certificate.ts";
import type { Parts } from "../verify/scenarios/parts.ts";
import type { KernelCertificate } from "../verify/scenarios/run.ts";
import type { Scenario, Tier } from "../verify/scenarios/scenario.ts";
import { questionOf, threadsOf } from "../verify/scenarios/scenario.ts";
import type { Explored } from "../proof/clauses.ts";
import { sha256Of } from "../toolchain/sha256.ts";
import { writeWhole } from "./output-file.ts";

const ROOT = join(".hartbeat", "certificates");
const FOLDERS_MAX = 8;
const HASH_DIGITS = 16;

/** SHA-256 of the kernel's artifact and of the harness that drives it, hexadecimal. */
export interface Identity {
  readonly kernel: string;
  readonly harness: string;
}

export function identityOf({ kernel, harness }: Parts): Identity {
  return { kernel: sha256Of(kernel), harness: sha256Of(harness) };
}

export function certificateFolder({ kernel, harness }: Identity): string {
  return join(ROOT, `${kernel.slice(0, HASH_DIGITS)}-${harness.slice(0, HASH_DIGITS)}`);
}

/** Whether anything is kept about a kernel, whatever harness drove it. */
export function isAnythingKept(kernel: string): boolean {
  return foldersKept().some((name) => name.startsWith(kernel.slice(0, HASH_DIGITS)));
}

export function keepCertificate(certificate: KernelCertificate, page: string): void {
  const folder = certificateFolder({ kernel: certificate.kernel.sha256, harness: certificate.harness.sha256 });
  mkdirSync(folder, { recursive: true });
  const now = new Date();
  utimesSync(folder, now, now);
  dropOldest();
  const file = fileOf(folder, certificate.scenario, certificate.tier);
  writeWhole(`${file}.json`, `${JSON.stringify(certificate, null, 2)}\n`);
  writeWhole(`${file}.html`, page);
}

/** What was shown before is refuted now. */
export function dropCertificate(identity: Identity, scenario: string, tier: Tier): void {
  const file = fileOf(certificateFolder(identity), scenario, tier);
  for (const ending of [".json", ".html"]) rmSync(`${file}${ending}`, { force: true });
}

export interface KeptCertificates {
  /** Of each scenario the one of the full tier, else that of the fast one. */
  readonly certificates: ReadonlyMap<string, KernelCertificate>;
  /** Files that are no certificates: cut short, or not ours. */
  readonly unreadable: readonly string[];
}

/** What is kept about these artifacts, as far as it answers what the scenarios ask today. */
export function readCertificates(identity: Identity, scenarios: readonly Scenario[]): KeptCertificates {
  const folder = certificateFolder(identity);
  const certificates = new Map<string, KernelCertificate>();
  const unreadable: string[] = [];
  for (const scenario of scenarios)
    for (const tier of ["full", "fast"] as const) {
      if (certificates.has(scenario.name) || threadsOf(scenario, tier) === undefined) continue;
      const file = `${fileOf(folder, scenario.name, tier)}.json`;
      const text = readText(file);
      if (text === undefined) continue;
      const certificate = parse(text);
      if (certificate === undefined) unreadable.push(file);
      else if (isAbout(certificate, identity, scenario, tier)) certificates.set(scenario.name, certificate);
    }
  return { certificates, unreadable };
}

/** As facts about clauses need it. */
export function exploredIn({ certificates }: KeptCertificates): ReadonlyMap<string, Explored> {
  return new Map([...certificates].map(([name, { tier, states }]) => [name, { name, tier, states }]));
}

function isAbout(
  certificate: Partial<KernelCertificate>,
  identity: Identity,
  scenario: Scenario,
  tier: Tier,
): certificate is KernelCertificate {
  return (
    certificate.kernel?.sha256 === identity.kernel &&
    certificate.harness?.sha256 === identity.harness &&
    certificate.scenario === scenario.name &&
    certificate.tier === tier &&
    typeof certificate.states === "number" &&
    JSON.stringify(certificate.target) === JSON.stringify(questionOf(scenario, tier))
  );
}

function parse(text: string): Partial<KernelCertificate> | undefined {
  try {
    // Every field may be missing: the file is only as good as whoever wrote it.
    const value = JSON.parse(text) as Partial<KernelCertificate> | null;
    return value?.format === CERTIFICATE_FORMAT && value.version === 1 ? value : undefined;
  } catch {
    return undefined;
  }
}

/** undefined: it is not there, or it cannot be read. */
function readText(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

const fileOf = (folder: string, scenario: string, tier: Tier): string => join(folder, `${scenario}.${tier}`);

function foldersKept(): string[] {
  try {
    return readdirSync(ROOT);
  } catch {
    return [];
  }
}

function dropOldest(): void {
  const byAge = foldersKept()
    .map((name) => ({ path: join(ROOT, name), time: statSync(join(ROOT, name), { throwIfNoEntry: false })?.mtimeMs }))
    .toSorted((a, b) => (b.time ?? 0) - (a.time ?? 0));
  for (const { path } of byAge.slice(FOLDERS_MAX)) rmSync(path, { recursive: true, force: true });
}
