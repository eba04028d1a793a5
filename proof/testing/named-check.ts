// Named check: whether what is named as a check exists.
//
// A gate exists where its file does and the build names it among its refusals; a test, where its file does and has the
// title, or where it is a test of the kernel's checks and one of these has it.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { allChecks } from "../../verify/clauses/index.ts";
import type { NamedCheck } from "../clauses.ts";

/** Where the build states which of its gates refuses. */
const BUILD = ["toolchain/gates.ts", "toolchain/build.ts"];

/** What is wrong with a check, in one line; undefined where it exists. */
export async function missingIn(named: NamedCheck, root: string): Promise<string | undefined> {
  const read = (file: string): Promise<string | undefined> => readFile(join(root, file), "utf8").catch(() => undefined);
  const text = await read(named.file);
  if (text === undefined) return `${named.file}: there is no such file`;
  if (named.kind === "gate") {
    const build = (await Promise.all(BUILD.map(read))).join("");
    return build.includes(`"${named.name}"`) ? undefined : `the build has no gate "${named.name}"`;
  }
  const { title, file } = named;
  const ofChecks = text.includes("testCases(") && allChecks.some((check) => check.title === title);
  return ofChecks || text.includes(`"${title}"`) ? undefined : `${file}: it has no test "${title}"`;
}
