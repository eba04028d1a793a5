import { expect, test } from "vitest";
import { certificatePage } from "./certificate-page.ts";
import { certificateOf } from "./certificate.ts";
import { explore } from "../explore.ts";
import { example } from "../fixtures/example.ts";

const THREADS = [{ function: "torn" }, { function: "torn" }];

test("certificate page: a scenario that passed: its numbers, its checks, and no way out of its text", async () => {
  const { wasm } = await example("faults/counter");
  const target = { wasm, threads: THREADS, stepsMax: 10 };
  const certificate = certificateOf(`<script>alert("x")</script>`, target, await explore(target));
  if (!certificate) throw new Error("it did not pass");
  const page = certificatePage(certificate);
  expect(page).not.toContain("<script");
  expect(page).toContain("&lt;script&gt;");
  expect(page).toContain(certificate.artifact.sha256);
  expect(page).toContain(`<th>states</th><td>${certificate.states}</td>`);
  expect(page).toContain("<code>torn()</code> 3<br><code>torn()</code> 3");
  expect(page).toContain("<li>at most 10 steps a thread</li>");
  expect(certificatePage(certificate, [["about", "a < b"]])).toContain("<th>about</th><td>a &lt; b</td>");
  // Self-contained: nothing is fetched.
  expect(page).not.toMatch(/(src|href)=|url\(|@import/);
  for (const reduction of Object.keys(certificate.reductions)) expect(page).toContain(`<code>${reduction}</code>`);
});

test("certificate: an exploration that failed: none", async () => {
  const { wasm } = await example("faults/counter");
  const target = { wasm, threads: THREADS, final: "two" };
  expect(certificateOf("counter", target, await explore(target))).toBeUndefined();
});
