//! Once memory is warm, no sample allocates anything.
//!
//! The counts are each thread's own, so that the other tests, which run beside these, do not disturb them.

use crate::random::spec;
use gradwise_augment::spec::Registry;
use gradwise_augment::{
    Augment, Batches, Buffers, CutMix, Image, Key, Kind, Mix, MixChoice, MixUp, Mixing, Plan, Sequence, Serial, Shape,
    Sometimes, Threads, ValuesMut, from_fn,
};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts what is asked of the system's allocator.
struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

fn count() {
    // A thread that ends may allocate when its counter is gone already.
    let _ = COUNT.try_with(|count| count.set(count.get() + 1));
}

// SAFETY: every call is passed on to the system's allocator as it is.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promises are those that are asked for.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How often the calling thread allocates meanwhile.
fn allocations(f: impl FnOnce()) -> usize {
    let before = COUNT.get();
    f();
    COUNT.get() - before
}

/// Threads that count what their tasks allocate. One is started after the other has ended, so that each worker has the same piece of every batch.
struct Counted {
    n: usize,
    allocations: AtomicUsize,
}

impl Threads for Counted {
    fn count(&self) -> usize {
        self.n
    }

    fn run(&self, n: usize, task: &(dyn Fn(usize) + Sync)) {
        for i in 0..n {
            let counted = move || self.allocations.fetch_add(allocations(|| task(i)), Ordering::Relaxed);
            std::thread::scope(|scope| scope.spawn(counted).join().map(|_| ()).expect("a task"));
        }
    }
}

fn values(shape: Shape, i: usize) -> impl Iterator<Item = u8> {
    (0..shape.len().unwrap()).map(move |j| ((i + j) * 151 % 251) as u8)
}

fn image(shape: Shape, kind: Kind, i: usize) -> Image {
    match kind {
        Kind::U8 => Image::from_vec(shape, values(shape, i).collect()).unwrap(),
        Kind::F32 => Image::from_vec(shape, values(shape, i).map(|x| f32::from(x) / 255.0).collect()).unwrap(),
    }
}

/// What drawing and running allocates for samples of an epoch, the images of the results apart.
fn epoch(
    augment: &dyn Augment,
    image: &Image,
    epoch: Key,
    n: u64,
    (plan, buffers): (&mut Plan, &mut Buffers),
) -> Option<usize> {
    let (shape, kind) = (image.shape(), image.kind());
    let mask = self::image(Shape { channels: 1, ..shape }, Kind::U8, 5);
    let mut sum = 0;
    for key in (0..n).map(|i| epoch.sample(i)) {
        sum += allocations(|| {
            let _ = augment.plan_into(shape, kind, key, plan);
        });
        let (output, kind) = plan.output(shape, kind).ok()?;
        let mut target = Image::black(output, kind).unwrap();
        let mut moved = Image::black(Shape { channels: 1, ..output }, Kind::U8).unwrap();
        sum += allocations(|| augment.apply_into(image.as_ref(), key, target.as_mut(), buffers).unwrap());
        sum += allocations(|| plan.apply_into(image.as_ref(), target.as_mut(), buffers).unwrap());
        sum += allocations(|| plan.mask_into(shape, mask.as_ref(), 0.0, moved.as_mut(), buffers).unwrap());
    }
    Some(sum)
}

/// Each kind there is, on bytes and floating-point values, in both layouts.
#[test]
fn no_sample_of_any_kind_allocates() {
    let registry = Registry::new();
    // The codec of JPEG allocates for each image, as its documentation says.
    let kinds: Vec<&str> = registry.kinds().filter(|kind| *kind != "jpeg").collect();
    let mut checked = 0;
    for (i, kind) in kinds.iter().enumerate() {
        for (seed, value) in [(0, Kind::U8), (0, Kind::F32), (1, Kind::U8)] {
            let spec = spec(kind, &kinds, 100 * i as u64 + seed);
            let augment = registry.build("augment", std::slice::from_ref(&spec)).unwrap();
            let shape = [Shape::interleaved(12, 12, 3), Shape::planar(3, 12, 12)][seed as usize];
            let image = image(shape, value, 3);
            let mut memory = (Plan::new(), Buffers::default());
            // Different numbers need different amounts of memory: the first samples show the most.
            let key = Key::new(seed);
            let mut run =
                |number: u64, n: u64| epoch(&augment, &image, key.epoch(number), n, (&mut memory.0, &mut memory.1));
            if run(0, 16).is_none() {
                continue;
            }
            assert_eq!(run(0, 16), Some(0), "{spec:?}, the same samples again");
            assert_eq!(run(1, 3), Some(0), "{spec:?}, other samples");
            checked += 1;
        }
    }
    assert!(checked > 140, "{checked}");
}

fn pipeline() -> Sequence {
    let text = r#"[
        {"kind": "flip"}, {"kind": "affine", "rotation": 10, "x": 0.1}, {"kind": "aug-mix"}, {"kind": "elastic"},
        {"kind": "one-of", "parts": [{"kind": "gaussian-noise", "std": 0.1}, {"kind": "clahe", "limit": 2}, {"kind": "rand-augment"}]},
        {"kind": "motion-blur", "length": [1, 5], "p": 0.5}, {"kind": "pixel-dropout"}, {"kind": "normalize", "mean": [0.5], "std": [0.2]}
    ]"#;
    let specs: Vec<gradwise_augment::spec::Spec> = serde_json::from_str(text).unwrap();
    let invert = from_fn("invert", |mut image, _| {
        if let ValuesMut::F32(values) = image.values_mut() {
            values.iter_mut().for_each(|x| *x = -*x);
        }
        Ok(())
    });
    Registry::new().build("augment", &specs).unwrap().then(invert)
}

/// A whole pipeline from bytes to floating-point values, on one thread and on several: nothing, a batch included.
#[test]
fn no_batch_allocates() {
    let (pipeline, shape, n) = (pipeline(), Shape::interleaved(12, 12, 3), 24);
    let images: Vec<u8> = (0..n).flat_map(|i| values(shape, i)).collect();
    let mut target = vec![0.0_f32; images.len()];
    let keys = |epoch: u64| -> Vec<Key> { (0..n as u64).map(|i| Key::new(7).epoch(epoch).sample(i)).collect() };
    for n_threads in [1, 2, 4] {
        let threads = Counted { n: n_threads, allocations: AtomicUsize::new(0) };
        let mut batches = Batches::default();
        for epoch in 0..20 {
            let keys = keys(epoch);
            threads.allocations.store(0, Ordering::Relaxed);
            batches.run(&pipeline, shape, &images, &keys, shape, &mut target, &threads).unwrap();
            let allocations = threads.allocations.load(Ordering::Relaxed);
            assert!(allocations == 0 || epoch < 16, "{allocations} in epoch {epoch} on {n_threads} threads");
        }
        if n_threads == 1 {
            let keys = keys(3);
            let whole = allocations(|| {
                batches.run(&pipeline, shape, &images, &keys, shape, &mut target, &Serial).unwrap();
            });
            assert_eq!(whole, 0, "of a batch, outside of its samples");
        }
    }
}

/// Mixed batches, and their labels.
#[test]
fn no_mix_allocates() {
    let (shape, n) = (Shape::planar(3, 20, 20), 16);
    let images: Vec<u8> = (0..n).flat_map(|i| values(shape, i)).collect();
    let mut mixed = images.clone();
    let (rows, mut mixed_rows) = (vec![0.25_f32; n * 4], vec![0.0; n * 4]);
    let (up, cut) = (MixUp::new(0.2).unwrap().each_sample(true), CutMix::new(1.0).unwrap());
    let mixes: [Box<dyn Mix>; 4] = [
        Box::new(up.clone()),
        Box::new(cut.clone()),
        Box::new(MixChoice::new(up.clone(), cut, 0.5).unwrap()),
        Box::new(Sometimes::mix(0.5, up).unwrap()),
    ];
    for mix in &mixes {
        let mut mixing = Mixing::default();
        for step in 0..20 {
            let allocations = allocations(|| {
                mix.draw_into(n, shape, Key::new(1).with(step), &mut mixing).unwrap();
                mixing.images(shape, &images, &mut mixed, &Serial).unwrap();
                mixing.labels(4, &rows, &mut mixed_rows).unwrap();
            });
            assert!(allocations == 0 || step == 0, "{allocations} of {mix:?} in step {step}");
        }
    }
}
