// Firmware: starts harts and carries interrupts between them, with the answers of the SBI and with the faults that the
// options ask for.
//
// The SBI specification's chapters on HSM (9) and IPI (7) say what the calls answer. A send to a hart that is not
// running succeeds and is lost, as with OpenSBI.
// Partners: machine-calls.ts calls it; hart.ts is what it changes.

import { CPUS_MAX } from "../../abi/layout.ts";
import { IpiPath, MachineError } from "../../abi/results.ts";
import type { Clock } from "./clock.ts";
import type { Courier } from "./courier.ts";
import { SSWI_ADDRESS } from "./device-tree-blob.ts";
import type { Hart } from "./hart.ts";
import type { CheckedOptions } from "./options.ts";

/** Hart states as the SBI numbers them. */
const HSM_STARTED = 0;
const HSM_STOPPED = 1;
const HSM_START_PENDING = 2;

export class Firmware {
  private path: IpiPath = IpiPath.Firmware;
  /** Calls of sendIpi so far, refused ones too: what `nth` of a fault counts. */
  private sends = 0;

  constructor(
    private readonly harts: readonly Hart[],
    private readonly options: CheckedOptions,
    private readonly clock: Clock,
    private readonly courier: Courier,
  ) {}

  hartStateOf(id: number): number {
    if (this.options.faults.noHsm === true) return MachineError.NotSupported;
    const hart = this.find(id);
    if (hart === undefined) return MachineError.InvalidParameter;
    switch (hart.mode.kind) {
      case "stopped":
        return HSM_STOPPED;
      case "starting":
        return HSM_START_PENDING;
      case "kernel":
      case "user":
      case "idle":
        return HSM_STARTED;
    }
  }

  startHart(id: number, cpu: number): MachineError {
    const { faults } = this.options;
    if (faults.noHsm === true) return MachineError.NotSupported;
    const hart = this.find(id);
    if (hart === undefined || cpu < 0 || cpu >= CPUS_MAX) return MachineError.InvalidParameter;
    if (hart.mode.kind !== "stopped") return MachineError.AlreadyAvailable;
    const failure = faults.startErrors?.find((fault) => fault.hart === id);
    if (failure !== undefined) return failure.error;
    hart.cpu = cpu;
    const late = faults.lateStarts?.find((fault) => fault.hart === id);
    if (late !== undefined) this.courier.add({ due: this.clock.after(late.ticks), hart: hart.index, kind: "start" });
    if (late !== undefined || faults.neverStarts?.includes(id) === true) hart.mode = { kind: "starting" };
    else hart.begin();
    return MachineError.Ok;
  }

  /** `doorbell`: a hart id by the firmware, the index of a register by the SSWI. */
  sendIpi(doorbell: number): MachineError {
    this.sends += 1;
    const id = this.path === IpiPath.AclintSswi ? this.options.sswiHarts[doorbell] : doorbell;
    const hart = this.harts.find((one) => one.id === id);
    if (hart === undefined) return MachineError.InvalidParameter;
    const failure = this.options.faults.failedSends?.find((fault) =>
      "nth" in fault ? fault.nth === this.sends : fault.hart === id,
    );
    if (failure !== undefined) return failure.error ?? MachineError.Failed;
    const { lateSends, doubledSends } = this.options.faults;
    const late = lateSends?.find((fault) => fault.nth === this.sends);
    const second = late ?? doubledSends?.find((fault) => fault.nth === this.sends);
    if (second !== undefined) {
      this.courier.add({ due: this.clock.after(second.ticks), hart: hart.index, kind: "soft" });
    }
    if (late === undefined && hart.started) hart.softPending = true;
    return MachineError.Ok;
  }

  selectIpi(path: number, address: bigint): MachineError {
    switch (path) {
      case IpiPath.Firmware:
        this.path = IpiPath.Firmware;
        return MachineError.Ok;
      case IpiPath.AclintSswi:
        if (!this.options.sswi) return MachineError.NotSupported;
        if (address !== BigInt(SSWI_ADDRESS)) return MachineError.InvalidAddress;
        this.path = IpiPath.AclintSswi;
        return MachineError.Ok;
      default:
        return MachineError.InvalidParameter;
    }
  }

  private find(id: number): Hart | undefined {
    return this.harts.find((hart) => hart.id === id);
  }
}
