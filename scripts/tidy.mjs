// Tidy: what a reader stumbles over, found by machine: words of our own, headers that name files which are not there,
// files that nothing uses, clocks without a row in docs/clocks.md, two files of one name, files that
// are too long (of TypeScript, and functions that are, oxlint finds).
//
// Owner: none; reads the files that git knows. Pairs with: tidy.test.mjs, which demands that there is nothing to report
// and plants a fault for each rule. `node scripts/tidy.mjs` prints the list.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { posix } from "node:path";
import { fileURLToPath } from "node:url";
import { root } from "./setup/step.mjs";

/**
 * Words that the field does not use in this sense, what it says instead, and where the rule holds: everywhere, only
 * inside some folders, or not in files that read what older versions have written.
 */
const TERMS = [
  [/\bcertain\(/, "assertDefined"],
  [/\b(?:tell|tells|told)\b/i, "report, print, distinguish, show"],
  [/\bvouch/i, "verify, cover"],
  [/\bletters?\b/i, "mailbox entry"],
  [/\bgauges?\b|\b[Mm]eter\b/, "cost counter"],
  [/\bspell(?:ed|s|ing|[A-Z]\w*|\()/, "format, print"],
  [/\b[vV]oid entr|\bVOID_/, "tombstone"],
  [/\b(?:desk|machine room|doors?|wish(?:es)?)\b/i, "reporter, machine factory, interface, pending QoS request"],
  [/\banew\b|\btak(?:es?|en) (?:it )?up\b(?! to)/i, "resume, restart, again"],
  [/\bHelperBook\b|\b(?:quietInStep|askOnTouch|restIsFinal)\b/, "the names of explore/"],
  [/\bbroke down\b/i, "failed"],
  [/\b(?:pieces?|legs?|books?)\b/i, "work item, search, builder"],
  [
    /\bwordsOf\w*\(|\bwords\??: (?:readonly )?(?:string|RegExp)|\bconst words = ["'`]|\bwords\) =>/,
    "message, label, args, text: a word is a machine word",
  ],
  [/\bnot(?:e|es|ed|ing)\b/i, "access summary, record, mark", { inside: /^explore\// }],
  [/\bquiet/i, "invisible", { inside: /^explore\// }],
  [
    /\b(?:un)?watched\b/i,
    "race-tracked, checked, handled",
    { except: /^explore\/(?:report\/counterexample|search\/resume)\.ts$/ },
  ],
  [/\bclosing\b(?! (?:`end`|parenthesis|bracket|tag))/i, "cycle detection"],
  [/\bsa(?:ys?|id)\b/i, "report, state, print", { inside: /\.md$/, except: /^docs\/(?:contract|museum)\.md$/ }],
  [/\bcampaign/i, "suite run, oracle run, mutation run, soak", { except: /^cli\/(?:report-sources|soak-state)\.ts$/ }],
];

/** Where a word has its everyday sense: the alphabet, the spelling that a standard fixes. */
const EVERYDAY = [
  [
    /letter/i,
    /alphabet|capital|letter by letter|letter for letter|\(letter\) =>|two letters|`U` and a letter|const letters?\b|letter\.|\$\{letter\}|: letter|LETTERS|letter ===|\(letter|letters\./i,
  ],
  [/watched|campaign/i, /"(?:watched|campaign)"|(?:watched|campaign): \w+/],
  [/spell/i, /spellings?\b|spelled[.,;]? (?:its|as)/i],
];

/** These define or list the words. */
const ABOUT_WORDS = /^(?:docs\/glossary\.md|scripts\/tidy(?:\.test)?\.mjs|package-lock\.json)$/;

/**
 * The findings, one line each.
 * @param {ReadonlyMap<string, string>} files path from the root, and text
 */
export function findings(files) {
  const sources = [...files].filter(([path]) => /\.(?:ts|mjs|S|c|h)$/.test(path));
  return [
    ...[...files].flatMap(([path, text]) => terms(path, text)),
    ...sources.flatMap(([path, text]) => headers(path, text, files)),
    ...unused(files),
    ...clocks(files),
    ...sameNames(files),
    ...tooLong(files),
  ];
}

/** As in .oxlintrc.json, whose bound is for the languages that oxlint reads. */
const LINES_MAX = 400;

function tooLong(files) {
  return [...files].flatMap(([path, text]) => {
    const count = text.split("\n").length - 1;
    return /\.(?:c|h|S|rs|cpp|html|css|sh)$/.test(path) && count > LINES_MAX
      ? [`${path}: it has ${count} lines; divide it, ${LINES_MAX} are the most`]
      : [];
  });
}

function terms(path, text) {
  if (ABOUT_WORDS.test(path)) return [];
  return text.split("\n").flatMap((line, index) =>
    TERMS.filter(([, , place]) => (place?.inside?.test(path) ?? true) && !(place?.except?.test(path) ?? false))
      .filter(([term]) => term.test(line))
      .filter(([term]) => !EVERYDAY.some(([word, sense]) => word.test(term.exec(line)?.[0] ?? "") && sense.test(line)))
      .map(([term, instead]) => `${path}:${index + 1}: "${term.exec(line)?.[0]}": say ${instead}`),
  );
}

/** Written into build/. */
const GENERATED = [
  ...["abi.h", "layout.h", "kernel.h", "kernel.c", "kernel-data.c", "user.h", "user-modules.h", "user-modules.c"],
].map((name) => `build/virt/${name}`);

/** Files that the comment at the top names: `run-queue.ts`, `../x.ts`, `machines/virt/trap.S`. */
function headers(path, text, files) {
  const header = /^(?:#![^\n]*\n)?(?:(?:\/\/|#)[^\n]*\n|\/\*[^]*?\*\/\n)+/.exec(text)?.[0] ?? "";
  const names = [...files.keys(), ...GENERATED];
  return [...header.matchAll(/(?<![\w*<{.])((?:\.{1,2}\/|[\w-]+\/)*[\w-][\w.-]*\.(?:ts|mjs|S|c|h))\b/g)]
    .map((match) => match[1])
    .filter((name) => !names.some((one) => one === name || one.endsWith(`/${name.replace(/^(?:\.{1,2}\/)+/, "")}`)))
    .map((name) => `${path}: its header names ${name}, which is not there`);
}

const ENTRY =
  /(?:^|\/)(?:main|worker|index)\.ts$|\.test\.(?:ts|mjs)$|\.d\.ts$|\/fixtures\/|^examples\/|^scripts\/[\w.-]+\.mjs$|config\.ts$/;

/** Modules that no other file imports or names. */
function unused(files) {
  const modules = [...files.keys()].filter((path) => /\.(?:ts|mjs)$/.test(path));
  const used = new Set();
  for (const [path, text] of files)
    for (const match of text.matchAll(/["'`]([^"'`\n]*?\/?[\w.-]+)(?:\.(?:ts|js|mjs))?["'`]/g)) {
      const name = match[1] ?? "";
      const base = name.startsWith(".") ? posix.join(posix.dirname(path), name) : name;
      for (const ending of ["", ".ts", ".mjs"]) if (base + ending !== path) used.add(base + ending);
      used.add(base.replace(/\.js$/, ".ts"));
    }
  const isUsed = (path) => used.has(path) || [...used].some((name) => name.includes("/") && path.endsWith(`/${name}`));
  return modules
    .filter((path) => !ENTRY.test(path) && !isUsed(path))
    .map((path) => `${path}: nothing imports or names it`);
}

const CLOCK_TABLE = "docs/clocks.md";
const CLOCK =
  /\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b|\bhrtime\b|\bset(?:Timeout|Interval)\b|\bAbortSignal\.timeout\b|\bAtomics\.wait(?:Async)?\(|\btimers\/promises\b|\bwaitUntil\b/;

/** Files that read the host's clock and have no row in the table of clocks; rows whose file has no clock. */
function clocks(files) {
  const table = files.get(CLOCK_TABLE) ?? "";
  const named = new Set([...table.matchAll(/`([\w./-]+\.(?:ts|mjs))`/g)].map((match) => match[1]));
  const reading = [...files]
    .filter(([path]) => /\.(?:ts|mjs)$/.test(path) && !/^scripts\/tidy(?:\.test)?\.mjs$/.test(path))
    .filter(([, text]) => CLOCK.test(text.replace(/^\s*(?:\/\/|\*|\/\*\*).*$/gm, "")))
    .map(([path]) => path);
  const isConfigured = (path) => path === "vitest.config.ts" || path === "scripts/tidy.mjs";
  return [
    ...reading
      .filter((path) => !named.has(path))
      .map((path) => `${path}: it reads a clock or waits for a time: give it a row in ${CLOCK_TABLE}`),
    ...[...named]
      .filter((path) => !isConfigured(path) && !reading.includes(path))
      .map((path) => `${CLOCK_TABLE}: it has ${path}, which reads no clock or is not there`),
  ];
}

/** Files that may have the base name of another one, and why. */
const SHARED_NAMES = [
  [
    /(?:^|\/)(?:README\.md|(?:tsconfig|package|package-lock)\.json|build\.sh)$/,
    "a tool or a reader looks for it by name",
  ],
  [/(?:^|\/)(?:index|main|worker)\.ts$/, "what a folder exports, the program that it is, the thread that it starts"],
  [
    /^(?:machines\/sim|verify\/scenarios\/harness)\/(?:machine|hart)\.ts$/,
    "kernel/machine.ts and the hart, on two machines",
  ],
  [/^machines\/(?:sim|virt)\/machine-boot\.ts$/, "the same function on two machines"],
  [/^machines\/virt\/fixtures\/console\//, "stands in for the board's file, for which console.c includes it"],
  [/^kernel\/layout\.ts$/, "the same memory as abi/layout.ts: the part that machines need not know"],
  [/^explore\/assert-defined\.ts$/, "exports what wasm/assert-defined.ts has"],
];

/** The checks of a kernel file have its name, and so have a command and the function that it calls. */
function sharesItsName(path, text, files) {
  const base = posix.basename(path).replace(/(?:\.test)?\.ts$/, "");
  if (path.startsWith("verify/clauses/")) return files.has(`kernel/${base}.ts`);
  if (posix.dirname(path) === "cli") return (files.get(`cli/${base}.ts`) ?? text).includes(`.command("${base}`);
  return SHARED_NAMES.some(([pattern]) => pattern.test(path));
}

/** Two files of one base name in different folders: a reader who has one of them open cannot know which. */
function sameNames(files) {
  const first = new Map();
  const found = [];
  for (const [path, text] of files) {
    if (sharesItsName(path, text, files)) continue;
    const base = posix.basename(path);
    const other = first.get(base);
    if (other === undefined) first.set(base, path);
    else found.push(`${path}: ${other} has the same base name: give one of them another name`);
  }
  return found;
}

/** The text files that git knows, by path. */
export function trackedFiles() {
  const paths = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
    cwd: root,
    encoding: "utf8",
  });
  return new Map(
    paths
      .split("\n")
      .filter((path) => /\.(?:ts|mjs|md|S|c|h|sh|json|ld)$/.test(path))
      .map((path) => [path, readFileSync(posix.join(root, path), "utf8")]),
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const list = findings(trackedFiles());
  for (const line of list) process.stdout.write(`${line}\n`);
  process.exitCode = list.length > 0 ? 1 : 0;
}
