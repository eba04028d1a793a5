// Device tree blob: the flattened description of the machine that the kernel reads, in the shape of QEMU's virt board.
//
// Format: Devicetree Specification 0.4, chapter 5 (version 17 of the flattened format); all numbers are big-endian.
// Node names, cell counts and the order cpus, soc follow QEMU, so the kernel's parser meets the same tree twice.
// Partners: machine-calls.ts hands out its words; the kernel's parser reads them.

import type { CheckedOptions } from "./options.ts";

/** Physical address of the SSWI device: its n-th hart (options.sswiHarts) has its register 4n bytes further. */
export const SSWI_ADDRESS = 0x2f00000;
const SSWI_BYTES = 0x4000;

const MEMORY_ADDRESS = 0x8000_0000;
const MEMORY_BYTES = 0x800_0000;

const MAGIC = 0xd00dfeed;
const VERSION = 17;
const LAST_COMPATIBLE_VERSION = 16;
const HEADER_BYTES = 40;
const RESERVATION_BYTES = 16;

const TOKEN_BEGIN_NODE = 1;
const TOKEN_END_NODE = 2;
const TOKEN_PROPERTY = 3;
const TOKEN_END = 9;

/** The interrupt of S_SOFT at a hart's own interrupt controller. */
const SUPERVISOR_SOFT = 1;

export function buildDeviceTree(options: CheckedOptions): Uint8Array {
  const tree = new TreeWriter();
  tree.begin("");
  tree.cells("#address-cells", 2);
  tree.cells("#size-cells", 2);
  tree.text("compatible", "riscv-virtio");
  tree.text("model", "riscv-virtio,hartbeat-sim");
  tree.begin("chosen");
  tree.text("bootargs", "");
  tree.end();
  tree.begin(`memory@${MEMORY_ADDRESS.toString(16)}`);
  tree.text("device_type", "memory");
  tree.cells("reg", 0, MEMORY_ADDRESS, 0, MEMORY_BYTES);
  tree.end();
  writeCpus(tree, options);
  writeSoc(tree, options);
  tree.end();
  return tree.finish(options.hartIds[options.bootIndex] ?? 0);
}

function writeCpus(tree: TreeWriter, { hartIds, ticksPerSecond }: CheckedOptions): void {
  tree.begin("cpus");
  tree.cells("#address-cells", 1);
  tree.cells("#size-cells", 0);
  tree.cells("timebase-frequency", ticksPerSecond);
  hartIds.forEach((id, index) => {
    tree.begin(`cpu@${id.toString(16)}`);
    tree.text("device_type", "cpu");
    tree.cells("reg", id);
    tree.text("status", "okay");
    tree.text("compatible", "riscv");
    tree.text("riscv,isa", "rv64imac_zicsr");
    tree.text("mmu-type", "riscv,sv39");
    tree.begin("interrupt-controller");
    tree.cells("#interrupt-cells", 1);
    tree.cells("interrupt-controller");
    tree.text("compatible", "riscv,cpu-intc");
    tree.cells("phandle", phandleOf(index));
    tree.end();
    tree.end();
  });
  tree.end();
}

function writeSoc(tree: TreeWriter, { hartIds, sswi, sswiHarts }: CheckedOptions): void {
  tree.begin("soc");
  tree.cells("#address-cells", 2);
  tree.cells("#size-cells", 2);
  tree.text("compatible", "simple-bus");
  tree.cells("ranges");
  if (sswi) {
    tree.begin(`sswi@${SSWI_ADDRESS.toString(16)}`);
    tree.cells("#interrupt-cells", 0);
    tree.cells("interrupt-controller");
    tree.cells("interrupts-extended", ...sswiHarts.flatMap((id) => [phandleOf(hartIds.indexOf(id)), SUPERVISOR_SOFT]));
    tree.cells("reg", 0, SSWI_ADDRESS, 0, SSWI_BYTES);
    tree.text("compatible", "riscv,aclint-sswi");
    tree.end();
  }
  tree.end();
}

function phandleOf(index: number): number {
  return index + 1;
}

/** Writes nodes and properties in order, then lays out the blob. */
class TreeWriter {
  private readonly structure: number[] = [];
  private readonly strings: number[] = [];
  private readonly stringOffsets = new Map<string, number>();

  begin(name: string): void {
    this.word(TOKEN_BEGIN_NODE);
    this.padded([...characters(name), 0]);
  }

  end(): void {
    this.word(TOKEN_END_NODE);
  }

  cells(name: string, ...values: readonly number[]): void {
    this.property(name, values.flatMap(bigEndian));
  }

  text(name: string, value: string): void {
    this.property(name, [...characters(value), 0]);
  }

  finish(bootHart: number): Uint8Array {
    this.word(TOKEN_END);
    const structureStart = HEADER_BYTES + RESERVATION_BYTES;
    const stringsStart = structureStart + this.structure.length;
    const totalBytes = (stringsStart + this.strings.length + 3) & ~3;
    const header = [
      MAGIC,
      totalBytes,
      structureStart,
      stringsStart,
      HEADER_BYTES,
      VERSION,
      LAST_COMPATIBLE_VERSION,
      bootHart,
      this.strings.length,
      this.structure.length,
    ];
    const blob = new Uint8Array(totalBytes);
    blob.set(header.flatMap(bigEndian), 0);
    blob.set(this.structure, structureStart);
    blob.set(this.strings, stringsStart);
    return blob;
  }

  private property(name: string, value: readonly number[]): void {
    this.word(TOKEN_PROPERTY);
    this.word(value.length);
    this.word(this.stringOffset(name));
    this.padded(value);
  }

  private stringOffset(name: string): number {
    const known = this.stringOffsets.get(name);
    if (known !== undefined) return known;
    const offset = this.strings.length;
    this.strings.push(...characters(name), 0);
    this.stringOffsets.set(name, offset);
    return offset;
  }

  private word(value: number): void {
    this.structure.push(...bigEndian(value));
  }

  private padded(bytes: readonly number[]): void {
    this.structure.push(...bytes);
    while (this.structure.length % 4 !== 0) this.structure.push(0);
  }
}

function characters(text: string): number[] {
  return Array.from(text, (character) => character.charCodeAt(0));
}

function bigEndian(value: number): number[] {
  return [(value >>> 24) & 255, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
}
