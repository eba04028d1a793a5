// The queue lock of Mellor-Crummey and Scott: each thread spins on a node of its own, here a thread-local variable, and
// hands the lock to the one that queued behind it. A fault: `late_worker` marks its node as waiting only after it has
// queued, so the lock may have been handed over before, and it waits for ever.
// Built by examples/c/build.sh with clang; no libc.
//
// hartbeat explore mcs-lock.wasm --thread worker --thread worker --thread worker --final counted
// hartbeat explore mcs-lock.wasm --thread worker --thread late_worker

typedef _Atomic int atomic_int;
struct node {
  _Atomic(struct node *) next;
  atomic_int waits;
};
typedef _Atomic(struct node *) atomic_node;

#define load(at) __c11_atomic_load(at, __ATOMIC_SEQ_CST)
#define store(at, value) __c11_atomic_store(at, value, __ATOMIC_SEQ_CST)

static _Thread_local struct node mine;
static atomic_node last;
static int counter;
static int entered;

__attribute__((noinline)) static void acquire(int late) {
  store(&mine.next, 0);
  if (!late) store(&mine.waits, 1);
  struct node *before = __c11_atomic_exchange(&last, &mine, __ATOMIC_SEQ_CST);
  if (!before) return;
  store(&before->next, &mine);
  if (late) store(&mine.waits, 1);
  while (load(&mine.waits)) {
  }
}

__attribute__((noinline)) static void release(void) {
  struct node *behind = load(&mine.next);
  if (!behind) {
    struct node *self = &mine;
    if (__c11_atomic_compare_exchange_strong(&last, &self, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) return;
    while (!(behind = load(&mine.next))) {
    }
  }
  store(&behind->waits, 0);
}

static void critical(int late) {
  acquire(late);
  counter++;
  entered++;
  release();
}

__attribute__((export_name("worker"))) void worker(void) { critical(0); }
__attribute__((export_name("late_worker"))) void late_worker(void) { critical(1); }
__attribute__((export_name("counted"))) int counted(void) { return counter == entered && !load(&last) ? 0 : 1; }
