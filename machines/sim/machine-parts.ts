// Machine parts: what a machine is made of and made from, what a listener sees of it, and how it ends, as types.
//
// Owner: none, types only. Pairs with: machine.ts, execution.ts, runner.ts.

import type { PowerOff } from "../../abi/results.ts";
import type { Clock } from "./clock.ts";
import type { Console, LineListener } from "./console-device.ts";
import type { Courier } from "./courier.ts";
import type { Firmware } from "./firmware.ts";
import type { Hart } from "./hart.ts";
import type { ObservationListener } from "./observer.ts";
import type { PausableModule } from "./resumable-instance.ts";

export interface MachineImage {
  /** kernel.sim.wasm */
  readonly kernel: PausableModule;
  /** user.sim.wasm; without it there are no programs. */
  readonly user?: PausableModule;
  /** Further modules, whose programs are numbered after those of `user`. */
  readonly programs?: readonly PausableModule[];
}

/** What a listener sees of a machine. */
export interface MachineListener {
  readonly line?: LineListener;
  /** A module built with memoryAccesses announces each access: hart index, site, address, flags (sites.ts). */
  readonly access?: (hart: number, site: number, address: number, flags: number) => void;
  /** What the harts' traps change in the kernel's memory; costs nothing where it is left out. */
  readonly observation?: ObservationListener;
}

export interface MachineParts {
  readonly harts: readonly Hart[];
  readonly clock: Clock;
  readonly firmware: Firmware;
  readonly courier: Courier;
  readonly console: Console;
}

export type MachineEnd =
  | { readonly kind: "powered-off"; readonly result: PowerOff }
  | { readonly kind: "hung"; readonly reason: string }
  | { readonly kind: "crashed"; readonly reason: string };
