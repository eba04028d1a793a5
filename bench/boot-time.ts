// Boot time: from QEMU's start to the kernel's first byte, to the last marker and to the end, with parallel harts.
//
// Owner: none. These are times of this machine, today: medians of a few runs, with nothing else to compare them with.
// Pairs with: machines/virt/qemu.ts, abi/markers.ts.
import { BOOT_PREFIX, MARKER_REJECT_STEAL_HIGHER_QOS, MARKER_SMP_SKIPPED } from "../abi/markers.ts";
import { PowerOff } from "../abi/results.ts";
import { startQemu } from "../machines/virt/qemu.ts";
import { buildElf } from "../toolchain/build.ts";
import { type BenchSize, type GroupOutcome, type Section, verdictOf } from "./result.ts";
import { BOOT_TARGET_MS } from "./targets.ts";

const HARTS = [1, 2, 4, 8] as const;
const RUNS = 7;

/** Milliseconds since QEMU's start. */
interface Times {
  firstByte: number;
  lastMarker: number;
  end: number;
}

export async function measureBoot(size: BenchSize): Promise<GroupOutcome> {
  const count = size === "whole" ? RUNS : 1;
  const elf = await buildElf();
  if (elf.kind === "missing-compiler") return { kind: "missing-tool", message: elf.message };
  if (elf.kind === "refused") return { kind: "failed", message: elf.lines[0] ?? elf.step };
  const figures: Record<string, number> = {};
  const rows: string[][] = [];
  for (const harts of HARTS) {
    const runs: Times[] = [];
    for (let run = 0; run < count; run++) {
      const times = await bootOnce(elf.elf, harts);
      if ("kind" in times) return times;
      runs.push(times);
    }
    const median = (of: (times: Times) => number): number => runs.map(of).toSorted((a, b) => a - b)[count >> 1] ?? 0;
    const over = median((times) => times.lastMarker - times.firstByte);
    figures[`boot.${harts}.first-byte`] = median((times) => times.firstByte);
    figures[`boot.${harts}.last-marker`] = median((times) => times.lastMarker);
    figures[`boot.${harts}.end`] = median((times) => times.end);
    const cells = [median((t) => t.firstByte), median((t) => t.lastMarker), over, median((t) => t.end)];
    rows.push([
      `${harts}`,
      ...cells.map((one) => one.toFixed(0)),
      `${BOOT_TARGET_MS}`,
      verdictOf(over, BOOT_TARGET_MS),
    ]);
  }
  const section: Section = {
    title: `Boot on virt, parallel harts, milliseconds, median of ${count}`,
    note: "First byte: QEMU's and OpenSBI's own time until the kernel speaks. Over: from there to the last marker. End: default tasks included. xv6-riscv takes about 800 to its prompt.",
    header: ["harts", "first byte", "last marker", "over", "end", "target", ""],
    rows,
  };
  return { kind: "measured", result: { sections: [section], figures } };
}

async function bootOnce(elf: string, harts: number): Promise<Times | Exclude<GroupOutcome, { kind: "measured" }>> {
  const start = performance.now();
  const started = await startQemu({ elf, harts, signal: AbortSignal.timeout(60_000) });
  if (started.kind === "missing-qemu") return { kind: "missing-tool", message: started.message };
  if (started.kind !== "started") return { kind: "failed", message: started.message };
  let firstByte: number | undefined;
  let lastMarker: number | undefined;
  const wanted = harts === 1 ? MARKER_SMP_SKIPPED : MARKER_REJECT_STEAL_HIGHER_QOS;
  for await (const line of started.run.lines) {
    if (line.startsWith(BOOT_PREFIX)) firstByte = performance.now() - start;
    if (line === wanted) lastMarker = performance.now() - start;
  }
  const exit = await started.run.exit;
  if (
    exit.kind !== "powered-off" ||
    exit.result !== PowerOff.Passed ||
    firstByte === undefined ||
    lastMarker === undefined
  )
    return {
      kind: "failed",
      message: `a boot with ${harts} harts did not pass; try: npx hartbeat boot --machine virt --smp ${harts}`,
    };
  return { firstByte, lastMarker, end: performance.now() - start };
}
