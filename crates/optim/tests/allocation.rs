//! After the first step, a step allocates nothing.

#![allow(unsafe_code)] // A counting allocator can only be written so.

use gradwise_optim::ndarray::{Array, Array2, ArrayD};
use gradwise_optim::{AdamW, Clip, Cosine, Grads, Optimizer, Param, Result, Stepper, no_decay_on_vectors};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: everything is left to the system's allocator; counting touches only a thread-local number without a destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|n| n.set(n.get() + 1));
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn a_step_allocates_nothing_after_the_first_ones() {
    let mut model: Vec<Param<f32>> = vec![Param::new(Array2::ones((64, 64))), Param::new(Array::ones(64))];
    let mut optimizer = Optimizer::new(AdamW::default(), Cosine::new(1e-3, 100).unwrap())
        .group(no_decay_on_vectors())
        .clip(Clip::global_norm(1.0).unwrap());
    let stepper: &mut dyn Stepper<f32, Vec<Param<f32>>> = &mut optimizer;
    stepper.measure_updates(true);

    // Fills gradients into memory that it is given back, as a tape does.
    let mut free: Vec<ArrayD<f32>> = Vec::with_capacity(4);
    let mut eval = |model: &Vec<Param<f32>>, grads: &mut Grads<f32>| -> Result<f32> {
        grads.reset(model.iter().map(Param::is_trainable), &mut |array| free.push(array));
        for (index, param) in model.iter().enumerate().rev() {
            let mut grad = free.pop().unwrap_or_else(|| ArrayD::zeros(param.value.raw_dim()));
            if grad.shape() != param.value.shape() {
                std::mem::swap(&mut grad, free.last_mut().unwrap());
            }
            grad.assign(&param.value);
            grads.set(index, grad);
        }
        Ok(0.0)
    };
    for step in 0..20 {
        let before = ALLOCATIONS.with(Cell::get);
        stepper.step(&mut model, &mut eval).unwrap();
        let made = ALLOCATIONS.with(Cell::get) - before;
        assert!(step < 2 || made == 0, "{made} allocations in step {step}");
    }
    assert_eq!(stepper.update_norms().len(), 2);
}
