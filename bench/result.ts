// Result: what a group of measurements hands back: figures by name, to be saved and compared, and a table of them.
//
// Owner: none, plain values. Invariant: a table shows nothing that the figures do not hold or targets.ts does not say.

/** Met, missed, or no target to speak of. */
export type Verdict = "met" | "missed" | "";

export interface Section {
  title: string;
  /** What is measured, in a sentence or two. */
  note: string;
  header: readonly string[];
  rows: readonly (readonly string[])[];
}

export interface GroupResult {
  sections: Section[];
  /** By name, such as `operations.enqueue.kernel`. */
  figures: Record<string, number>;
}

/** Whole: as the tables are to be read. Smallest: everything once, which shows that it works and measures nothing. */
export type BenchSize = "whole" | "smallest";

export type GroupOutcome =
  | { kind: "measured"; result: GroupResult }
  /** message: one line with the command that mends it. */
  | { kind: "missing-tool"; message: string }
  | { kind: "failed"; message: string };

export function verdictOf(value: number, most: number | undefined): Verdict {
  if (most === undefined) return "";
  return value <= most ? "met" : "missed";
}

/** `at most 26`, or nothing. */
export function targetText(most: number | undefined): string {
  return most === undefined ? "" : `${most}`;
}

/** A section as text: columns as wide as their widest cell, the first to the left, the others to the right. */
export function renderSection(section: Section): string {
  const lines = [section.header, ...section.rows];
  const widths = section.header.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? "").length)));
  const text = lines.map((line) =>
    widths
      .map((width, column) => {
        const cell = line[column] ?? "";
        return column === 0 ? cell.padEnd(width) : cell.padStart(width);
      })
      .join("  ")
      .trimEnd(),
  );
  const rule = widths.map((width) => "-".repeat(width)).join("  ");
  return [section.title, section.note, "", text[0], rule, ...text.slice(1), ""].join("\n");
}
