// System calls: the number goes in a7, arguments in a0 to a2, the result comes back in a0.
// A result below zero is one of SyscallError; a call that answers with data answers zero or more.

export enum Syscall {
  /** Give the hart to the next task of equal or higher class: 0. */
  Yield = 0,
  /** a0: exit code. Does not return. */
  Exit = 1,
  /** a0: absolute time in ticks. 0 when the time has come, 1 when another task woke this one before. */
  SleepUntil = 2,
  /** a0: task id. Wakes it, or lets its next sleep return at once: 0. */
  Wake = 3,
  /** a0: program, a1: QoS class, a2: argument. The new task's id. Boot hart only. */
  Spawn = 4,
  /** a0: task id, a1: QoS class: 0. Another task's class: boot hart only. */
  SetQos = 5,
  /** a0: address, a1: length in bytes of an ASCII line without line end: 0. ConsoleFull: nothing was written. */
  WriteLine = 6,
  /** The time in ticks. */
  Time = 7,
  /** The caller's task id. */
  TaskId = 8,
  /** a0: task id. Ends it: 0. Boot hart only. */
  Kill = 9,
  /** The index of the CPU that runs the caller, as of now. */
  CpuId = 10,
}

export enum SyscallError {
  Unknown = -1,
  NotBootHart = -2,
  QueueFull = -3,
  NotFound = -4,
  InvalidArgument = -5,
  Fault = -6,
  /** Other harts were faster each time; nothing has changed. */
  Contended = -7,
  /** The console has no room for the line now. */
  ConsoleFull = -8,
  /** Every entry of the task table is in use, or has had its last life. */
  NoFreeTask = -9,
}
