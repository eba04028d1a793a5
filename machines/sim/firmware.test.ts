import { describe, expect, it } from "vitest";
import { IpiPath, MachineError } from "../../abi/results.ts";
import { Clock } from "./clock.ts";
import { Courier } from "./courier.ts";
import { SSWI_ADDRESS } from "./device-tree-blob.ts";
import { Firmware } from "./firmware.ts";
import { Hart } from "./hart.ts";
import { checkOptions, type SimOptions } from "./options.ts";

function make(options: Partial<SimOptions> = {}): { firmware: Firmware; harts: Hart[]; courier: Courier } {
  const check = checkOptions({ harts: 3, hartIds: [4, 0, 9], ...options });
  if (check.kind === "refused") throw new Error(check.reason);
  const harts = check.options.hartIds.map((id, index) => new Hart(index, id, undefined));
  const [boot] = harts;
  if (boot === undefined) throw new Error("no harts");
  boot.cpu = 0;
  boot.enterKernel({ name: "boot", values: [boot.id] });
  const courier = new Courier();
  return { firmware: new Firmware(harts, check.options, new Clock(harts.length, true), courier), harts, courier };
}

describe("firmware", () => {
  it("firmware: stopped hart started: enters bootSecondary as the CPU asked for, once", () => {
    const { firmware, harts } = make();
    expect(firmware.hartStateOf(9)).toBe(1);
    expect(firmware.startHart(9, 2)).toBe(MachineError.Ok);
    expect(harts[2]?.mode).toEqual({ kind: "kernel", entry: { name: "bootSecondary", values: [2] } });
    expect(harts[2]?.cpu).toBe(2);
    expect(firmware.hartStateOf(9)).toBe(0);
    expect(firmware.startHart(9, 1)).toBe(MachineError.AlreadyAvailable);
  });

  it("firmware: hart or CPU that does not exist: InvalidParameter, nothing started", () => {
    const { firmware, harts } = make();
    expect(firmware.startHart(1, 1)).toBe(MachineError.InvalidParameter);
    expect(firmware.startHart(9, 64)).toBe(MachineError.InvalidParameter);
    expect(firmware.startHart(9, -1)).toBe(MachineError.InvalidParameter);
    expect(firmware.hartStateOf(1)).toBe(MachineError.InvalidParameter);
    expect(firmware.sendIpi(1)).toBe(MachineError.InvalidParameter);
    expect(harts.map((hart) => hart.started)).toEqual([true, false, false]);
  });

  it("firmware: no HSM: states and starts answer NotSupported", () => {
    const { firmware } = make({ faults: { noHsm: true } });
    expect(firmware.hartStateOf(0)).toBe(MachineError.NotSupported);
    expect(firmware.startHart(0, 1)).toBe(MachineError.NotSupported);
  });

  it("firmware: hart that starts late: accepted, start pending, its start is under way", () => {
    const { firmware, harts, courier } = make({ faults: { lateStarts: [{ hart: 0, ticks: 50 }] } });
    expect(firmware.startHart(0, 1)).toBe(MachineError.Ok);
    expect(firmware.hartStateOf(0)).toBe(2);
    expect(harts[1]?.started).toBe(false);
    expect(courier.take(149)).toBeUndefined();
    expect(courier.take(150)).toEqual({ due: 150, hart: 1, kind: "start" });
    expect(courier.nextDue).toBe(Infinity);
  });

  it("firmware: sends late and doubled: accepted; the late one not pending yet, the doubled one pending and once more", () => {
    const faults = { lateSends: [{ nth: 1, ticks: 20 }], doubledSends: [{ nth: 2, ticks: 10 }] };
    const { firmware, harts, courier } = make({ faults });
    expect(firmware.sendIpi(4)).toBe(MachineError.Ok);
    expect(harts[0]?.softPending).toBe(false);
    expect(firmware.sendIpi(4)).toBe(MachineError.Ok);
    expect(harts[0]?.softPending).toBe(true);
    expect([courier.take(60), courier.take(60), courier.take(60)].map((one) => one?.due)).toEqual([30, 60, undefined]);
  });

  it("firmware: hart that never starts: start accepted, state stays start pending, nothing runs", () => {
    const { firmware, harts } = make({ faults: { neverStarts: [0] } });
    expect(firmware.startHart(0, 1)).toBe(MachineError.Ok);
    expect(firmware.hartStateOf(0)).toBe(2);
    expect(harts[1]?.started).toBe(false);
    expect(firmware.startHart(0, 1)).toBe(MachineError.AlreadyAvailable);
  });

  it("firmware: start that fails: the error asked for, the hart stays stopped", () => {
    const { firmware } = make({ faults: { startErrors: [{ hart: 9, error: MachineError.Denied }] } });
    expect(firmware.startHart(9, 1)).toBe(MachineError.Denied);
    expect(firmware.hartStateOf(9)).toBe(1);
    expect(firmware.startHart(0, 1)).toBe(MachineError.Ok);
  });

  it("firmware: the second send fails: only that one, and its interrupt does not become pending", () => {
    const { firmware, harts } = make({ faults: { failedSends: [{ nth: 2 }] } });
    firmware.startHart(0, 1);
    expect(firmware.sendIpi(4)).toBe(MachineError.Ok);
    expect(firmware.sendIpi(0)).toBe(MachineError.Failed);
    expect(harts.map((hart) => hart.softPending)).toEqual([true, false, false]);
    expect(firmware.sendIpi(0)).toBe(MachineError.Ok);
    expect(harts[1]?.softPending).toBe(true);
  });

  it("firmware: sends to one hart fail: each of them, with the error asked for, the others arrive", () => {
    const { firmware, harts } = make({ faults: { failedSends: [{ hart: 0, error: MachineError.Denied }] } });
    firmware.startHart(0, 1);
    expect([firmware.sendIpi(0), firmware.sendIpi(4), firmware.sendIpi(0)]).toEqual([
      MachineError.Denied,
      MachineError.Ok,
      MachineError.Denied,
    ]);
    expect(harts.map((hart) => hart.softPending)).toEqual([true, false, false]);
  });

  it("firmware: send to a stopped hart: accepted and lost", () => {
    const { firmware, harts } = make();
    expect(firmware.sendIpi(9)).toBe(MachineError.Ok);
    expect(harts[2]?.softPending).toBe(false);
  });

  it("firmware: IPI path selected: only what the machine has, at its own address", () => {
    const without = make().firmware;
    const { firmware } = make({ sswi: true });
    expect(without.selectIpi(IpiPath.AclintSswi, BigInt(SSWI_ADDRESS))).toBe(MachineError.NotSupported);
    expect(firmware.selectIpi(IpiPath.AclintSswi, 0n)).toBe(MachineError.InvalidAddress);
    expect(firmware.selectIpi(7, 0n)).toBe(MachineError.InvalidParameter);
    expect(firmware["path"]).toBe(IpiPath.Firmware);
    expect(firmware.selectIpi(IpiPath.AclintSswi, BigInt(SSWI_ADDRESS))).toBe(MachineError.Ok);
    expect(firmware["path"]).toBe(IpiPath.AclintSswi);
    expect(firmware.selectIpi(IpiPath.Firmware, 0n)).toBe(MachineError.Ok);
  });
});
