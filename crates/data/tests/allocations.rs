//! What is allocated: nothing of size for a batch after the first ones, and nothing for what a header merely claims.

#![allow(unsafe_code)] // An allocator that counts has to be one.

use gradwise_data::{Batch, Batches, Idx, Loader, Per, Samples, StandardScaler, Subset, digits};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The system's allocator, which counts requests of a KiB and more and keeps the largest, on the threads that ask for it: the
/// test runner's own must not disturb.
struct Counting;

thread_local! {
    static COUNTED: Cell<bool> = const { Cell::new(false) };
}

/// Counts what this thread allocates from now on.
fn count_this_thread() {
    COUNTED.set(true);
}

static LARGE: AtomicUsize = AtomicUsize::new(0);
static LARGEST: AtomicUsize = AtomicUsize::new(0);

fn count(bytes: usize) {
    if bytes >= 1024 && COUNTED.get() {
        LARGE.fetch_add(1, Ordering::SeqCst);
        LARGEST.fetch_max(bytes, Ordering::SeqCst);
    }
}

// SAFETY: everything is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: as the caller promises.
        unsafe { System.alloc_zeroed(layout) }
    }
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count(new_size);
        // SAFETY: as the caller promises.
        unsafe { System.realloc(pointer, layout, new_size) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// One test, because the counters are everyone's.
#[test]
fn memory_is_used_again_and_headers_are_not_believed() {
    count_this_thread();
    let digits = digits::<f32>();
    let scaler = StandardScaler::fit(Per::Feature, digits.inputs()).unwrap();
    // 1797 is no multiple of 200: the last batch of each epoch is smaller.
    let batches = Batches::new(digits.len(), 200).unwrap().shuffled(1);
    let three_epochs = 3 * batches.per_epoch();

    let subset = Subset::new(&digits, (0..digits.len()).rev().collect()).unwrap();
    let mut by_hand = batches.clone();
    let mut batch = Batch::default();
    subset.gather(by_hand.next_batch(), &mut batch).unwrap();
    let before = LARGE.load(Ordering::SeqCst);
    assert!(before > 0, "the first batch does allocate, and is counted");
    for _ in 0..three_epochs {
        subset.gather(by_hand.next_batch(), &mut batch).unwrap();
        scaler.transform(&mut batch.inputs).unwrap();
    }
    assert_eq!(LARGE.load(Ordering::SeqCst) - before, 0, "gathering by hand");

    std::thread::scope(|scope| {
        let transform = |batch: &mut Batch<f32, Vec<usize>>, _| {
            count_this_thread(); // The loader's, where it has one.
            scaler.transform(&mut batch.inputs)
        };
        let check = |mut loader: Loader<'_, _>| {
            for _ in 0..4 {
                loader.next_batch().unwrap();
            }
            let before = LARGE.load(Ordering::SeqCst);
            for _ in 0..three_epochs {
                loader.next_batch().unwrap();
            }
            assert_eq!(LARGE.load(Ordering::SeqCst) - before, 0, "{loader:?}");
        };
        // One after the other: a thread makes its first batches as soon as it is there.
        check(Loader::inline(&digits, batches.clone(), transform).unwrap());
        check(Loader::scoped(scope, &digits, batches.clone(), transform).unwrap());
    });

    let mut terabytes = vec![0, 0, 0x0e, 2];
    terabytes.extend([1_u32 << 20, 1 << 20].iter().flat_map(|n| n.to_be_bytes()));
    terabytes.extend([0; 100]);
    LARGEST.store(0, Ordering::SeqCst);
    assert!(Idx::from_bytes(&terabytes, "f").is_err());
    assert!(LARGEST.load(Ordering::SeqCst) <= 1024, "refused before any memory is taken");
    assert!(Idx::from_reader(&terabytes[..], "f").is_err());
    assert!(LARGEST.load(Ordering::SeqCst) <= 1 << 16, "a stream takes memory as it arrives");
}
