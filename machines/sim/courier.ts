// Courier: what is on its way to a hart and arrives at a known time: interrupts that are late or doubled, timer
// interrupts that nobody set, harts that take their time to start.
//
// Time is the clock's, so what is under way is a deadline like a timer's: it is delivered on time and never lost.
// Owner: machine.ts, which delivers. Invariant: `list` is in the order of arrival; of the same time, first added first.
// Partners: firmware.ts adds what a call is given as a fault; clock.ts has the unit.

export type DeliveryKind =
  /** S_SOFT becomes pending. */
  | "soft"
  /** The hart's timer goes off, whatever it was set to. */
  | "timer"
  /** The hart begins to run the kernel. */
  | "start";

export interface Delivery {
  /** In the clock's fractions. */
  readonly due: number;
  /** The hart's place in the machine's list of harts. */
  readonly hart: number;
  readonly kind: DeliveryKind;
}

export class Courier {
  private readonly list: Delivery[] = [];
  /** Called for each delivery that is added: a hart that runs now may have to stop for it. */
  private readonly onAdd: (delivery: Delivery) => void;

  constructor(onAdd: (delivery: Delivery) => void = () => undefined) {
    this.onAdd = onAdd;
  }

  add(delivery: Delivery): void {
    const after = this.list.findIndex((other) => other.due > delivery.due);
    this.list.splice(after < 0 ? this.list.length : after, 0, delivery);
    this.onAdd(delivery);
  }

  /** When the next one arrives; Infinity when none is under way. */
  get nextDue(): number {
    return this.list[0]?.due ?? Infinity;
  }

  /** The next one that has arrived by then; it is under way no more. */
  take(fractions: number): Delivery | undefined {
    return this.nextDue <= fractions ? this.list.shift() : undefined;
  }
}
