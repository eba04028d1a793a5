// Fault: a stack whose nodes are reused without a tag. Nodes 1 and 2: next at 64 + 8 * node. Words: top at 0; a node's
// owners at 128 + 8 * node.

function next(node: i32): usize {
  return 64 + (node << 3);
}

export function init(): void {
  store<i32>(0, 1);
  store<i32>(next(1), 2);
  store<i32>(next(2), 0);
}

function pop(): i32 {
  let top = atomic.load<i32>(0);
  while (top != 0) {
    const below = atomic.load<i32>(next(top));
    const seen = atomic.cmpxchg<i32>(0, top, below);
    if (seen == top) {
      atomic.add<i32>(128 + (top << 3), 1);
      return top;
    }
    top = seen;
  }
  return 0;
}

function push(node: i32): void {
  atomic.sub<i32>(128 + (node << 3), 1);
  for (;;) {
    const top = atomic.load<i32>(0);
    atomic.store<i32>(next(node), top);
    if (atomic.cmpxchg<i32>(0, top, node) == top) return;
  }
}

export function popper(): void {
  pop();
  pop();
}

export function recycler(): void {
  const first = pop();
  pop();
  if (first != 0) push(first);
}

export function owned(): i32 {
  for (let node = 1; node <= 2; node++) if (load<i32>(128 + (node << 3)) > 1) return node;
  return 0;
}
