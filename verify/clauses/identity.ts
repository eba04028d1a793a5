// Checks of the CPU identity: section C of the contract.
//
// Partners: case.ts; kernel/cpu-id.test.ts, which runs them on the shipped kernel.

import { CPUS_MAX, HART_BASE, HART_STRIDE } from "../../abi/layout.ts";
import { TrapCause } from "../../abi/traps.ts";
import type { Case } from "../rig/case.ts";
import { PausableEngine } from "../rig/engine.ts";
import { STACK_SLOT_FIRST } from "../rig/fake-machine.ts";
import { HART_FIELDS, hartAddress } from "../rig/kernel-map.ts";
import { holds, same } from "../rig/refutation.ts";
import { Rig } from "../rig/rig.ts";
import { bootOnSim, fieldOf } from "../rig/sim-run.ts";
import { snapshot, unchangedBut } from "../rig/snapshot.ts";

/** Pointers that are no hart region's, or not exactly its address. */
const POISONS = [
  0,
  1,
  -1,
  0x5a5a5a5a,
  0x7fffffff,
  -0x80000000,
  HART_BASE - HART_STRIDE,
  HART_BASE + 1,
  HART_BASE + 4,
  HART_BASE + 2048,
  HART_BASE + CPUS_MAX * HART_STRIDE,
  HART_BASE + CPUS_MAX * HART_STRIDE - 4,
];

/** What bits of the register's high half may hold: each alone, and all of them. */
const HIGH_HALVES = [...Array.from({ length: 32 }, (_, bit) => 1n << BigInt(32 + bit)), -1n << 32n];

/** The answer of `cpu`'s hart with that `tp`, and how many fallbacks it counted over all CPUs. */
function askWith(
  rig: Rig,
  cpu: number,
  pointer: number | bigint,
): { readonly answer: number; readonly fallbacks: number } {
  const hart = rig.machine.hartOf(cpu);
  const saved = hart.pointer;
  const before = fallbacksOf(rig);
  hart.pointer = BigInt.asIntN(64, BigInt(pointer));
  const answer = rig.cpuId(cpu);
  hart.pointer = saved;
  return { answer, fallbacks: fallbacksOf(rig) - before };
}

function fallbacksOf(rig: Rig): number {
  return rig.machine.harts.reduce((sum, { cpu }) => sum + rig.counter(cpu, "identityFallbacks"), 0);
}

export const identityChecks: readonly Case[] = [
  {
    clause: "C1",
    title: "cpu id: each hart with its own pointer: believed, without a fallback and without a write",
    run: (kernel) => {
      for (const cpus of [1, 2, 5, CPUS_MAX]) {
        const rig = Rig.open(kernel, { cpus });
        const before = snapshot(rig);
        for (let cpu = 0; cpu < cpus; cpu++) same(rig.cpuId(cpu), cpu, `cpu id of cpu${cpu} of ${cpus}`);
        unchangedBut(rig, before, [], "the fast path");
      }
    },
  },
  {
    clause: "C1",
    title: "cpu id: a pointer out of range, misaligned or without the magic: not believed, and the stack decides",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 3 });
      for (const poison of POISONS) {
        for (let cpu = 0; cpu < 3; cpu++) {
          if (poison === hartAddress(cpu)) continue;
          same(askWith(rig, cpu, poison), { answer: cpu, fallbacks: 1 }, `cpu${cpu} with tp ${poison}`);
        }
      }
    },
  },
  {
    clause: "C1",
    title: "cpu id: a misaligned pointer at a copy of the caller's own stamp: not believed",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 3 });
      for (const offset of [8, 512, 1024, 2048, 2052]) {
        const pointer = hartAddress(2) + offset;
        new DataView(rig.bytes.buffer).setInt32(pointer + HART_FIELDS.stamp, rig.field(1, "stamp"), true);
        same(askWith(rig, 1, pointer), { answer: 1, fallbacks: 1 }, `cpu1 with tp ${offset} bytes into cpu2's block`);
      }
    },
  },
  {
    clause: "C1",
    title: "cpu id: the pointer of a CPU that is offline or not there: not believed",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 4, online: 3 });
      for (const claimed of [3, 4, CPUS_MAX - 1]) {
        same(
          askWith(rig, 1, hartAddress(claimed)),
          { answer: 1, fallbacks: 1 },
          `cpu1 with the pointer of cpu${claimed}`,
        );
      }
    },
  },
  {
    clause: "C1",
    title: "cpu id: the caller's own pointer with bits of the high half set: not believed, each bit, trap entry too",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 3 });
      for (const high of HIGH_HALVES) {
        const pointer = BigInt(hartAddress(1)) + high;
        same(askWith(rig, 1, pointer), { answer: 1, fallbacks: 1 }, `cpu1 with tp ${pointer}`);
        const before = fallbacksOf(rig);
        rig.machine.hartOf(1).pointer = BigInt.asIntN(64, pointer);
        rig.trap(1, TrapCause.SoftInterrupt);
        rig.machine.hartOf(1).pointer = BigInt(hartAddress(1));
        same(fallbacksOf(rig) - before, 1, `fallbacks of a trap of cpu1 with tp ${pointer}`);
      }
    },
  },
  {
    clause: "C2",
    title: "cpu id: pointer and stack name different CPUs: the stack wins, every pair",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 4 });
      for (let cpu = 0; cpu < 4; cpu++) {
        for (let claimed = 0; claimed < 4; claimed++) {
          if (claimed === cpu) continue;
          same(
            askWith(rig, cpu, hartAddress(claimed)),
            { answer: cpu, fallbacks: 1 },
            `cpu${cpu} with the pointer of cpu${claimed}`,
          );
        }
      }
    },
  },
  {
    clause: "C3",
    title: "cpu id: a stack that is nobody's: BOOT, whatever the pointer says",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 4, online: 3 });
      for (const slot of [0, STACK_SLOT_FIRST - 1, STACK_SLOT_FIRST + 3, STACK_SLOT_FIRST + CPUS_MAX, -1]) {
        for (const pointer of [hartAddress(2), hartAddress(1), hartAddress(3), hartAddress(0), ...POISONS]) {
          rig.machine.hartOf(2).slot = slot;
          same(askWith(rig, 2, pointer), { answer: 0, fallbacks: 1 }, `tp ${pointer} on stack slot ${slot}`);
        }
      }
    },
  },
  {
    clause: "C4",
    title: "cpu id: fast path and fallback, 1 and 64 CPUs: the same answers in the same few steps",
    run: (kernel) => {
      const seen = [1, CPUS_MAX].map((cpus) => {
        const engine = new PausableEngine(kernel, cpus);
        const rig = new Rig(engine, { cpus });
        const last = cpus - 1;
        const askers = [
          { cpu: 0, pointer: hartAddress(0), slot: STACK_SLOT_FIRST },
          { cpu: last, pointer: 0x5a5a5a5a, slot: STACK_SLOT_FIRST + last },
          { cpu: last, pointer: hartAddress(0) + 4, slot: -1 },
        ];
        return askers.map(({ cpu, pointer, slot }) => {
          Object.assign(rig.machine.hartOf(cpu), { pointer: BigInt(pointer), slot });
          const { outcome, steps } = engine.run(cpu, "cpuId", [], false, Infinity);
          return { isRight: outcome.kind === "returned" && outcome.value === (slot < 0 ? 0 : cpu), steps };
        });
      });
      same(seen[1], seen[0], "answers and steps at 64 CPUs beside those at 1");
      for (const one of seen.flat())
        holds(one.isRight && one.steps <= 6, `cpu id took ${one.steps} steps, or answered wrong`);
    },
  },
  {
    clause: "C5",
    title: "cpu id: fallbacks: each one counted, on the CPU that was answered",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 3 });
      for (let i = 1; i <= 5; i++) {
        askWith(rig, 2, 0x5a5a5a5a);
        same(
          [0, 1, 2].map((cpu) => rig.counter(cpu, "identityFallbacks")),
          [0, 0, i],
          "fallbacks counted",
        );
      }
    },
  },
  {
    clause: "C5",
    title: "boot on sim: no fallback after the selftests; with a poisoned tp every trap of that hart is counted",
    run: async (kernel) => {
      const clean = await bootOnSim(kernel, { harts: 2 });
      same(fieldOf(clean.harts, "fallbacks"), ["0", "0"], "fallbacks reported");
      const poisoned = await bootOnSim(kernel, {
        harts: 2,
        faults: { poisonedPointers: [{ hart: 1, value: 0x5a5an }] },
      });
      const [boot, other] = fieldOf(poisoned.harts, "fallbacks");
      same(boot, "0", "fallbacks of cpu0 while cpu1's tp is poisoned");
      holds(Number(other) > 10, `cpu1 reports ${other} fallbacks although its tp is poisoned at every entry`);
    },
  },
];
