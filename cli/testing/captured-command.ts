// Captured command: what a command writes to stdout and stderr in each test of a file, and a folder for it to work in.
//
// Owner: the test file that calls these at its top; the hooks put everything back after each test.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, vi } from "vitest";

/** Cleared before each test; a test may clear it between two commands. */
export interface CapturedOutput {
  out: string;
  err: string;
}

/** Captures both streams, without colours. */
export function captureOutput(): CapturedOutput {
  const captured = { out: "", err: "" };
  beforeEach(() => {
    [captured.out, captured.err] = ["", ""];
    vi.stubEnv("NO_COLOR", "1");
    vi.spyOn(process.stdout, "write").mockImplementation((text) => (captured.out += String(text)) !== "");
    vi.spyOn(process.stderr, "write").mockImplementation((text) => (captured.err += String(text)) !== "");
  });
  afterEach(() => {
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
  });
  return captured;
}

/** Each test works in an empty folder of its own; returns where that is now. */
export function workInOwnFolder(name: string): () => string {
  const home = process.cwd();
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), `hartbeat-${name}-`));
    process.chdir(folder);
  });
  afterEach(() => {
    process.chdir(home);
    rmSync(folder, { recursive: true, force: true });
  });
  return () => folder;
}
