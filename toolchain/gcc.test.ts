// gcc: what it reports when a tool, a symbol or a rule is missing, and what the image it makes looks like.
import { execFile } from "node:child_process";
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, describe, expect, test } from "vitest";
import { CPUS_MAX } from "../abi/layout.ts";
import { type FixtureImage, fixtureImage } from "../machines/virt/fixtures/fixture-image.ts";
import { abiHeader } from "./abi-header.ts";
import { COMPILER_MISSING, compilerVersion, findCompiler, machineFolder, machineSources } from "./gcc.ts";

const run = promisify(execFile);
const compiler = await findCompiler();

describe("gcc", () => {
  test("gcc: no compiler on the path: missing, with the command that mends it", async () => {
    expect(await findCompiler("/nowhere::/nowhere/else")).toBeUndefined();
    expect(COMPILER_MISSING).toContain("apt-get install gcc-riscv64-unknown-elf");
    expect(COMPILER_MISSING).not.toContain("\n");
  });

  test("gcc: sources of the machine layer: all of them, so that a cache notices every change", async () => {
    const names = (await readdir(machineFolder)).filter((name) => /\.([chS]|ld)$/.test(name));
    expect(names.length).toBeGreaterThan(15);
    expect(await machineSources()).toEqual(expect.arrayContaining(names.map((name) => join(machineFolder, name))));
  });

  test("abi header: constants and enums: one define each, as assembly reads them", () => {
    const header = abiHeader();
    expect(header).toContain(`#define CPUS_MAX ${CPUS_MAX}\n`);
    expect(header).toContain("#define MACHINE_ERROR_NOT_SUPPORTED -2\n");
    expect(header).toContain("#define TRAP_CAUSE_SYSTEM_CALL 8\n");
    const names = [...header.matchAll(/^#define (\w+) /gm)].map((match) => match[1]);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe.skipIf(compiler === undefined)(
  compiler === undefined ? "images (skipped: no cross compiler)" : "images",
  () => {
    let image: FixtureImage | undefined;
    afterEach(async () => {
      if (image !== undefined) await rm(image.folder, { recursive: true, force: true });
    });

    test("gcc: its version is asked: digits and dots", async () => {
      if (compiler === undefined) throw new Error("skipped above");
      expect(await compilerVersion(compiler)).toMatch(/^\d+\.\d+/);
    });

    test("image: the fixture: nothing writable is executable, the code is at the firmware's entry, stack usage is reported", async () => {
      image = await fixtureImage();
      if (image.outcome.kind !== "built" || compiler === undefined) throw new Error(JSON.stringify(image.outcome));
      const { stdout } = await run(`${compiler.prefix}readelf`, ["-lW", image.outcome.elf]);
      const segments = [...stdout.matchAll(/LOAD +0x\w+ (0x\w+) 0x\w+ 0x\w+ 0x\w+ ([R ][W ][E ])/g)];
      expect(segments.map((match) => match[2])).toEqual(["R E", "R  ", "RW "]);
      expect(segments[0]?.[1]).toBe("0x0000000080200000");
      for (const file of image.outcome.stackUsage)
        expect(await readFile(file, "utf8")).toMatch(/\t\d+\t(static|dynamic)/);
      expect(image.outcome.stackUsage.map((file) => file.split("/").at(-1))).toContain("kernel.su");
    });

    test("image: the machine layer: no code uses gp, which a user may have set", async () => {
      image = await fixtureImage();
      if (image.outcome.kind !== "built" || compiler === undefined) throw new Error(JSON.stringify(image.outcome));
      const { stdout } = await run(`${compiler.prefix}objdump`, ["-d", image.outcome.elf], { maxBuffer: 1 << 26 });
      const uses = stdout.split("\n").filter((line) => /\bgp\b/.test(line));
      // trap.S saves and restores it.
      expect(uses.filter((line) => !/\t(sd|ld)\tgp,24\(s1\)/.test(line))).toEqual([]);
      expect(uses).toHaveLength(2);
    });

    test("gcc: an error in the printed C: refused, one line with its place", async () => {
      image = await fixtureImage((text) => `${text}\nint32_t broken(void) { return nonesuch; }\n`);
      expect(image.outcome.kind).toBe("refused");
      const lines = image.outcome.kind === "refused" ? image.outcome.diagnostics : [];
      expect(lines).toHaveLength(1);
      expect(lines[0]).toMatch(/^kernel\.c:\d+:\d+: error: .*nonesuch/);
    });

    test("gcc: a warning in the printed C: built, and reported with its place", async () => {
      image = await fixtureImage((text) => `${text}\nstatic int32_t unused(void) { return 0; }\n`);
      expect(image.outcome.kind).toBe("built");
      const lines = image.outcome.kind === "built" ? image.outcome.warnings : [];
      expect(lines).toHaveLength(1);
      expect(lines[0]).toMatch(/^kernel\.c:\d+:\d+: warning: .*unused/);
    });

    test("gcc: the kernel lacks an export that the machine calls: refused, named", async () => {
      image = await fixtureImage((text) => text.replaceAll("kernel_bootSecondary", "kernel_forgotten"));
      expect(image.outcome.kind).toBe("refused");
      expect(JSON.stringify(image.outcome)).toContain("kernel_bootSecondary");
    });

    test("gcc: a user program with a writable global: refused, with the reason", async () => {
      image = await fixtureImage(undefined, (text) =>
        `static int planted = 1;\n${text}`.replace("switch (program)", "switch (program + planted++)"),
      );
      expect(image.outcome.kind).toBe("refused");
      expect(JSON.stringify(image.outcome)).toContain("must not have writable globals");
    });
  },
);
