// Evidence: every event that the console has shown so far, by CPU and number.
//
// Harts empty their rings one after the other, so events arrive out of order. Only the part of a CPU's numbering
// that has no gap is settled: what lies beyond a gap may rest on an event that has not been shown yet.
// Invariants: (`of`, `n`) is unique; nothing is judged before it is settled.
// Partners: console-line.ts parses the events, chain.ts walks them, requirements.ts asks questions.

import { EventKind } from "../abi/events.ts";
import { type Chain, type ChainsOfCpu, chainsOf } from "./chain.ts";
import { type EvidenceEvent, evidenceLine } from "./console-line.ts";

/** The number that a CPU's counter gives its first event. */
export const FIRST_EVENT = 1;

interface CpuEvents {
  readonly byNumber: Map<number, EvidenceEvent>;
  settled: EvidenceEvent[];
  chains: ChainsOfCpu | null;
}

export class Evidence {
  private readonly cpus = new Map<number, CpuEvents>();
  private readonly repeated: string[] = [];

  add(event: EvidenceEvent): void {
    const cpu = this.eventsOf(event.of);
    if (cpu.byNumber.has(event.n)) {
      this.repeated.push(`cpu${event.of} n=${event.n}: two events have this number`);
      return;
    }
    cpu.byNumber.set(event.n, event);
    cpu.chains = null;
    for (;;) {
      const next = cpu.byNumber.get(FIRST_EVENT + cpu.settled.length);
      if (next === undefined) break;
      cpu.settled.push(next);
    }
  }

  /** Faults in what is settled: forged, repeated or uncaused events. Empty when the evidence holds. */
  faults(): string[] {
    return [...this.repeated, ...[...this.cpus.keys()].flatMap((cpu) => [...this.chainsOfCpu(cpu).faults])];
  }

  /** Chains of every CPU, complete or not, from what is settled. */
  chains(): Chain[] {
    return [...this.cpus.keys()].toSorted((a, b) => a - b).flatMap((cpu) => [...this.chainsOfCpu(cpu).chains]);
  }

  /** Every event shown of one kind, settled or not; for kinds that stand alone. */
  shown(kind: EventKind): EvidenceEvent[] {
    return [...this.cpus.values()].flatMap((cpu) => [...cpu.byNumber.values()].filter((event) => event.kind === kind));
  }

  /** For each CPU with events beyond a gap: `cpu1 n=4 is missing`, the first number that is not there. */
  gaps(): string[] {
    return [...this.cpus]
      .filter(([, cpu]) => cpu.settled.length < cpu.byNumber.size)
      .map(([index, cpu]) => `cpu${index} n=${FIRST_EVENT + cpu.settled.length} is missing`);
  }

  /** All lines, by CPU and number: the evidence as a person would want to read it. */
  toLines(): string[] {
    return [...this.cpus]
      .toSorted(([a], [b]) => a - b)
      .flatMap(([, cpu]) => [...cpu.byNumber.values()].toSorted((a, b) => a.n - b.n).map(evidenceLine));
  }

  private chainsOfCpu(index: number): ChainsOfCpu {
    const cpu = this.eventsOf(index);
    cpu.chains ??= chainsOf(index, cpu.settled);
    return cpu.chains;
  }

  private eventsOf(index: number): CpuEvents {
    const known = this.cpus.get(index);
    if (known !== undefined) return known;
    const fresh: CpuEvents = { byNumber: new Map(), settled: [], chains: null };
    this.cpus.set(index, fresh);
    return fresh;
  }
}
