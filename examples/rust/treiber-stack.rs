//! A stack that threads share without a lock (Treiber's). Its head holds the index of a node and a tag that every change
//! raises, so a thread that looked at the head long ago notices that it went and came back.
//!
//! Two faults: without tags (`untagged_...`) a thread takes a node that somebody else has got (the ABA problem), and
//! `impatient_borrower` panics where the stack is empty.
//! Built by examples/rust/build.sh; no standard library.
//!
//! hartbeat explore treiber-stack.wasm --thread borrower --thread borrower --thread recycler --final complete
//! hartbeat explore treiber-stack.wasm --thread untagged_borrower --thread untagged_recycler --final complete
//! hartbeat explore treiber-stack.wasm --thread impatient_borrower --thread recycler

#![no_std]

use core::cell::UnsafeCell;
use core::panic::PanicInfo;
use core::sync::atomic::{AtomicU32, Ordering::SeqCst};

/// A panic ends its thread by a trap, which is reported with the functions that led to it.
#[panic_handler]
fn panic(_: &PanicInfo) -> ! {
    core::arch::wasm32::unreachable()
}

const NONE: u32 = 0xffff;
const INDEX: u32 = 0xffff;
const TAG: u32 = 0x1_0000;

struct Node {
    next: AtomicU32,
    /// Plain memory of whoever has taken the node off the stack: two owners race.
    uses: UnsafeCell<u32>,
}

struct Stack {
    /// tag << 16 | index of the topmost node
    head: AtomicU32,
    nodes: [Node; 2],
}

unsafe impl Sync for Stack {}

const fn node(next: u32) -> Node {
    Node { next: AtomicU32::new(next), uses: UnsafeCell::new(0) }
}

static STACK: Stack = Stack { head: AtomicU32::new(0), nodes: [node(1), node(NONE)] };

impl Stack {
    #[inline(never)]
    fn pop(&self, tag: u32) -> Option<&Node> {
        loop {
            let head = self.head.load(SeqCst);
            let top = self.nodes.get((head & INDEX) as usize)?;
            let below = top.next.load(SeqCst);
            let changed = (head & !INDEX).wrapping_add(tag) | below;
            if self.head.compare_exchange(head, changed, SeqCst, SeqCst).is_ok() {
                return Some(top);
            }
        }
    }

    #[inline(never)]
    fn push(&self, node: &Node, tag: u32) {
        let index = self.nodes.iter().position(|each| core::ptr::eq(each, node)).unwrap() as u32;
        loop {
            let head = self.head.load(SeqCst);
            node.next.store(head & INDEX, SeqCst);
            let changed = (head & !INDEX).wrapping_add(tag) | index;
            if self.head.compare_exchange(head, changed, SeqCst, SeqCst).is_ok() {
                return;
            }
        }
    }
}

fn use_up(node: &Node) {
    unsafe { *node.uses.get() += 1 }
}

fn borrow(tag: u32) {
    if let Some(node) = STACK.pop(tag) {
        use_up(node);
        STACK.push(node, tag);
    }
}

/// Takes two nodes and gives the first back at once: the top is what it was, and what lies below is not.
fn recycle(tag: u32) {
    let first = STACK.pop(tag);
    let second = STACK.pop(tag);
    if let Some(node) = first {
        STACK.push(node, tag);
    }
    if let Some(node) = second {
        use_up(node);
        STACK.push(node, tag);
    }
}

#[no_mangle]
pub extern "C" fn borrower() {
    borrow(TAG)
}

#[no_mangle]
pub extern "C" fn recycler() {
    recycle(TAG)
}

#[no_mangle]
pub extern "C" fn untagged_borrower() {
    borrow(0)
}

#[no_mangle]
pub extern "C" fn untagged_recycler() {
    recycle(0)
}

#[no_mangle]
pub extern "C" fn impatient_borrower() {
    STACK.push(STACK.pop(TAG).unwrap(), TAG)
}

/// 0: both nodes are on the stack, each once.
#[no_mangle]
pub extern "C" fn complete() -> u32 {
    let mut count = 0;
    let mut index = STACK.head.load(SeqCst) & INDEX;
    while let Some(node) = STACK.nodes.get(index as usize) {
        count += 1;
        if count > 2 {
            return 2;
        }
        index = node.next.load(SeqCst);
    }
    if count == 2 { 0 } else { 1 }
}
