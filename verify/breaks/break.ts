// Break: one deliberate fault of the kernel, as text.
//
// Owner: none. Invariant: a break is a plain value; where it stands and what finds it does not depend on it.
// Pairs with: table.ts (lists all), patch.ts (applies one), trial.ts (puts one before the checks of its clauses), the
// scenarios, which plant some by title.

import type { ClauseId } from "../clause-id.ts";

/** One change of one file. */
export interface Edit {
  /** Relative to the package's folder. */
  readonly file: string;
  /** Text that stands there once. Line ends and runs of spaces do not count. */
  readonly old: string;
  readonly new: string;
}

export interface Break {
  /** The clauses of docs/contract.md that no longer hold. */
  readonly clauses: readonly [ClauseId, ...ClauseId[]];
  /** What is broken, in one line; no two breaks have the same. */
  readonly title: string;
  readonly edits: readonly Edit[];
  /** Of a bug that another kernel had: project and number of the issue or the pull request, or the commit. */
  readonly source?: string;
}

export function edit(file: string, old: string, replacement: string): Edit {
  return { file, old, new: replacement };
}

/** An edit of `kernel/name.ts`. */
export function kernel(name: string, old: string, replacement: string): Edit {
  return edit(`kernel/${name}.ts`, old, replacement);
}
