// A futex mutex (0 free, 1 taken, 2 taken with sleepers), its counter, and a fault: `careless_worker` forgets the wake-up.
// Built by examples/c/build.sh with clang; no libc.
//
// hartbeat explore mutex.wasm --thread worker --thread worker --thread worker --final counted
// hartbeat explore mutex.wasm --thread careless_worker --thread worker --thread worker

typedef _Atomic int atomic_int;

static atomic_int lock;
static volatile int counter;
static volatile int entered;

__attribute__((noinline)) static void acquire(atomic_int *word) {
  int seen = 0;
  if (__c11_atomic_compare_exchange_strong(word, &seen, 1, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) return;
  if (seen != 2) seen = __c11_atomic_exchange(word, 2, __ATOMIC_SEQ_CST);
  while (seen != 0) {
    __builtin_wasm_memory_atomic_wait32((int *)word, 2, -1);
    seen = __c11_atomic_exchange(word, 2, __ATOMIC_SEQ_CST);
  }
}

__attribute__((noinline)) static void release(atomic_int *word, int wake) {
  if (__c11_atomic_exchange(word, 0, __ATOMIC_SEQ_CST) == 2 && wake) __builtin_wasm_memory_atomic_notify((int *)word, 1);
}

// A table of functions and an array on the shadow stack: calls through pointers and spilled locals are explored too.
typedef void (*release_function)(atomic_int *word, int wake);
static release_function volatile releaser = release;

static void critical(int wake) {
  volatile int path[4] = {0};
  acquire(&lock);
  path[0] = counter;
  counter = path[0] + 1;
  entered++;
  releaser(&lock, wake);
}

__attribute__((export_name("worker"))) void worker(void) { critical(1); }
__attribute__((export_name("careless_worker"))) void careless_worker(void) { critical(0); }
__attribute__((export_name("counted"))) int counted(void) { return counter == entered ? 0 : 1; }
__attribute__((export_name("counter_of"))) int counter_of(void) { return counter; }
