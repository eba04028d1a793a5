// Evidence log: every event that the console has shown so far, by CPU and number.
//
// Harts empty their rings one after the other, so events arrive out of order. A step that seems uncaused is a
// fault at once where every earlier number of its CPU has been shown; beyond a gap it is in doubt, since its cause
// may still come. At the end of a run nothing may be left in doubt.
// Invariants: (`of`, `n`) is unique.
// Partners: console-line.ts parses the events, chain.ts walks them, requirements.ts asks questions.

import type { EventKind } from "../abi/events.ts";
import { type Chain, type ChainsOfCpu, chainsOf } from "./chain.ts";
import { type EvidenceEvent, evidenceLine } from "./console-line.ts";

/** The number that a CPU's counter gives its first event. */
const FIRST_EVENT = 1;

class CpuEvents {
  readonly byNumber = new Map<number, EvidenceEvent>();
  /** The first number that has not been shown. */
  firstGap = FIRST_EVENT;
  private readonly index: number;
  private known: ChainsOfCpu | null = null;

  constructor(index: number) {
    this.index = index;
  }

  add(event: EvidenceEvent): void {
    this.byNumber.set(event.n, event);
    this.known = null;
    while (this.byNumber.has(this.firstGap)) this.firstGap += 1;
  }

  sorted(): EvidenceEvent[] {
    return [...this.byNumber.values()].toSorted((a, b) => a.n - b.n);
  }

  chains(): ChainsOfCpu {
    this.known ??= chainsOf(this.index, this.sorted());
    return this.known;
  }
}

export class Evidence {
  private readonly cpus = new Map<number, CpuEvents>();
  private readonly repeated: string[] = [];
  private fresh = new Set<EvidenceEvent>();

  /** From here on, only what is added now is fresh: a marker was taken. */
  turnPage(): void {
    this.fresh = new Set();
  }

  /** Whether CPU `of`'s event `n` was shown after the last marker. */
  isFresh(of: number, n: number): boolean {
    const event = this.cpus.get(of)?.byNumber.get(n);
    return event !== undefined && this.fresh.has(event);
  }

  add(event: EvidenceEvent): void {
    this.fresh.add(event);
    const cpu = this.cpus.get(event.of) ?? new CpuEvents(event.of);
    this.cpus.set(event.of, cpu);
    if (cpu.byNumber.has(event.n)) this.repeated.push(`cpu${event.of} n=${event.n}: two events have this number`);
    else cpu.add(event);
  }

  /** What is certainly forged, repeated or uncaused, one line each. Empty when the evidence holds. */
  faults(): string[] {
    const certain = this.inOrder().flatMap((cpu) => cpu.chains().faults.filter((fault) => fault.n < cpu.firstGap));
    return [...this.repeated, ...certain.map((fault) => fault.message)];
  }

  /** What seems uncaused, but lies beyond a number that has not been shown; one line each. */
  doubts(): string[] {
    return this.inOrder().flatMap((cpu) =>
      cpu
        .chains()
        .faults.filter((fault) => fault.n >= cpu.firstGap)
        .map((fault) => `${fault.message}, and n=${cpu.firstGap} was never shown`),
    );
  }

  /** Chains of every CPU, complete or not. */
  chains(): Chain[] {
    return this.inOrder().flatMap((cpu) => [...cpu.chains().chains]);
  }

  /** Every event of one kind. */
  shown(kind: EventKind): EvidenceEvent[] {
    return this.inOrder().flatMap((cpu) => cpu.sorted().filter((event) => event.kind === kind));
  }

  /** All lines, by CPU and number: the evidence as a person would want to read it. */
  toLines(): string[] {
    return this.inOrder().flatMap((cpu) => cpu.sorted().map(evidenceLine));
  }

  private inOrder(): CpuEvents[] {
    return [...this.cpus].toSorted(([a], [b]) => a - b).map(([, cpu]) => cpu);
  }
}
