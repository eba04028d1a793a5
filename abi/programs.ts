// The user image's programs, by number: the argument of Spawn and of `start`.

export enum Program {
  /** Exits at once with its argument as the code. */
  Probe = 0,
  /** Computes, in argument rounds, and yields after each. */
  Worker = 1,
  /** Computes without ever yielding: only the timer takes the hart from it. */
  Spinner = 2,
  /** Sleeps and wakes, argument times. */
  Sleeper = 3,
  /** Waits until it is woken, argument times. */
  Waiter = 4,
  /** Wakes the task whose id is the argument, again and again, until that task has gone. */
  Waker = 5,
  /** Tries what must not be possible. Ends by a fault, or with code 0 when the attempt was answered and refused. */
  Intruder = 6,
  /** Asks for what only the boot hart may do and prints what it was answered. */
  Petitioner = 7,
  /** Changes its own class, step by step, through all four. */
  Climber = 8,
}

/** What an Intruder tries, as its argument. */
export enum Intrusion {
  ReadKernelMemory = 0,
  WriteKernelMemory = 1,
  ReadKernelImage = 2,
  ReadBeyondOwnMemory = 3,
  UnknownSyscall = 4,
  WriteLineOfKernelMemory = 5,
}
