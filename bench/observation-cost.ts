// Observation cost: what a trap costs more where the machine observes the kernel, in instructions an event.
//
// The image is the one of the operations; its user tasks count the same traps, and the records count the events of one.
// Owner: none. Pairs with: board-run.ts, which runs it; machines/virt/observer.c, whose cost this is.
import { Syscall } from "../abi/syscalls.ts";
import type { TraceEvent } from "../trace/event.ts";
import { numberIn, type Reading, readBoard, readObservedBoard } from "./board-run.ts";
import { buildImage } from "./image.ts";
import type { GroupOutcome } from "./result.ts";

const HARTS = 4;

/** What the user tasks count, and the event without which a trap is another one. */
const TRAPS = [
  { user: "cpu-id-call", title: "system call: own CPU's number", call: Syscall.CpuId, last: "answer" },
  { user: "switch", title: "switch from task to task by yield", call: Syscall.Yield, last: "switch" },
] as const;

export async function measureObservation(): Promise<GroupOutcome> {
  const image = await buildImage("operations");
  if (image.kind === "missing-tool") return image;
  if (image.kind === "refused") return { kind: "failed", message: image.lines[0] ?? "the image cannot be built" };
  const off = await readBoard({ elf: image.elf, harts: HARTS });
  if (off.kind !== "read") return off;
  const on = await readObservedBoard({ elf: image.elf, harts: HARTS });
  if (on.kind !== "read") return on;
  const figures: Record<string, number> = {};
  const rows = TRAPS.map(({ user, title, call, last }) => {
    const [without, observed] = [countOf(off.readings, user), countOf(on.readings, user)];
    const events = eventsOf(on.events, call, last);
    const each = Math.round((observed - without) / events);
    Object.assign(figures, { [`observation.${user}.off`]: without, [`observation.${user}.on`]: observed });
    figures[`observation.${user}.event`] = each;
    return [title, `${without}`, `${observed}`, `${events}`, `${each}`];
  });
  const section = {
    title: "Observation, U-mode to U-mode",
    note: "Counted by user tasks, from before the ecall to after it, with nobody observing and with the harts observed. Events: what such a trap writes; event: what one costs.",
    header: ["what", "off", "on", "events", "event"],
    rows,
  };
  return { kind: "measured", result: { sections: [section], figures } };
}

function countOf(readings: readonly Reading[], user: string): number {
  const reading = readings.find((one) => one.get("user") === user);
  if (reading === undefined) throw new Error(`the benchmark's image printed nothing of ${user}`);
  return numberIn(reading, "count");
}

/** How many events the traps of that call write, with `last` among them; the most usual number. */
function eventsOf(events: readonly TraceEvent[], call: Syscall, last: "answer" | "switch"): number {
  const traps = new Map<number, TraceEvent[]>();
  const counts = new Map<number, number>();
  for (const event of events) {
    if (event.kind === "trap") {
      countTrap(traps.get(event.cpu) ?? [], call, last, counts);
      traps.set(event.cpu, [event]);
    } else traps.get(event.cpu)?.push(event);
  }
  const [usual] = [...counts].toSorted(([, one], [, other]) => other - one);
  if (usual === undefined) throw new Error(`no trap of call ${call} was observed`);
  return usual[0];
}

function countTrap(trap: readonly TraceEvent[], call: Syscall, last: string, counts: Map<number, number>): void {
  const [entry] = trap;
  if (entry?.kind !== "trap" || entry.call !== call) return;
  const switches = trap.some(({ kind }) => kind === "switch");
  if (switches === (last === "switch")) counts.set(trap.length, (counts.get(trap.length) ?? 0) + 1);
}
