// Native run: printed C compiled for the machine at hand, and run beside the same module in Node (tests only).
//
// Owner: a temporary folder a run. Linear memory is mapped at a fixed address, a trap is a longjmp.
// Invariant: both sides make the same calls in the same order and print one line a call, so the texts compare.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { printC } from "../c-printer.ts";
import { packageRoot } from "../package-root.ts";

/** True where a C compiler for this machine can be run. */
export const hasNativeCompiler = ((): boolean => {
  try {
    execFileSync("gcc", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();

/** One exported function, called with every combination of its parameters' sample values. */
export interface CalledExport {
  name: string;
  params: ("i32" | "i64")[];
  result: "i32" | "i64" | null;
  /** One list of values for each parameter. */
  samples: bigint[][];
}

const MEMORY_BASE = 0x20000000;
const MEMORY_BYTES = 65536;

/** The import `machine.mix` on both sides: a value that depends on both arguments and on how often it was called. */
const MIX_C = `int32_t machine_mix(int32_t a, int64_t b) {
  calls = calls * 31 + (uint32_t)a + (uint32_t)(b >> 7);
  return (int32_t)calls;
}`;

/** Prints and compiles the module, makes the calls; one line each, then a line with the memory's checksum. */
export function runNative(wasm: Uint8Array, exports: CalledExport[], optimization = "-O1"): string[] {
  const folder = mkdtempSync(join(tmpdir(), "hartbeat-native-"));
  try {
    const base = `0x${MEMORY_BASE.toString(16)}`;
    const printed = printC(wasm, { prefix: "kernel_", memoryBase: base, callsHeader: "calls.h" });
    const files = { "kernel.c": printed.code, "kernel-data.c": printed.data, "kernel.h": printed.header };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    writeFileSync(join(folder, "calls.h"), CALLS_HEADER);
    writeFileSync(join(folder, "main.c"), mainC(exports, base));
    const flags = ["-fwrapv", "-fno-strict-aliasing", "-fno-delete-null-pointer-checks"];
    const include = ["-I", folder, "-I", join(packageRoot, "toolchain")];
    const compile = (name: string, more: string[]): string => {
      const object = join(folder, name.replace(/c$/, "o"));
      const trap = ["-include", join(folder, "calls.h"), "-DWASM_TRAP()=longjmp(trapped,1)"];
      const args = [...flags, ...trap, ...include, ...more, "-c", join(folder, name), "-o", object];
      execFileSync("gcc", args, { stdio: ["ignore", "pipe", "pipe"] });
      return object;
    };
    // The printed files must be free of warnings; the harness below need not be.
    const strict = [optimization, "-Wall", "-Wextra", "-Werror"];
    const objects = [compile("kernel.c", strict), compile("kernel-data.c", strict), compile("main.c", [])];
    const program = join(folder, "program");
    execFileSync("gcc", [...objects, "-o", program], { stdio: ["ignore", "pipe", "pipe"] });
    const output = execFileSync(program, { encoding: "utf8", maxBuffer: 1 << 28 });
    return output.trimEnd().split("\n");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const CALLS_HEADER = `#pragma once
#include <setjmp.h>
#include <stdint.h>
extern jmp_buf trapped;
int32_t machine_mix(int32_t a, int64_t b);
`;

function mainC(exports: CalledExport[], base: string): string {
  const loops = exports.map((one) => {
    const arrays = one.samples.map(
      (values, i) => `    static const int64_t s${i}[] = {${values.map(literal).join(", ")}};`,
    );
    const heads = one.samples.map((values, i) => `for (int i${i} = 0; i${i} < ${values.length}; i${i}++) `);
    const args = one.params.map((type, i) => `(${type === "i32" ? "int32_t" : "int64_t"})s${i}[i${i}]`).join(", ");
    const call = `kernel_${one.name.replace(/[^A-Za-z0-9_]+/g, "_")}(${args})`;
    const body = one.result === null ? `{ ${call}; puts("done"); }` : `printf("%lld\\n", (long long)${call});`;
    return `  {\n${arrays.join("\n")}\n    ${heads.join("")}if (setjmp(trapped)) puts("trap"); else ${body}\n  }`;
  });
  return `#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#define WASM_MEMORY_BASE 0
#include "wasm-c.h"
#include "kernel.h"
jmp_buf trapped;
static uint32_t calls;
${MIX_C}
int main(void) {
  uint8_t *memory = mmap((void *)${base}L, ${MEMORY_BYTES}, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  if (memory != (uint8_t *)${base}L) return 1;
  for (uint32_t i = 0; i < kernel_segment_count; i++)
    memcpy(memory + kernel_segments[i].offset, kernel_segments[i].bytes, kernel_segments[i].length);
${loops.join("\n")}
  uint32_t sum = 0;
  for (int i = 0; i < ${MEMORY_BYTES}; i++) sum = sum * 31 + memory[i];
  printf("memory %u\\n", sum);
  return 0;
}
`;
}

function literal(value: bigint): string {
  return value === -(2n ** 63n) ? "INT64_MIN" : `${value}LL`;
}

/** The same calls through the JavaScript engine. */
export function runWasm(wasm: Uint8Array, exports: CalledExport[], shared: boolean): string[] {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared });
  let calls = 0;
  const mix = (a: number, b: bigint): number => {
    calls = (Math.imul(calls, 31) + a + Number(BigInt.asIntN(32, b >> 7n))) | 0;
    return calls;
  };
  const instance = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(wasm)), {
    env: { memory },
    machine: { mix },
  });
  const lines: string[] = [];
  for (const one of exports) {
    const fn = instance.exports[one.name] as (...values: (number | bigint)[]) => number | bigint | undefined;
    for (const values of combinations(one.samples)) {
      try {
        const result = fn(
          ...values.map((value, i) => (one.params[i] === "i32" ? Number(BigInt.asIntN(32, value)) : value)),
        );
        lines.push(one.result === null ? "done" : String(result));
      } catch (error) {
        if (!(error instanceof WebAssembly.RuntimeError)) throw error;
        lines.push("trap");
      }
    }
  }
  let sum = 0;
  for (const byte of new Uint8Array(memory.buffer)) sum = (Math.imul(sum, 31) + byte) >>> 0;
  lines.push(`memory ${sum}`);
  return lines;
}

function combinations(samples: bigint[][]): bigint[][] {
  return samples.reduce<bigint[][]>(
    (lists, values) => lists.flatMap((list) => values.map((value) => [...list, value])),
    [[]],
  );
}
