// Checks of IPIs that the machine refused, and of the tick that sends them again (I4): which CPUs get one, how often, and
// what is pending afterwards.
//
// A kill of a task that another CPU runs rings that CPU: the way by which these checks have the boot hart notify.
// Partners: case.ts; kernel/resched.test.ts, which runs them on the shipped kernel.

import { Qos } from "../../abi/qos.ts";
import { MachineError } from "../../abi/results.ts";
import type { Case } from "../rig/case.ts";
import type { KernelImage } from "../rig/kernel-image.ts";
import { KILL, REQUESTS_PENDING_MAX, RESCHED } from "../rig/kernel-map.ts";
import { same } from "../rig/refutation.ts";
import { Rig } from "../rig/rig.ts";

const CPUS = 4;
const { Ok, Failed } = MachineError;

/** CPU n runs task n. */
function open(kernel: KernelImage, refused: readonly number[]): Rig {
  const rig = Rig.open(kernel, { cpus: CPUS });
  for (let cpu = 0; cpu < CPUS; cpu++) rig.run(cpu, cpu, Qos.Normal);
  refuse(rig, refused);
  return rig;
}

/** From now on the machine refuses the IPIs for these CPUs. */
function refuse(rig: Rig, cpus: readonly number[]): void {
  const hartIds = cpus.map((cpu) => rig.machine.hartOf(cpu).hartId);
  rig.machine.sendAnswer = (hartId) => (hartIds.includes(hartId) ? Failed : Ok);
}

/** The boot hart rings these CPUs, one after the other. */
function notify(rig: Rig, cpus: readonly number[]): void {
  for (const cpu of cpus) {
    rig.setLife(cpu, { ...rig.life(cpu), signals: 0 });
    same(rig.kill(cpu), KILL.Requested, `the kill of cpu${cpu}'s task`);
  }
  rig.machine.calls.length = 0;
}

/** The IPIs of one tick of a CPU: the CPUs asked for, and whether the machine rang them. */
function sendsAgain(rig: Rig, cpu = 0): string[] {
  rig.machine.calls.length = 0;
  rig.retryUnsent(cpu);
  return rig.machine.calls.flatMap((call) => (call.kind === "ipi" ? [`${call.cpu} ${call.answer}`] : []));
}

const RANG = (cpu: number): string => `${cpu} ${Ok}`;
const REFUSED = (cpu: number): string => `${cpu} ${Failed}`;

function pending(rig: Rig): string[] {
  return Array.from({ length: CPUS }, (_, cpu) => {
    const { count, sent, failed } = rig.resched(cpu);
    return `${count}${sent ? " sent" : ""}${failed ? " failed" : ""}`;
  });
}

export const unsentChecks: readonly Case[] = [
  {
    clause: "I4",
    title:
      "notify: one CPU refused, once or twice: the tick rings it once, and no CPU that another hart could not ring",
    run: (kernel) => {
      for (const targets of [[2], [2, 2], [2, 2, 2]]) {
        const rig = open(kernel, [2, 3]);
        same(rig.requestResched(1, 3), RESCHED.SendFailed, "a request of another hart");
        notify(rig, targets);
        refuse(rig, []);
        const count = targets.length;
        same(pending(rig), ["0", "0", `${count} sent failed`, "1 sent failed"], "pending before the tick");
        same(sendsAgain(rig, 1), [], "IPIs of another hart's tick");
        same(sendsAgain(rig), [RANG(2)], `IPIs of the tick after ${count} refusals`);
        same(pending(rig), ["0", "0", `${count} sent`, "1 sent failed"], "pending after the tick");
        same(sendsAgain(rig), [], "IPIs of the next tick");
      }
    },
  },
  {
    clause: "I4",
    title: "notify: several CPUs refused: the tick rings each that is still refused, by whomever, once, and no others",
    run: (kernel) => {
      for (const targets of [
        [1, 2],
        [2, 1],
        [1, 2, 1],
        [1, 1, 2],
      ]) {
        const rig = open(kernel, [1, 2, 3]);
        notify(rig, targets);
        same(rig.requestResched(1, 3), RESCHED.SendFailed, "a request of another hart");
        // No CPU of this machine, whatever its region holds.
        rig.setResched(CPUS, { taken: 0, count: 1, sent: true, failed: true });
        refuse(rig, []);
        same(sendsAgain(rig), [1, 2, 3].map(RANG), `IPIs of the tick after refusals of ${targets.join(", ")}`);
        same(sendsAgain(rig), [], "IPIs of the next tick");
      }
    },
  },
  {
    clause: "I4",
    title: "notify: refused again at the tick: the next tick rings what is left, one CPU or several, until it goes out",
    run: (kernel) => {
      const rig = open(kernel, [1, 2, 3]);
      notify(rig, [1, 2, 3]);
      same(sendsAgain(rig), [1, 2, 3].map(REFUSED), "IPIs while all are refused");
      refuse(rig, [2]);
      same(sendsAgain(rig), [RANG(1), REFUSED(2), RANG(3)], "IPIs while one is refused");
      // Only that one is left: what another hart could not send is not this hart's any more.
      rig.setResched(3, { taken: 0, count: 1, sent: true, failed: true });
      same(sendsAgain(rig), [REFUSED(2)], "IPIs of the next tick");
      refuse(rig, []);
      same(sendsAgain(rig), [RANG(2)], "IPIs of the tick after that");
      same(pending(rig), ["0", "1 sent", "1 sent", "1 sent failed"], "pending in the end");
      same(sendsAgain(rig), [], "IPIs when nothing is left");
    },
  },
  {
    clause: "I4",
    title: "notify: refused, then sent by another hart, taken, or nothing pending: the tick rings nobody",
    run: (kernel) => {
      for (const state of [
        { taken: 0, count: 1, sent: true, failed: false },
        { taken: 1, count: 0, sent: false, failed: false },
        { taken: 1, count: 0, sent: true, failed: true },
        { taken: 0, count: 2, sent: false, failed: false },
      ]) {
        for (const targets of [[2], [1, 2]]) {
          const rig = open(kernel, [1, 2]);
          notify(rig, targets);
          refuse(rig, []);
          for (const cpu of targets) rig.setResched(cpu, state);
          same(sendsAgain(rig), [], `IPIs with ${JSON.stringify(state)}`);
          for (const cpu of targets) same(rig.resched(cpu), state, "the state after the tick");
        }
      }
    },
  },
  {
    clause: "I4",
    title: "notify: rung, covered by an IPI, or its own CPU: the tick has nothing to send, whatever is refused later",
    run: (kernel) => {
      const rig = open(kernel, []);
      notify(rig, [0, 1, 2, 2]);
      same(pending(rig), ["0", "1 sent", "2 sent", "0"], "pending after the requests");
      for (const cpu of [1, 2]) rig.setResched(cpu, { ...rig.resched(cpu), failed: true });
      same(sendsAgain(rig), [], "IPIs of the tick");
    },
  },
  {
    clause: "I9",
    title: "notify: refused because too many requests are pending: the tick rings for them",
    run: (kernel) => {
      const rig = open(kernel, []);
      rig.setResched(2, { taken: 3, count: REQUESTS_PENDING_MAX, sent: true, failed: true });
      notify(rig, [2]);
      same(rig.resched(2).count, REQUESTS_PENDING_MAX, "requests pending");
      same(sendsAgain(rig), [RANG(2)], "IPIs of the tick");
    },
  },
];
