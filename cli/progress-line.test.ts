import { expect, test } from "vitest";
import type { ProofEvent, RunName } from "../proof/proof-event.ts";
import { progressReporter } from "./progress-line.ts";

const RUN: RunName = { machine: "sim", harts: 2, seed: 1, boot: 1, replay: "" };

function drawn(isTTY: boolean, events: readonly ProofEvent[]): string {
  let text = "";
  const stream = Object.create(process.stderr, {
    isTTY: { value: isTTY },
    write: { value: (part: string) => (text += part) !== "" },
  });
  const report = progressReporter(stream, () => 0);
  for (const event of events) report(event);
  return text;
}

test("progress: many runs on a terminal: drawn, and taken away at the end", () => {
  const summary = { runs: 100, passed: 100, failed: 0, inconclusive: 0, notRun: 0, replay: null };
  const text = drawn(true, [
    { kind: "begun", runs: 100 },
    { kind: "run-begun", run: RUN },
    { kind: "ended", summary },
  ]);
  expect(text).toContain("sim smp=2 seed=1  0 of 100 runs done");
  expect(text.endsWith("\r\u001b[K")).toBe(true);
});

test("progress: no terminal, or few runs: nothing is written", () => {
  expect(
    drawn(false, [
      { kind: "begun", runs: 100 },
      { kind: "run-begun", run: RUN },
    ]),
  ).toBe("");
  expect(
    drawn(true, [
      { kind: "begun", runs: 2 },
      { kind: "run-begun", run: RUN },
    ]),
  ).toBe("");
});
