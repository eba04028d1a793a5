// Figures: a benchmark's numbers by name, as a file keeps them, and what has changed between two of them.
//
// Owner: none, pure functions. Format: {"version": 1, "figures": {"operations.enqueue@1.kernel": 26, …}}.

/** The figures of a saved file's text; undefined when it is none. */
export function parseFigures(text: string): Record<string, number> | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null || !("version" in value) || value.version !== 1) return undefined;
  if (!("figures" in value) || typeof value.figures !== "object" || value.figures === null) return undefined;
  const entries = Object.entries(value.figures as Record<string, unknown>);
  if (entries.some(([, one]) => typeof one !== "number")) return undefined;
  return Object.fromEntries(entries as [string, number][]);
}

/** A line for each figure that both have and that differs: `changed: name 42 -> 26 (-38%)`. */
export function changesBetween(before: Record<string, number>, after: Record<string, number>): string[] {
  return Object.entries(after).flatMap(([name, now]) => {
    const then = before[name];
    if (then === undefined || then === now) return [];
    const percent = then === 0 ? "" : ` (${now > then ? "+" : ""}${Math.round(((now - then) / then) * 100)}%)`;
    return [`changed: ${name} ${round(then)} -> ${round(now)}${percent}`];
  });
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
