// Certificate page: a certificate as one HTML file for people. No script, nothing loaded, light or dark as the reader
// has it.
//
// Owner: none, pure: the page states what the certificate states, and nothing else.
// Pairs with: certificate.ts.

import type { Certificate } from "./certificate.ts";
import type { Reductions } from "../program/reductions.ts";
import type { ThreadSpec } from "../program/target.ts";

const REDUCTION_WORDS: ReadonlyMap<string, string> = new Map<keyof Reductions, string>([
  ["mergeStates", "equal states are visited once, distinguished by 64-bit fingerprints"],
  ["plainInStep", "plain accesses run within the step of the atomic before them, with races checked"],
  ["coalesceInvisible", "an atomic access that no other thread can notice runs within the step before it"],
  ["sleepSets", "of two independent steps one order is taken"],
  ["symmetry", "threads that run the same function with the same arguments are interchangeable"],
  ["zeroDead", "values that nothing will read count as zero"],
  ["incrementalInvariant", "the invariant is asked again only after a step that changed what it has read"],
]);

const STYLE = `
:root { color-scheme: light dark; --ink: #1c2128; --paper: #fff; --soft: #59636e; --line: #d1d9e0; --good: #1a7f37; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --paper: #0d1117; --soft: #9198a1; --line: #3d444d; --good: #3fb950; }
}
body { max-width: 46rem; margin: 3rem auto; padding: 0 1.25rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.05rem; margin: 2rem 0 .5rem; }
.verdict { color: var(--good); font-weight: 600; }
p, li { max-width: 40rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .35rem .75rem .35rem 0; border-top: 1px solid var(--line); }
th { width: 12rem; font-weight: 500; color: var(--soft); }
td, code { font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
code { font: .9em/1.4 ui-monospace, monospace; }
@media print { body { margin: 0; } }
`;

/** The whole page as text. `remarks`: what else a reader should know of what was explored, a heading and a sentence each. */
export function certificatePage(
  certificate: Certificate,
  remarks: readonly (readonly [string, string])[] = [],
): string {
  const { scenario, artifact, target, checked, worstSteps } = certificate;
  const threads = target.threads.map(formatThread);
  const used = Object.entries(certificate.reductions);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Certificate: ${escape(scenario)}</title>
<style>${STYLE}</style>
<h1>${escape(scenario)}</h1>
<p class="verdict">Passed: every reachable state was visited, and nothing was cut off.</p>
<h2>What was explored</h2>
${table([
  ["artifact (sha256)", `<code>${escape(artifact.sha256)}</code>, ${count(artifact.bytes)} bytes`],
  ["threads", threads.map((thread) => `<code>${escape(thread)}</code>`).join("<br>")],
  ["init", name(target.init)],
  ["bounds", bounds(certificate)],
  ...remarks.map(([head, sentence]) => [head, escape(sentence)] as const),
])}
<h2>What holds</h2>
${list(checked.map(escape))}
<h2>How much that was</h2>
${table([
  ["states", count(certificate.states)],
  ["transitions", count(certificate.transitions)],
  ["longest schedule", `${count(certificate.depthMax)} steps`],
  [
    "steps at worst",
    worstSteps === null
      ? "not asked for"
      : threads.map((each, i) => `<code>${escape(each)}</code> ${count(worstSteps[i] ?? 0)}`).join("<br>"),
  ],
  ["odds of a missed state", `at most ${certificate.oddsOfMiss.toExponential(1)}`],
  ["time", `${certificate.seconds.toFixed(2)} s`],
])}
<h2>Reductions</h2>
${list(used.map(([key, on]) => `<code>${escape(key)}</code>${on ? "" : " (off)"}: ${escape(REDUCTION_WORDS.get(key) ?? "described in the explorer's README")}`))}
</html>
`;
}

function bounds({ target }: Certificate): string {
  const lines = [
    target.stepsMax === undefined ? "steps of a thread: none" : `at most ${count(target.stepsMax)} steps of a thread`,
    `plain loops: ${target.plainLoopMax === undefined ? "the usual 100,000" : count(target.plainLoopMax)} rounds within a step`,
  ];
  if (target.growPages !== undefined) lines.push(`memory.grow: ${count(target.growPages)} pages`);
  return lines.map(escape).join("<br>");
}

function formatThread({ function: called, args }: ThreadSpec): string {
  return `${called}(${(args ?? []).join(", ")})`;
}

const name = (text: string | undefined): string => (text === undefined ? "none" : `<code>${escape(text)}</code>`);
const count = (value: number): string => value.toLocaleString("en-US");
const list = (items: readonly string[]): string => `<ul>\n${items.map((item) => `<li>${item}</li>\n`).join("")}</ul>`;

/** Rows of a heading, as text, and a cell, as HTML. */
function table(rows: readonly (readonly [string, string])[]): string {
  return `<table>\n${rows.map(([head, cell]) => `<tr><th>${escape(head)}</th><td>${cell}</td></tr>\n`).join("")}</table>`;
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (character) => ENTITIES[character] ?? character);
}
