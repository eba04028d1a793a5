import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { diagnose } from "./diag-os.ts";
import { type Compiler, findCompiler } from "./gcc.ts";
import { SMALL_SYSTEM } from "./testing/small-system.ts";
import { withSources } from "./testing/sources.ts";

const compiler = await findCompiler();

/** Runs with a cross compiler that also prints this when it compiles panic.c. */
async function withPlantedWarning<T>(warning: string, work: (planted: Compiler) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "hartbeat-planted-"));
  try {
    for (const tool of ["gcc", "objcopy"]) {
      const script = `#!/bin/sh\ncase "$*" in *-c*panic.c*) echo "${warning}" >&2 ;; esac\nexec ${compiler?.prefix}${tool} "$@"\n`;
      writeFileSync(join(folder, `planted-${tool}`), script);
      chmodSync(join(folder, `planted-${tool}`), 0o755);
    }
    return await work({ prefix: join(folder, "planted-") });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test.skipIf(compiler === undefined)("diag-os: a small system: clean", async () => {
  expect(await withSources(SMALL_SYSTEM, (root) => diagnose(root, compiler))).toEqual({ kind: "clean" });
});

test.skipIf(compiler === undefined)("diag-os: a compiler that warns: each warning is reported", async () => {
  const warning = "panic.c:1:1: warning: planted";
  const diagnosis = await withSources(SMALL_SYSTEM, (root) =>
    withPlantedWarning(warning, (planted) => diagnose(root, planted)),
  );
  expect(diagnosis).toEqual({ kind: "found", lines: [warning] });
});

test.skipIf(compiler === undefined)("diag-os: a kernel that a gate refuses: its line is reported", async () => {
  const index = `${SMALL_SYSTEM["kernel/index.ts"]}export function planted(): i32 { return memory.grow(1); }\n`;
  const diagnosis = await withSources({ ...SMALL_SYSTEM, "kernel/index.ts": index }, (root) =>
    diagnose(root, compiler),
  );
  expect(diagnosis).toMatchObject({ kind: "found" });
  expect(JSON.stringify(diagnosis)).toContain("index/planted: memory.grow: the memory is frozen");
});

test("diag-os: a source that does not compile: the place is reported", async () => {
  const sources = {
    ...SMALL_SYSTEM,
    "kernel/index.ts": `${SMALL_SYSTEM["kernel/index.ts"]}export const x: i32 = unknown();\n`,
  };
  const diagnosis = await withSources(sources, (root) => diagnose(root, compiler ?? { prefix: "/nowhere/" }));
  expect(diagnosis).toMatchObject({ kind: "found" });
  expect(JSON.stringify(diagnosis)).toMatch(/kernel\/index\.ts:15:23: error AS2304: Cannot find name 'unknown'/);
});
