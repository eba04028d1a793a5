// Fake workload: consoles of workloads behind the interface of workload-machine.ts, for tests of the command line.

import { TASK_FORM, TASK_PREFIX } from "../../abi/markers.ts";
import { Qos } from "../../abi/qos.ts";
import { FIRST_TASK, formLine } from "../../proof/testing/honest-console.ts";
import type { TraceEvent } from "../../trace/event.ts";
import type { PhaseTable } from "../../workload/phase-table.ts";
import { BUILT_IN_PROGRAMS } from "../user-programs.ts";
import type { OpenWorkload } from "../workload-machine.ts";
import { type FakeRun, fakeMachines } from "./fake-console.ts";

/** A machine that plays a console for each table that it is started with; `tables` lists these. events: of each run. */
export function fakeWorkloads(
  play: (table: PhaseTable) => FakeRun,
  events?: readonly TraceEvent[],
): {
  readonly open: OpenWorkload;
  readonly tables: PhaseTable[];
} {
  const tables: PhaseTable[] = [];
  const open: OpenWorkload = async () => ({
    kind: "open",
    ticksPerSecond: 1_000_000,
    kernel: null,
    observes: events !== undefined,
    start: async (spec, table) => {
      tables.push(table);
      const opening = await fakeMachines(() => play(table)).open(spec.kind);
      if (opening.kind !== "open") throw new Error("a fake machine opens always");
      const run = opening.start(spec);
      return events === undefined ? run : { ...run, events: () => events };
    },
  });
  return { open, tables };
}

/** What the kernel and each task print when all of them end well, the last row first. */
export function endedConsole({ rows }: PhaseTable): string[] {
  const own = rows.map((_, row) => `[${FIRST_TASK + row}] workload row=${row} end=0 loops=3 phases=4 late=${row}`);
  const kernel = rows.map(({ qos }, row) =>
    formLine(TASK_PREFIX, TASK_FORM, [
      FIRST_TASK + row,
      BUILT_IN_PROGRAMS,
      Qos[qos] ?? "",
      5,
      1,
      2,
      3,
      0,
      "exit",
      0,
      0,
    ]),
  );
  const probe = formLine(TASK_PREFIX, TASK_FORM, [FIRST_TASK + 200, 0, "Normal", 1, 0, 0, 0, 0, "exit", 7, 0]);
  return ["OpenSBI v1.1", ...own.toReversed(), probe, ...kernel, "RESULT: passed"];
}
