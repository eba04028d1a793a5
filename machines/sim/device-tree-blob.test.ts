import { describe, expect, it } from "vitest";
import { buildDeviceTree } from "./device-tree-blob.ts";
import { checkOptions, type SimOptions } from "./options.ts";

interface Node {
  readonly properties: Map<string, Uint8Array>;
  readonly children: Map<string, Node>;
}

/** A reader written from the specification, which shares nothing with the writer. */
function readTree(blob: Uint8Array): Node {
  const view = new DataView(blob.buffer, blob.byteOffset, blob.length);
  const word = (offset: number) => view.getUint32(offset);
  const text = (offset: number) => {
    const end = blob.indexOf(0, offset);
    return new TextDecoder().decode(blob.subarray(offset, end));
  };
  expect(word(0)).toBe(0xd00dfeed);
  expect(word(4)).toBe(blob.length);
  const strings = word(12);
  const end = word(8) + word(36);
  expect(word(20)).toBe(17);
  expect([word(16), word(16) + 4, word(16) + 8, word(16) + 12].map(word)).toEqual([0, 0, 0, 0]);
  expect(strings + word(32)).toBeLessThanOrEqual(blob.length);
  let at = word(8);
  const node = (): Node => {
    const found: Node = { properties: new Map(), children: new Map() };
    for (;;) {
      const token = word(at);
      at += 4;
      if (token === 3) {
        const [bytes, name] = [word(at), text(strings + word(at + 4))];
        found.properties.set(name, blob.subarray(at + 8, at + 8 + bytes));
        at = (at + 8 + bytes + 3) & ~3;
      } else if (token === 1) {
        const name = text(at);
        at = (at + name.length + 1 + 3) & ~3;
        found.children.set(name, node());
      } else if (token === 2) {
        return found;
      } else {
        throw new Error(`token ${token} at ${at - 4}`);
      }
    }
  };
  expect(word(at)).toBe(1);
  expect(word(at + 4)).toBe(0);
  at += 8;
  const root = node();
  expect(word(at)).toBe(9);
  expect(at + 4).toBe(end);
  return root;
}

function tree(options: SimOptions): Node {
  const check = checkOptions(options);
  if (check.kind === "refused") throw new Error(check.reason);
  return readTree(buildDeviceTree(check.options));
}

function child(node: Node | undefined, ...path: string[]): Node {
  let found = node;
  for (const name of path) found = found?.children.get(name);
  if (found === undefined) throw new Error(`no node ${path.join("/")}`);
  return found;
}

function cells(node: Node, name: string): number[] {
  const bytes = node.properties.get(name) ?? new Uint8Array(0);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: bytes.length / 4 }, (_, index) => view.getUint32(index * 4));
}

function textOf(node: Node, name: string): string {
  return new TextDecoder().decode(node.properties.get(name));
}

describe("device tree", () => {
  it("device tree: harts numbered freely: one cpu node each, in order, with its hart id", () => {
    const cpus = child(tree({ harts: 3, hartIds: [7, 2, 30], bootHart: 2, ticksPerSecond: 12345 }), "cpus");
    expect([...cpus.children.keys()]).toEqual(["cpu@7", "cpu@2", "cpu@1e"]);
    expect(cells(cpus, "timebase-frequency")).toEqual([12345]);
    expect(cells(cpus, "#address-cells")).toEqual([1]);
    for (const [name, id] of [["cpu@7", 7] as const, ["cpu@1e", 30] as const]) {
      const cpu = child(cpus, name);
      expect(textOf(cpu, "device_type")).toBe("cpu\0");
      expect(textOf(cpu, "status")).toBe("okay\0");
      expect(cells(cpu, "reg")).toEqual([id]);
      expect(textOf(child(cpu, "interrupt-controller"), "compatible")).toBe("riscv,cpu-intc\0");
    }
  });

  it("device tree: SSWI asked for: named with its address and each hart's interrupt; else absent", () => {
    const options = { harts: 2, hartIds: [1, 0] };
    const with1 = tree({ ...options, sswi: true });
    const sswi = child(with1, "soc", "sswi@2f00000");
    expect(textOf(sswi, "compatible")).toBe("riscv,aclint-sswi\0");
    expect(cells(sswi, "reg")).toEqual([0, 0x2f00000, 0, 0x4000]);
    const phandles = ["cpu@1", "cpu@0"].map((name) =>
      cells(child(with1, "cpus", name, "interrupt-controller"), "phandle"),
    );
    expect(cells(sswi, "interrupts-extended")).toEqual([...(phandles[0] ?? []), 1, ...(phandles[1] ?? []), 1]);
    expect(child(tree(options), "soc").children.size).toBe(0);
  });

  it("device tree: 64 harts: a node each, memory and chosen present", () => {
    const root = tree({ harts: 64 });
    expect(child(root, "cpus").children.size).toBe(64);
    expect(cells(child(root, "memory@80000000"), "reg")).toEqual([0, 0x80000000, 0, 0x8000000]);
    expect(root.children.has("chosen")).toBe(true);
  });
});
