import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { MEANING_FLAGS, RISCV_FLAGS, WARNING_FLAGS } from "./c-flags.ts";
import { printC } from "./c-printer.ts";
import { findCompiler } from "./gcc.ts";
import { packageRoot } from "./package-root.ts";
import { assemble } from "./testing/assemble.ts";

// QEMU on x86 cannot show a missing fence, so the emitted sequences are compared as text with the psABI's mapping.

const compiler = await findCompiler();
const functions: [name: string, text: string][] = [
  ["load32", "(param i32) (result i32) (i32.atomic.load (local.get 0))"],
  ["load64", "(param i32) (result i64) (i64.atomic.load offset=8 (local.get 0))"],
  ["load8", "(param i32) (result i32) (i32.atomic.load8_u (local.get 0))"],
  ["store32", "(param i32 i32) (i32.atomic.store (local.get 0) (local.get 1))"],
  ["store64", "(param i32 i64) (i64.atomic.store (local.get 0) (local.get 1))"],
  ["add32", "(param i32 i32) (result i32) (i32.atomic.rmw.add (local.get 0) (local.get 1))"],
  ["sub64", "(param i32 i64) (result i64) (i64.atomic.rmw.sub (local.get 0) (local.get 1))"],
  ["and32", "(param i32 i32) (result i32) (i32.atomic.rmw.and (local.get 0) (local.get 1))"],
  ["or64", "(param i32 i64) (result i64) (i64.atomic.rmw.or (local.get 0) (local.get 1))"],
  ["xor32", "(param i32 i32) (result i32) (i32.atomic.rmw.xor (local.get 0) (local.get 1))"],
  ["swap64", "(param i32 i64) (result i64) (i64.atomic.rmw.xchg (local.get 0) (local.get 1))"],
  ["fence", "(atomic.fence)"],
  [
    "exchanged32",
    "(param i32 i32 i32) (result i32) (i32.eq (i32.atomic.rmw.cmpxchg (local.get 0) (local.get 1) (local.get 2)) (local.get 1))",
  ],
  ["exchange64", "(param i32 i64 i64) (result i64) (i64.atomic.rmw.cmpxchg (local.get 0) (local.get 1) (local.get 2))"],
];

/** Instructions by function, one string each, registers as they are. */
const emitted = new Map<string, string[]>();

beforeAll(() => {
  if (compiler === undefined) return;
  const bodies = functions.map(([name, text]) => `(func (export "${name}") ${text})`).join("\n");
  const wasm = assemble(`(module (import "env" "memory" (memory 1 1 shared)) ${bodies})`);
  const folder = mkdtempSync(join(tmpdir(), "hartbeat-atomics-"));
  try {
    const printed = printC(wasm, { prefix: "kernel_", memoryBase: "0", callsHeader: "kernel.h" });
    writeFileSync(join(folder, "kernel.c"), printed.code);
    writeFileSync(join(folder, "kernel.h"), printed.header);
    const flags = [...RISCV_FLAGS, ...MEANING_FLAGS, ...WARNING_FLAGS, "-I", join(packageRoot, "toolchain")];
    execFileSync(`${compiler.prefix}gcc`, [...flags, "-S", "-o", "kernel.s", "kernel.c"], { cwd: folder });
    const assembly = readFileSync(join(folder, "kernel.s"), "utf8");
    let name = "";
    for (const line of assembly.split("\n")) {
      const label = /^kernel_(\w+):/.exec(line);
      if (label?.[1] !== undefined) emitted.set((name = label[1]), []);
      const text = line
        .replace(/#.*/, "")
        .replace(/^\s*0:/, "")
        .replace(/\s+/g, " ")
        .trim();
      if (text !== "" && !text.startsWith(".") && !text.endsWith(":")) emitted.get(name)?.push(text);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

const expected: [name: string, sequence: (string | RegExp)[]][] = [
  ["load32", ["fence rw,rw", "lw a0,0(a0)", "fence r,rw", "ret"]],
  ["load64", ["fence rw,rw", "ld a0,8(a0)", "fence r,rw", "ret"]],
  ["load8", ["fence rw,rw", "lbu a0,0(a0)", "fence r,rw", "ret"]],
  ["store32", ["fence rw,w", "sw a1,0(a0)", "fence rw,rw", "ret"]],
  ["store64", ["fence rw,w", "sd a1,0(a0)", "fence rw,rw", "ret"]],
  ["and32", [/^amoand\.w\.aqrl \w+,a1,0\(a0\)$/, /^sext\.w a0,\w+$/, "ret"]],
  ["add32", [/^amoadd\.w\.aqrl \w+,a1,0\(a0\)$/, /^sext\.w a0,\w+$/, "ret"]],
  ["xor32", [/^amoxor\.w\.aqrl \w+,a1,0\(a0\)$/, /^sext\.w a0,\w+$/, "ret"]],
  ["or64", [/^amoor\.d\.aqrl a1,a1,0\(a0\)$/, "mv a0,a1", "ret"]],
  ["swap64", [/^amoswap\.d\.aqrl a1,a1,0\(a0\)$/, "mv a0,a1", "ret"]],
  ["sub64", ["neg a1,a1", /^amoadd\.d\.aqrl a1,a1,0\(a0\)$/, "mv a0,a1", "ret"]],
  ["fence", ["fence rw,rw", "ret"]],
];

test.skipIf(compiler === undefined).each(expected)(
  "C atomics: %s: the psABI's sequence and nothing more",
  (name, sequence) => {
    const found = emitted.get(name) ?? [];
    expect(found).toHaveLength(sequence.length);
    sequence.forEach((one, i) =>
      expect(found[i]).toMatch(typeof one === "string" ? new RegExp(`^${one.replace(/[()]/g, "\\$&")}$`) : one),
    );
  },
);

test.skipIf(compiler === undefined).each([
  ["exchanged32", "w"],
  ["exchange64", "d"],
])("C atomics: %s: lr.aqrl and sc.rl, again only after a failed sc, and no second compare", (name, width) => {
  const found = emitted.get(name) ?? [];
  const from = found.findIndex((one) => one.startsWith("lr."));
  expect(found[from]).toMatch(new RegExp(`^lr\\.${width}\\.aqrl \\w+,0\\(\\w+\\)$`));
  expect(found[from + 1]).toMatch(/^bne \w+,a1,\.L\d+$/);
  expect(found[from + 2]).toMatch(new RegExp(`^sc\\.${width}\\.rl \\w+,a2,0\\(\\w+\\)$`));
  expect(found[from + 3]).toMatch(/^bnez \w+,0b$/);
  const branches = found.filter((one) => /^b(ne|eq|nez|eqz|lt|ge)/.test(one));
  expect(branches).toHaveLength(2);
  expect(found.some((one) => /^(s?n?eqz|snez|sub|xor)/.test(one))).toBe(false);
});
