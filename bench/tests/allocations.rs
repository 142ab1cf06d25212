//! After the first step, no case's step makes an allocation of 1 KiB or more.

use gradwise_bench::cases::CASES;
use gradwise_bench::training::checkpointed;
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts large allocations that are asked of the system's allocator.
struct Counting;

static LARGE: AtomicUsize = AtomicUsize::new(0);

fn count(size: usize) {
    LARGE.fetch_add(usize::from(size >= 1024), Ordering::Relaxed);
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

#[test]
fn steps_allocate_nothing_large_after_the_first() {
    // In segments where a net is deep: of linear layers with their norms, and of blocks.
    let deep = CASES.iter().filter(|case| ["deep_bn_b64", "resnet20_b128"].contains(&case.name));
    for (case, segment) in CASES.iter().map(|case| (case, 0)).chain(deep.map(|case| (case, 3))) {
        for threads in [1, 2] {
            let mut training = checkpointed(case, Some(8), threads, segment).unwrap();
            training.step().unwrap();
            assert!(training.workspace_bytes() > 0, "{}", case.name);
            for step in 1..4 {
                LARGE.store(0, Ordering::Relaxed);
                training.step().unwrap();
                let large = LARGE.load(Ordering::Relaxed);
                let of = format!("{} in segments of {segment}", case.name);
                assert_eq!(large, 0, "{of}: {large} large allocations in step {step} on {threads} threads");
            }
        }
    }
}
