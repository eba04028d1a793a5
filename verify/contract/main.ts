// The command `npm run contract`: writes the rows of docs/contract.md that follow from the code.
//
// Exit code 1 where something is left that only a person can mend (a section, a reason, a name under Elsewhere).

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { packageRoot } from "../../toolchain/package-root.ts";
import { disagreements, DOCUMENT, rewritten } from "./document.ts";
import { citationMistakes, contractFacts, kernelCitations } from "./facts.ts";

if (process.argv.length > 2) {
  process.stderr.write(`contract: unknown argument ${process.argv[2]}: it takes none\n`);
  process.exit(2);
}
const path = join(packageRoot, DOCUMENT);
const facts = await contractFacts(packageRoot);
const before = await readFile(path, "utf8");
const after = rewritten(before, facts);
if (after !== before) await writeFile(path, after);
process.stdout.write(`${DOCUMENT}: ${after === before ? "unchanged" : "written"}\n`);
const left = [
  ...citationMistakes(await kernelCitations(packageRoot)),
  ...(await disagreements(after, facts, packageRoot)),
];
for (const line of left) process.stderr.write(`${line}\n`);
if (left.length > 0) process.exitCode = 1;
