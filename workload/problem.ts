// Problem: what is wrong with a workload, and where. All of them are collected: one run reports each once.
//
// Owner: whoever reads the file. Partners: the readers of this folder add; the command prints one line each.

export interface Problem {
  /** From 1. */
  readonly line: number;
  /** Path of keys, such as `tasks.thread0.phases.p1.run`; empty: the file as a whole. */
  readonly key: string;
  /** What is wrong and what to write instead. */
  readonly message: string;
}

/** A key that is accepted and has no effect here. */
export type Remark = Problem;

/** `3: tasks.a.run: give a time ...`: without the file's name. */
export function formatProblem({ line, key, message }: Problem): string {
  return key === "" ? `${line}: ${message}` : `${line}: ${key}: ${message}`;
}

export class Findings {
  readonly problems: Problem[] = [];
  readonly remarks: Remark[] = [];

  refuse(line: number, key: string, message: string): void {
    this.problems.push({ line, key, message });
  }

  remark(line: number, key: string, message: string): void {
    this.remarks.push({ line, key, message });
  }

  /** In the order of lines; of one place and text, one. */
  sorted(): Problem[] {
    const seen = new Set<string>();
    return this.problems
      .filter((problem) => {
        const line = formatProblem(problem);
        return seen.has(line) ? false : seen.add(line) !== undefined;
      })
      .toSorted((left, right) => left.line - right.line);
  }
}
