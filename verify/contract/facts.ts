// Facts: what the code holds of each clause: the places in the kernel, the scenarios, gates, tests and breaks.
//
// Owner: none; reads the sources. Pairs with: document.ts, which compares docs/contract.md with these.

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { scenarios } from "../scenarios/suite.ts";
import { allChecks } from "../clauses/index.ts";
import { OTHER_CHECKS } from "../../proof/clauses.ts";
import type { Break } from "../breaks/break.ts";
import { plantsOf } from "../breaks/plants.ts";
import { BREAKS } from "../breaks/table.ts";
import { SUPPORTS } from "../matrix/supports.ts";
import { CLAUSE_IDS, type ClauseId } from "../clause-id.ts";
import { type SourceCitations, citationsIn, inOrder } from "./citations.ts";

const CHECKS_FOLDER = "verify/clauses";

/** Names, each as docs/contract.md lists it. */
export interface ClauseFacts {
  /** `file.ts`: `function`, `function`. */
  readonly kernel: readonly string[];
  readonly scenarios: readonly string[];
  readonly gates: readonly string[];
  readonly tests: readonly string[];
  readonly breaks: readonly string[];
}

export type ContractFacts = ReadonlyMap<ClauseId, ClauseFacts>;

const code = (name: string): string => `\`${name}\``;

/** The kernel's own sources and what their comments cite. root: the package's folder. */
export async function kernelCitations(root: string): Promise<ReadonlyMap<string, SourceCitations>> {
  const names = (await readdir(join(root, "kernel"))).filter((name) => /^[\w-]+\.ts$/.test(name)).toSorted();
  const texts = await Promise.all(names.map((name) => readFile(join(root, "kernel", name), "utf8")));
  return new Map(names.map((name, i) => [name, citationsIn(texts[i] ?? "")]));
}

/** One line for each kernel source whose header and comments disagree, or that cites wrongly. */
export function citationMistakes(sources: ReadonlyMap<string, SourceCitations>): readonly string[] {
  return [...sources].flatMap(([name, { header, body, mistakes }]) => {
    const carried = inOrder(body.map(({ clause }) => clause));
    const extra = header.filter((id) => !carried.includes(id));
    const missing = carried.filter((id) => !header.includes(id));
    return [
      ...mistakes,
      ...extra.map((id) => `its header lists ${id}, which no comment in it carries`),
      ...missing.map((id) => `a comment in it carries ${id}, which its header does not list`),
    ].map((message) => `kernel/${name}: ${message}`);
  });
}

export async function contractFacts(root: string): Promise<ContractFacts> {
  const sources = await kernelCitations(root);
  const fileOf = await checkFiles(root);
  return new Map(
    CLAUSE_IDS.map((clause) => {
      const others = OTHER_CHECKS[clause] ?? [];
      const checks = allChecks.filter((one) => one.clause === clause);
      return [
        clause,
        {
          kernel: [...sources].flatMap(([name, { body }]) => {
            const symbols = body.filter((one) => one.clause === clause).map(({ symbol }) => code(symbol));
            return symbols.length === 0 ? [] : [`${code(name)}: ${symbols.join(", ")}`];
          }),
          scenarios: scenarios.filter(({ clauses }) => clauses.includes(clause)).map(({ name }) => code(name)),
          gates: others.flatMap((one) => (one.kind === "gate" ? [`${code(one.name)} in ${code(one.file)}`] : [])),
          tests: [
            ...checks.map(({ title }) => `${code(title)} in ${code(fileOf(title))}`),
            ...others.flatMap((one) => {
              const isListed = one.kind !== "test" || checks.some(({ title }) => title === one.title);
              return isListed ? [] : [`${code(one.title)} in ${code(one.file)}`];
            }),
          ],
          breaks: BREAKS.filter(({ clauses }) => clauses.includes(clause)).map((one) => describeBreak(clause, one)),
        },
      ];
    }),
  );
}

/** Scenarios that a row names; of more it gives the number. */
const NAMED_MAX = 4;

/** A break, where another kernel had it, and which scenarios it must turn red: those that plant it, those of supports.ts. */
function describeBreak(clause: ClauseId, one: Break): string {
  const source = one.source === undefined ? "" : ` (${one.source})`;
  return code(one.title) + source + effectOf(clause, one);
}

function effectOf(clause: ClauseId, one: Break): string {
  const plants = plantsOf(one).map(({ scenario }) => code(scenario.name));
  if (plants.length > 0) return `, planted by ${plants.join(", ")}`;
  const names = SUPPORTS.filter((support) => support.clause === clause && support.break === one.title).flatMap(
    (support) => support.scenarios,
  );
  if (names.length === 0) return "";
  return names.length > NAMED_MAX ? `, red in ${names.length} scenarios` : `, red in ${names.map(code).join(", ")}`;
}

/** In which file of the checks a title stands. */
async function checkFiles(root: string): Promise<(title: string) => string> {
  const names = (await readdir(join(root, CHECKS_FOLDER))).filter((name) => name.endsWith(".ts")).toSorted();
  const texts = await Promise.all(names.map((name) => readFile(join(root, CHECKS_FOLDER, name), "utf8")));
  return (title) => {
    const at = texts.findIndex((text) => text.includes(JSON.stringify(title)));
    return at < 0 ? CHECKS_FOLDER : `${CHECKS_FOLDER}/${names[at]}`;
  };
}
