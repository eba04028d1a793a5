// Kernel: the exports of the shipped artifact that scenarios call. asc turns each declaration into an import of the
// module `kernel`, which linking resolves.
//
// Pairs with: kernel/index.ts (the other side). Hart regions and tasks are addresses; outcomes are that file's enums.

export declare function trap(cause: i32, value: i64, call: i32, a0: i64, a1: i64, a2: i64): i32;
export declare function boot(hart: i32): i32;
export declare function bootSecondary(cpu: i32): i32;
export declare function cpuId(): i32;
export declare function setTopology(cpuCount: i32, tickLength: i32): void;
export declare function letTasksRun(): void;
export declare function join(self: i32, cpu: i32): void;
export declare function enqueue(self: i32, task: i32): i32;
export declare function pick(self: i32): i32;
export declare function steal(self: i32, bound: i32): i32;
export declare function stealFrom(self: i32, victim: i32, bound: i32): i32;
export declare function place(self: i32, cpu: i32, task: i32): i32;
export declare function yieldCurrent(self: i32): i32;
export declare function drainMailbox(self: i32): i32;
export declare function wake(self: i32, task: i32, incarnation: i32): i32;
export declare function sleepCurrent(self: i32, deadline: i64): i32;
export declare function wakeExpired(self: i32, now: i64): void;
export declare function borrowRuntime(self: i32): i32;
export declare function spawn(runtime: i32, self: i32, cpu: i32, program: i32, qos: i32, argument: i64): i64;
export declare function kill(runtime: i32, self: i32, task: i32, incarnation: i32): i32;
export declare function changeQos(runtime: i32, self: i32, task: i32, incarnation: i32, qos: i32): i32;
export declare function reap(runtime: i32): void;
export declare function requestResched(self: i32, target: i32): i32;
export declare function send(self: i32, target: i32, doorbell: i32): i32;
export declare function takeRequests(self: i32): i32;
export declare function acknowledge(self: i32): void;
export declare function retryUnsent(self: i32): void;
export declare function dispatch(self: i32): i32;
