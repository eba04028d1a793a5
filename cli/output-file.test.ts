import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readInput } from "./input-file.ts";
import { writeParts } from "./output-file.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "hartbeat-files-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const bytesOf = (length: number): Uint8Array => Uint8Array.from({ length }, (_, index) => index * 7);

test.each([1, 2, 3, 7, 8, 1000])(
  "files: written and read %i bytes at a time: the same bytes, no other file",
  (chunk) => {
    const path = join(folder, `${chunk}`, "file");
    const [first, second] = [bytesOf(7), bytesOf(24)];
    writeParts(path, [first, new Uint8Array(0), second], chunk);
    expect(readdirSync(join(folder, `${chunk}`))).toEqual(["file"]);
    expect([...readFileSync(path)]).toEqual([...first, ...second]);
    const input = readInput(path, chunk);
    expect(input.kind === "read" && [...input.bytes]).toEqual([...first, ...second]);
  },
);

test("files: an empty file, and one without a size: read", () => {
  const path = join(folder, "empty");
  writeFileSync(path, "");
  expect(readInput(path)).toEqual({ kind: "read", bytes: new Uint8Array(0) });
  expect(readInput("/dev/null")).toEqual({ kind: "read", bytes: new Uint8Array(0) });
});

test("files: no such file, a folder: one line for the user", () => {
  expect(readInput(join(folder, "none"))).toMatchObject({
    kind: "usage",
    message: expect.stringMatching(/: there is no such file$/),
  });
  expect(readInput(folder)).toMatchObject({
    kind: "usage",
    message: expect.stringMatching(/: this is a folder; name a file$/),
  });
});
