import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { findCompiler } from "./gcc.ts";
import { checkStackDepth, type FileGraph } from "./stack-depth.ts";

const LIMIT = { stackBytes: 1000, marginBytes: 200 };
const NO_ASSEMBLY = new Set<string>();

const entered = (...texts: string[]): FileGraph[] => texts.map((text) => ({ text, entered: true }));

const node = (name: string, bytes: number, kind = "static"): string =>
  `node: { title: "${name}" label: "${name}\\nkernel.c:1:1\\n${bytes} bytes (${kind})" }\n`;
const external = (name: string): string =>
  `node: { title: "${name}" label: "${name}\\nkernel.c:1:1" shape : ellipse }\n`;
const edge = (from: string, to: string): string =>
  `edge: { sourcename: "${from}" targetname: "${to}" label: "kernel.c:2:3" }\n`;

test("stack depth: paths through two files: the deepest is added up", () => {
  const kernel =
    node("trap", 100) +
    node("kernel.c:pick", 50) +
    external("write") +
    edge("trap", "kernel.c:pick") +
    edge("trap", "write");
  const machine = node("write", 300) + node("print", 20) + edge("write", "print");
  const report = checkStackDepth(entered(kernel, machine), NO_ASSEMBLY, LIMIT);
  expect(report.refusals).toEqual([]);
  expect(report.bytes).toBe(420);
  expect(report.path.map((one) => one.name)).toEqual(["trap", "write", "print"]);
});

test("stack depth: static functions of one name in two files: kept apart", () => {
  const first = node("a", 1) + node("x.c:help", 500) + edge("a", "x.c:help");
  const second = node("b", 1) + node("x.c:help", 5) + edge("b", "x.c:help");
  expect(checkStackDepth(entered(second, first), NO_ASSEMBLY, LIMIT).bytes).toBe(501);
});

test.each([
  [
    "a large frame",
    node("trap", 790) + node("deep", 20) + edge("trap", "deep"),
    "may use 810 bytes of stack (trap 790 > deep 20); 1000 less a margin of 200",
  ],
  ["a frame of no fixed size", node("trap", 16, "dynamic"), "trap: the size of its frame is not fixed"],
  [
    "a call through a pointer",
    node("trap", 16) + external("__indirect_call") + edge("trap", "__indirect_call"),
    "trap: a call through a pointer",
  ],
  [
    "an unknown function",
    node("trap", 16) + external("printf") + edge("trap", "printf"),
    "trap: calls printf, whose stack use is not known",
  ],
  [
    "recursion",
    node("even", 16) + node("odd", 16) + edge("even", "odd") + edge("odd", "even"),
    "recursion: even calls odd calls even",
  ],
])("stack depth: %s: refused", (_, graph, message) => {
  expect(checkStackDepth(entered(graph), NO_ASSEMBLY, LIMIT).refusals.join("\n")).toContain(message);
});

test("stack depth: a function in assembly: counted as none", () => {
  const graph = node("trap", 16) + external("enter") + edge("trap", "enter");
  expect(checkStackDepth(entered(graph), new Set(["enter"]), LIMIT)).toMatchObject({ bytes: 16, refusals: [] });
});

test("stack depth: a file that assembly does not enter: counts only what is called of it", () => {
  const kernel = node("trap", 16) + external("programs") + edge("trap", "programs");
  const user = node("programs", 8) + node("start", 900, "dynamic");
  const graphs = [...entered(kernel), { text: user, entered: false }];
  expect(checkStackDepth(graphs, NO_ASSEMBLY, LIMIT)).toMatchObject({ bytes: 24, refusals: [] });
});

const compiler = await findCompiler();

test.skipIf(compiler === undefined)(
  "stack depth: what gcc writes for a function with a large frame: refused by its size",
  () => {
    const folder = mkdtempSync(join(tmpdir(), "hartbeat-stack-"));
    try {
      const source = `int other(int);
static __attribute__((noinline)) int wide(int x) { volatile int a[500]; a[x] = x; return other(a[1]); }
int trap(int x) { return wide(x) + 1; }
int other(int x) { return __builtin_popcountl(x); }
`;
      writeFileSync(join(folder, "kernel.c"), source);
      const flags = ["-O2", "-march=rv64imac", "-mabi=lp64", "-fcallgraph-info=su", "-c", "kernel.c"];
      execFileSync(`${compiler?.prefix}gcc`, flags, { cwd: folder });
      const report = checkStackDepth(entered(readFileSync(join(folder, "kernel.ci"), "utf8")), NO_ASSEMBLY, LIMIT);
      // gcc inlined `other`, and its graph shows that.
      expect(report.path.map((one) => one.name)).toEqual(["trap", "wide", "__popcountdi2"]);
      expect(report.bytes).toBeGreaterThan(2000);
      expect(report.refusals.join("\n")).toMatch(
        /the kernel may use \d+ bytes of stack \(trap \d+ > wide 20\d\d > __popcountdi2/,
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
);
