//! After the first step, a training step makes no allocation of 1 KiB or more, and few small ones.

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts what is asked of the system's allocator.
struct Counting;

static LARGE: AtomicUsize = AtomicUsize::new(0);
static SMALL: AtomicUsize = AtomicUsize::new(0);

fn count(size: usize) {
    let counter = if size >= 1024 { &LARGE } else { &SMALL };
    counter.fetch_add(1, Ordering::Relaxed);
}

// SAFETY: every call is passed on to the system's allocator as it is.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller's promises are those that are asked for.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Most small allocations of one step of the network in `common`: a boxed operation for each of its ten, the shapes and lists of what
/// they save, and the optimizer's bookkeeping.
const FEW: usize = 100;

#[test]
fn a_step_allocates_nothing_large_after_the_first() {
    for threads in [1, 2, 4] {
        let mut model = common::network(1);
        let mut trainer = common::trainer(100, threads);
        let batch = common::batch(64);
        trainer.step(&mut model, &batch).unwrap();
        for step in 1..20 {
            LARGE.store(0, Ordering::Relaxed);
            SMALL.store(0, Ordering::Relaxed);
            trainer.step(&mut model, &batch).unwrap();
            let (large, small) = (LARGE.load(Ordering::Relaxed), SMALL.load(Ordering::Relaxed));
            assert_eq!(large, 0, "{large} large allocations in step {step} on {threads} threads");
            assert!(small <= FEW, "{small} small allocations in step {step} on {threads} threads");
        }
    }
}
