// Broken: what a check found, as the number that the explorer reports. The words are in scenario.ts.
//
// Both compilers read this file: the harness returns these, the host names them.
// Pairs with: harness/checks.ts.

export enum Broken {
  Nothing = 0,
  RoomOutOfRange = 1,
  EntryTwice = 2,
  VoidUncounted = 3,
  VoidOvercounted = 4,
  OccupiedMissing = 5,
  MailboxRoom = 6,
  CurrentNotHeld = 7,
  CurrentTwice = 8,
  TaskLost = 9,
  TaskInTwoPlaces = 10,
  IpiLost = 11,
  TaskBeyondTable = 12,
  IdleWithWork = 13,
  WakeLost = 14,
  PostLost = 15,
  RequestLost = 16,
  NotEnded = 17,
  NotAsleep = 18,
  WrongClass = 19,
  AckWithoutTrap = 20,
  TrapWithoutSend = 21,
  TrapWithoutRequest = 22,
  RequestUnacknowledged = 23,
  EvidenceTwice = 24,
  RunFailed = 25,
  EntryMisplaced = 26,
  IdleOverWork = 27,
  InversionHere = 28,
  TaskUnmoved = 29,
  WorkMapMissing = 40,
}
