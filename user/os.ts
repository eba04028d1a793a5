// Os: the one import of a user program, an `ecall` on virt. Numbers and meanings are abi/syscalls.ts's.

/** Makes a system call and returns its answer: zero or more, or a SyscallError. */
export declare function call(number: i32, a0: i64, a1: i64, a2: i64): i64;
