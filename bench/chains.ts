// Chains: what a resched request costs from its acceptance on one hart to the end of the trap that acknowledges it on
// another, through the firmware and by the SSWI device.
//
// Owner: none. Invariant: -icount has one counter for all harts, so the sum is the work of both and of the firmware.
// Pairs with: bench/native/resched-chains.c (the parts), targets.ts.
import { numberIn, readBoard, type Reading } from "./board-run.ts";
import { buildImage } from "./image.ts";
import { type GroupOutcome, type Section, verdictOf } from "./result.ts";
import { FIRMWARE_FLOOR, RATIO_TARGET, RESCHED_FIRMWARE_TARGET, RESCHED_SSWI_TARGET } from "./targets.ts";

const HARTS = 2;
const PARTS = ["request", "delivery", "trap"] as const;
/** What has a twin: the way between the harts is the machine's. */
const TWIN_PARTS = ["twin-request", "twin-trap"] as const;

const TITLES: Readonly<Record<string, string>> = {
  "selftest-phase": "the target idles, tasks may not run yet",
  idle: "the target idles, finds nothing and looks at the other CPU",
};

export async function measureChains(): Promise<GroupOutcome> {
  const image = await buildImage("chains");
  if (image.kind === "missing-tool") return image;
  if (image.kind === "refused") return { kind: "failed", message: image.lines[0] ?? "the image cannot be built" };
  const figures: Record<string, number> = {};
  const rows: string[][] = [];
  for (const aclint of [false, true]) {
    const outcome = await readBoard({ elf: image.elf, harts: HARTS, aclint });
    if (outcome.kind !== "read") return outcome;
    rows.push(...outcome.readings.filter((one) => one.has("chain")).map((one) => chainRow(one, figures)));
  }
  const section: Section = {
    title: `Resched chain, ${HARTS} harts`,
    note: `Retired instructions of both harts and the firmware. Request: requestResched, with the firmware's part on the sender. Delivery: the firmware on the target, and trap entry. Trap: the kernel's part, to its return; the ack lies a little before. The firmware alone is said to take ${FIRMWARE_FLOOR.join(" to ")}.`,
    header: ["chain", "path", ...PARTS, "sum", "target", "", "twin", "ratio", ""],
    rows,
  };
  return { kind: "measured", result: { sections: [section], figures } };
}

function chainRow(reading: Reading, figures: Record<string, number>): string[] {
  const chain = reading.get("chain") ?? "";
  const path = reading.get("path") ?? "";
  const parts = PARTS.map((part) => numberIn(reading, part));
  const sum = parts.reduce((total, one) => total + one, 0);
  figures[`chains.${chain}.${path}`] = sum;
  const most = path === "sswi" ? RESCHED_SSWI_TARGET : FIRMWARE_FLOOR[1] + RESCHED_FIRMWARE_TARGET;
  const kernel = numberIn(reading, "request") + numberIn(reading, "trap");
  const twin = TWIN_PARTS.reduce((total, part) => total + numberIn(reading, part), 0);
  const twins = TWIN_PARTS.map((part) => numberIn(reading, part)).join(" + ");
  return [
    ...[TITLES[chain] ?? chain, path, ...parts.map(String), `${sum}`, `${most}`, verdictOf(sum, most)],
    ...[twins, (kernel / twin).toFixed(2), verdictOf(kernel / twin, RATIO_TARGET)],
  ];
}
