import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { compileWithPackage } from "./program-clang.ts";

const folder = mkdtempSync(join(tmpdir(), "hartbeat-clang-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
writeFileSync(join(folder, "a.c"), '#include "own.h"\n');
writeFileSync(join(folder, "own.h"), "");

class Exit extends Error {}

type Answer = (args: readonly string[], files: Record<string, unknown>) => Record<string, unknown>;

/** The package's interface, with a compiler that answers; it writes `errors` byte by byte, as the real one may. */
function packageOf(answer: Answer, errors = ""): Parameters<typeof compileWithPackage>[1] {
  return {
    Exit,
    runLLVM: async () => undefined,
    runClang: async (args, files, { stderr }) => {
      for (const byte of new TextEncoder().encode(errors)) stderr(Uint8Array.of(byte));
      stderr(null);
      return answer(args, files);
    },
  };
}

test("clang as a package: gets the program, the headers beside it and the SDK's; its module is what comes out", async () => {
  const outcome = await compileWithPackage(
    join(folder, "a.c"),
    packageOf((args, files) => {
      expect(Object.keys(files).toSorted()).toEqual(["a.c", "hartbeat-user.h", "own.h"]);
      expect(args).toContain("-Wl,--max-memory=65536");
      return { "program.wasm": Uint8Array.of(1, 2) };
    }, "a.c:1:1: warning: ä\n"),
  );
  expect(outcome).toEqual({ kind: "compiled", wasm: Uint8Array.of(1, 2), warnings: ["a.c:1:1: warning: ä"] });
});

test("clang as a package: refuses the program: its own lines; anything else that it throws is passed on", async () => {
  const refused = packageOf(() => {
    throw new Exit("1");
  }, "a.c:1:1: error: no\n1 error generated.\n");
  expect(await compileWithPackage(join(folder, "a.c"), refused)).toEqual({
    kind: "refused",
    compiler: "@yowasp/clang",
    lines: ["a.c:1:1: error: no", "1 error generated."],
  });
  const broken = packageOf(() => {
    throw new TypeError("broken");
  });
  await expect(compileWithPackage(join(folder, "a.c"), broken)).rejects.toThrow("broken");
  await expect(
    compileWithPackage(
      join(folder, "a.c"),
      packageOf(() => ({})),
    ),
  ).rejects.toThrow("wrote no module");
});
