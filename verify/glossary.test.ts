// docs/glossary.md: in alphabetical order, one or two sentences an entry, and each file that it names exists.

import { existsSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { expect, test } from "vitest";
import { packageRoot } from "../toolchain/package-root.ts";

const ROW = /^\| \*\*([^*|]+)\*\* +\| ([^|]+?) +\| \[[^\]]+\]\(([^)]+)\) +\|$/;

/** One line for each fault of a glossary. */
function faultsOf(text: string, isFile: (path: string) => boolean): string[] {
  const rows = text.split("\n").filter((line) => line.startsWith("| ") && !/^\| (?:word |-)/.test(line));
  const faults: string[] = [];
  let before = "";
  for (const line of rows) {
    const [, word, meaning, file] = ROW.exec(line) ?? [];
    if (word === undefined || meaning === undefined || file === undefined) {
      faults.push(`no word, meaning and file: ${line}`);
      continue;
    }
    if (before.localeCompare(word, "en", { sensitivity: "base" }) >= 0) faults.push(`${word}: not after ${before}`);
    if (!isFile(posix.join("docs", file))) faults.push(`${word}: there is no file ${file}`);
    if (meaning.split(/[.;] /).length > 3) faults.push(`${word}: more than a few sentences`);
    before = word;
  }
  return rows.length === 0 ? ["no rows"] : faults;
}

test("glossary: every entry: in order, short, and its file exists", () => {
  const text = readFileSync(join(packageRoot, "docs/glossary.md"), "utf8");
  expect(faultsOf(text, (path) => existsSync(join(packageRoot, path)))).toEqual([]);
});

test("glossary: planted faults: a lost file, a wrong order, a row without a file: reported", () => {
  const table = "| **b** | One. | [x](../x) |\n| **a** | Two. | [y](../y) |\n| **c** | Three. | none |\n";
  expect(faultsOf(table, (path) => path === "y")).toEqual([
    "b: there is no file ../x",
    "a: not after b",
    "no word, meaning and file: | **c** | Three. | none |",
  ]);
  expect(faultsOf("# Glossary\n", () => true)).toEqual(["no rows"]);
});
