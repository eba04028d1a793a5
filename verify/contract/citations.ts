// Citations: which declarations of a kernel source carry which clause ids in their comments, and what its header lists.
//
// A clause id in a comment means: this line, or the next one, enforces the clause. A comment belongs to the declaration
// that it stands in or above.
// Owner: none, pure. Pairs with: facts.ts (reads the kernel), contract.test.ts (header and body must agree).

import { CLAUSE_IDS, type ClauseId, isClauseId } from "../clause-id.ts";

export interface Citation {
  readonly clause: ClauseId;
  /** The function, class, enum or constant. */
  readonly symbol: string;
}

export interface SourceCitations {
  /** What the header's `Clauses:` line lists; empty where there is none. */
  readonly header: readonly ClauseId[];
  readonly body: readonly Citation[];
  /** One line for each id that no clause has, and for a header's line that is no list of ids. */
  readonly mistakes: readonly string[];
}

const ID = /\b[QSICTD]\d+\b/g;
const DECLARATION = /^(?:export )?(?:declare )?(?:function|class|enum|const|let) (\w+)/;
const CLAUSES_LINE = /^\/\/ Clauses: (.*)$/;
const LIST_OF_IDS = /^[QSICTD]\d(?:, [QSICTD]\d)*\.$/;

/** The citations of a source. A declaration begins with the comments and decorators above it. */
export function citationsIn(text: string): SourceCitations {
  const lines = text.split("\n");
  const found = lines.findIndex((line) => !line.startsWith("//"));
  const headerEnd = found < 0 ? lines.length : found;
  const mistakes: string[] = [];
  const ids = (list: string): ClauseId[] =>
    [...list.matchAll(ID)].flatMap(([id]) => {
      if (isClauseId(id)) return [id];
      mistakes.push(`there is no clause ${id}`);
      return [];
    });
  const listed = lines.slice(0, headerEnd).flatMap((line) => CLAUSES_LINE.exec(line)?.[1] ?? []);
  for (const list of listed) {
    if (!LIST_OF_IDS.test(list)) mistakes.push(`the header's list is "${list}": give ids one by one, as "I1, I2, I3."`);
  }
  const citations = new Map<string, Citation>();
  for (const [at, line] of lines.entries()) {
    if (at < headerEnd) continue;
    for (const clause of ids(commentOf(line))) {
      const symbol = declarationOf(lines, at, headerEnd);
      if (symbol === undefined) mistakes.push(`line ${at + 1} names ${clause} outside of any declaration`);
      else citations.set(`${clause} ${symbol}`, { clause, symbol });
    }
  }
  return { header: inOrder(ids(listed.join(" "))), body: [...citations.values()], mistakes };
}

/** The comment on a line, or nothing. */
function commentOf(line: string): string {
  if (/^\s*(?:\/\*\*|\*)/.test(line)) return line;
  const at = line.indexOf("// ");
  return at < 0 ? "" : line.slice(at);
}

/** The declaration that a line stands in or above. */
function declarationOf(lines: readonly string[], at: number, first: number): string | undefined {
  for (let i = at; i < lines.length && isLead(lines[i] ?? ""); i++) {
    const below = DECLARATION.exec(lines[i + 1] ?? "")?.[1];
    if (below !== undefined) return below;
  }
  for (let i = at; i >= first; i--) {
    const name = DECLARATION.exec(lines[i] ?? "")?.[1];
    if (name !== undefined) return name;
  }
  return undefined;
}

/** A comment or a decorator at the left edge, which belongs to what follows. */
function isLead(line: string): boolean {
  return /^(?:\/\/|\/\*\*| \*|@)/.test(line);
}

export function inOrder(ids: readonly ClauseId[]): readonly ClauseId[] {
  return CLAUSE_IDS.filter((id) => ids.includes(id));
}
