// What `powerOff` reports to the host, and how the boot flow names a machine's answers.

export enum PowerOff {
  Passed = 0,
  Failed = 1,
  Panic = 2,
}

/** Machine calls that can fail answer 0 for success or an SBI error (SBI specification, chapter 3). */
export enum MachineError {
  Ok = 0,
  Failed = -1,
  NotSupported = -2,
  InvalidParameter = -3,
  Denied = -4,
  InvalidAddress = -5,
  AlreadyAvailable = -6,
}

/** What becomes of a line that is offered to the console. */
export enum LineOutcome {
  Accepted = 0,
  /** Too many lines have not been sent yet: nothing was written. */
  ConsoleFull = 1,
}

/** The way an IPI reaches another hart: chosen once, from the device tree, and reported at boot. */
export enum IpiPath {
  /** SBI IPI extension. */
  Firmware = 0,
  /** The ACLINT's supervisor software interrupt device (SSWI): one store, no firmware call. */
  AclintSswi = 1,
}
