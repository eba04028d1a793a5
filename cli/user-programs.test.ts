// Programs of one's own, through the command: on both machines, and what is refused.
//
// What needs a C compiler, QEMU or the cross compiler is skipped by name where it is not installed.

import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { packageRoot } from "../toolchain/package-root.ts";
import { assemble } from "../toolchain/testing/assemble.ts";
import { findCompiler } from "../toolchain/gcc.ts";
import { hasSystemClang } from "../toolchain/program-clang.ts";
import { findQemu } from "../machines/virt/qemu.ts";
import { main } from "./main.ts";
import { captureOutput, workInOwnFolder } from "./testing/captured-command.ts";

const output = captureOutput();
const folder = workInOwnFolder("programs");

const hasClang = await hasSystemClang();
const hasVirt = (await findQemu()) !== undefined && (await findCompiler()) !== undefined;
const absent = [...(hasClang ? [] : ["clang"]), ...(hasVirt ? [] : ["QEMU with the cross compiler"])];
const title = absent.length === 0 ? "both machines" : `both machines (skipped: no ${absent.join(", no ")})`;

const RUN = "ticker.ts:2 --qos Interactive --cpu 1 --program primes.c:100 --program shared-counter.ts:4 --count 4";

/** Lines of tasks, and `program class code` of each task's end but the selftests'. */
function seen(): { lines: string[]; ends: string[] } {
  const all = output.out.split("\n");
  const ends = all.flatMap((line) => {
    const [, program, qos, code] = /^TASK: .*program=(\d+) class=(\w+) .*end=exit code=(-?\d+)/.exec(line) ?? [];
    return program === undefined || program === "0" ? [] : [`${program} ${qos} ${code}`];
  });
  // Which of the tasks that share a memory comes last is for the machine to decide.
  const lines = all.filter((line) => /^\[\d+\]/.test(line)).map((line) => line.replace(/^\[\d+\] (?=sum)/, ""));
  return { lines: lines.toSorted(), ends: ends.toSorted() };
}

const ENDS = ["10 Normal 25", ...Array.from({ length: 4 }, () => "11 Normal 0"), "9 Interactive 0"];

describe.skipIf(absent.length > 0)(title, () => {
  test("programs: AssemblyScript, C and shared memory from another folder: the same lines and ends on sim and virt", async () => {
    for (const name of ["ticker.ts", "primes.c", "shared-counter.ts"])
      cpSync(join(packageRoot, "examples", "programs", name), name);
    expect(await main(`boot --smp 3 --program ${RUN}`.split(" ")), output.err).toBe(0);
    const onSim = seen();
    expect(onSim.lines).toEqual(["[1026] tick 1", "[1026] tick 2", "[1027] primes: 25", "sum 400"]);
    expect(onSim.ends).toEqual(ENDS);
    output.out = "";
    expect(await main(`boot --machine virt --smp 3 --program ${RUN}`.split(" ")), output.err).toBe(0);
    expect(seen()).toEqual(onSim);
    const image = readdirSync(join(folder(), ".hartbeat", "programs")).find((name) => /^virt-\w+$/.test(name)) ?? "";
    for (const file of ["kernel.c", "kernel-data.c"])
      expect(
        readFileSync(join(".hartbeat", "programs", image, file)).equals(
          readFileSync(join(packageRoot, "build", "virt", file)),
        ),
      ).toBe(true);
  });
});

describe("refusals", () => {
  const C = hasClang ? "" : " (skipped: no clang)";

  test.each([
    ["absent.ts", "", /^error: absent\.ts: there is no such file$/],
    ['quo"te.ts', "", /^error: "quo\\"te\.ts": rename it: quotes, /],
    ["text.md", "# text", /^error: text\.md: a program is a file that ends in \.ts/],
    ["bytes.wasm", "bytes", /^error: bytes\.wasm: this is not a WebAssembly module/],
    [
      "wrong.ts",
      "export function run(argument: i64): i32 { return five(); }",
      /^wrong\.ts:1:50: error AS2304: Cannot find name 'five'\.\nerror: wrong\.ts: asc refuses it, see above$/,
    ],
    [
      "mean.ts",
      "export function run(argument: i64): i32 { return ((argument as f64) / 3) as i32; }",
      /^error: mean\.ts: mean\/run: f64\.convert_i64_s: the machine has no floats \(rv64imac\)$/,
    ],
    [
      "joined.ts",
      'import { taskId, writeLine } from "hartbeat/user";\nexport function run(argument: i64): i32 { return writeLine("I am " + taskId().toString()) as i32; }',
      /^error: joined\.ts: ~lib\/.*: memory\.grow: a program's memory does not grow/,
    ],
  ])("programs: %s: exit code 2 and the line", async (name, text, message) => {
    if (text !== "") writeFileSync(name, text);
    expect(await main(["boot", "--program", name])).toBe(2);
    expect(output.err.trimEnd()).toMatch(message);
    expect(output.out).toBe("");
  });

  test.skipIf(!hasClang).each([
    ["wrong.c", "int run( {", /^wrong\.c:1:\d+: error: [^]*\nerror: wrong\.c: clang refuses it, see above$/],
    [
      "large.c",
      'static char all[70000];\n__attribute__((export_name("run"))) int run(long long at) { return all[at]++; }',
      /wasm-ld: error: [^]*memory too small[^]*\nerror: large\.c: wasm-ld refuses it, see above$/,
    ],
    [
      "mean.c",
      '__attribute__((export_name("run"))) int run(long long at) { return (int)((double)at / 3); }',
      /^error: mean\.c: run: f64\.convert_i64_s: the machine has no floats/,
    ],
    [
      "extern.c",
      'int other(void);\n__attribute__((export_name("run"))) int run(long long at) { return other(); }',
      /undefined symbol: other\nerror: extern\.c: wasm-ld refuses it, see above$/,
    ],
  ])(`programs: %s: exit code 2, after the compiler's own lines${C}`, async (name, text, message) => {
    writeFileSync(name, text);
    expect(await main(["boot", "--program", name])).toBe(2);
    expect(output.err.trimEnd()).toMatch(message);
  });

  test("programs: a program in C, and no compiler for it: exit code 3 and how to get one", async () => {
    writeFileSync("any.c", "");
    vi.stubEnv("PATH", "");
    expect(await main(["boot", "--program", "any.c"])).toBe(3);
    expect(output.err.trimEnd()).toMatch(
      /^error: no compiler for C programs .*apt-get install clang lld, or: npm install @yowasp\/clang$/,
    );
  });

  test("programs: a second module with a shared memory, a program that a file has not, an image beside it: exit code 2", async () => {
    const text =
      '(module (import "env" "memory" (memory 1 1 shared)) (func (export "run") (param i64) (result i32) (i32.const 0)))';
    for (const name of ["one.wasm", "two.wasm"]) writeFileSync(name, assemble(text));
    for (const [args, message] of [
      ["--program one.wasm --program two.wasm", /two\.wasm: a second module with a shared memory, after one\.wasm/],
      ["--program one.wasm#1", /one\.wasm: it has no program 1; it has 1, from 0/],
      ["--machine virt --program one.wasm --elf x.elf", /--program makes an image of its own/],
    ] as const) {
      output.err = "";
      expect(await main(["boot", ...args.split(" ")])).toBe(2);
      expect(output.err).toMatch(message);
    }
  });
});
