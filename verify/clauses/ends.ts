// Checks of bounds at their ends: one below passes, the end itself does not (I9, C2).
//
// Partners: case.ts; kernel/resched.test.ts, which runs them on the shipped kernel.

import { CPUS_MAX, IDLE_SPACE } from "../../abi/layout.ts";
import { TrapCause } from "../../abi/traps.ts";
import type { Case } from "../rig/case.ts";
import type { KernelImage } from "../rig/kernel-image.ts";
import { REQUESTS_PENDING_MAX, RESCHED } from "../rig/kernel-map.ts";
import { refute, same } from "../rig/refutation.ts";
import { Rig } from "../rig/rig.ts";

/** Numbers that are kept back before a number's range ends: more than can be drawn between two ticks. */
const RESERVE = 0x1000_0000;
const REQUESTS_MAX = 2 ** 43 - RESERVE;
const EVENTS_MAX = 2 ** 47 - RESERVE;
const CPU = 1;

/** One tick of CPU 1 after `setUp`: whether the kernel stops the machine. */
function tickStops(kernel: KernelImage, setUp: (rig: Rig) => void): boolean {
  const rig = Rig.open(kernel, { cpus: 2 });
  setUp(rig);
  try {
    same(rig.trap(CPU, TrapCause.TimerInterrupt), IDLE_SPACE, "the space entered by the tick");
    return false;
  } catch (thrown) {
    if (thrown instanceof WebAssembly.RuntimeError) return true;
    throw thrown;
  }
}

export const endChecks: readonly Case[] = [
  {
    clause: "I9",
    title: "tick: the last request number and the last event number: one below them it goes on, at them it stops",
    run: (kernel) => {
      for (const [less, isStop] of [
        [2, false],
        [1, false],
        [0, true],
        [-1, true],
      ] as const) {
        const taken = REQUESTS_MAX - less;
        const state = { taken, count: 0, sent: false, failed: false };
        same(
          tickStops(kernel, (rig) => rig.setResched(CPU, state)),
          isStop,
          `whether it stops at request ${taken}`,
        );
        const number = EVENTS_MAX - less;
        const stops = tickStops(kernel, (rig) => rig.setLastEvent(CPU, number));
        same(stops, isStop, `whether it stops at event ${number}`);
      }
    },
  },
  {
    clause: "I9",
    title:
      "resched: one request below the most that may be pending, and no IPI on its way: accepted; at the most: refused",
    run: (kernel) => {
      for (const count of [REQUESTS_PENDING_MAX - 2, REQUESTS_PENDING_MAX - 1, REQUESTS_PENDING_MAX, 0xffff]) {
        const rig = Rig.open(kernel, { cpus: 2 });
        const state = { taken: 3, count, sent: false, failed: false };
        rig.setResched(CPU, state);
        const isFull = count >= REQUESTS_PENDING_MAX;
        const what = `a request with ${count} pending`;
        same(rig.requestResched(0, CPU), isFull ? RESCHED.TooManyPending : RESCHED.Sent, `the answer to ${what}`);
        const accepted = { ...state, count: count + 1, sent: true };
        same(rig.resched(CPU), isFull ? state : accepted, `the state after ${what}`);
        same(rig.machine.rungCpus().length, isFull ? 0 : 1, `IPIs of ${what}`);
        same(rig.counter(0, "accepted"), isFull ? 0 : 1, `requests counted after ${what}`);
      }
    },
  },
  {
    clause: "C2",
    title: "cpu id: every CPU of the largest machine, its pointer lost: the stack names it, the last one too",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: CPUS_MAX });
      for (let cpu = 0; cpu < CPUS_MAX; cpu++) {
        rig.machine.hartOf(cpu).pointer = 0x5a5a5a5an;
        same(rig.cpuId(cpu), cpu, `the answer on cpu${cpu}`);
        same(rig.counter(cpu, "identityFallbacks"), 1, `fallbacks counted by cpu${cpu}`);
      }
      const last = rig.machine.hartOf(CPUS_MAX - 1);
      last.slot += 1;
      same(rig.cpuId(CPUS_MAX - 1), 0, "the answer on the stack behind the last");
      if (rig.counter(0, "identityFallbacks") !== 2) refute("the answer on the stack behind the last is not counted");
    },
  },
];
