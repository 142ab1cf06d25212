//! What is kept, given back and made again.

use crate::arr;
use crate::common::{ADD, MUL, Pointwise, Sum};
use gradwise_autograd::{Error, Mode, Result, Tape, Workspace};
use ndarray::{ArrayD, IxDyn};
use std::sync::atomic::{AtomicUsize, Ordering};

#[test]
fn a_workspace_is_reused() {
    let mut workspace = Workspace::<f64>::new();
    let x = ArrayD::<f64>::ones(IxDyn(&[100]));
    let mut held = None;
    for step in 0..4 {
        {
            let mut tape = Tape::new(&mut workspace, Mode::train(0, step));
            let v = tape.variable(&x);
            let y = tape.apply(MUL, &[v, v]).unwrap();
            let loss = tape.apply(Sum, &[y]).unwrap();
            tape.backward(loss).unwrap();
        }
        let bytes = workspace.scratch().free_bytes();
        assert!(bytes >= 2 * 800, "outputs and gradients come back: {bytes}");
        assert_eq!(*held.get_or_insert(bytes), bytes, "and no more is taken");
    }
    workspace.clear();
    assert_eq!(workspace.scratch().free_bytes(), 0);
}

/// `(x² + x)²` summed, and the gradient with respect to x.
fn polynomial(workspace: &mut Workspace<f64>, x: &ArrayD<f64>, freeing: bool) -> (f64, ArrayD<f64>, Result<()>) {
    let mut tape = Tape::new(workspace, Mode::train(0, 0));
    let v = tape.variable(x);
    let square = tape.apply(MUL, &[v, v]).unwrap();
    let sum = tape.apply(ADD, &[square, v]).unwrap();
    let flat = tape.reshape(sum, &[x.len()]).unwrap();
    let y = tape.apply(MUL, &[flat, flat]).unwrap();
    let loss = tape.apply(Sum, &[y]).unwrap();
    let value = tape.value(loss)[[]];
    if freeing {
        tape.backward_freeing(loss).unwrap();
    } else {
        tape.backward(loss).unwrap();
    }
    let gradient = tape.grad(v).unwrap().to_owned();
    (value, gradient, tape.try_value(y).map(|_| ()))
}

#[test]
fn values_are_freed_during_backward_on_request() {
    let x = ArrayD::from_shape_fn(IxDyn(&[30, 40]), |i| (i[0] as f64 - 15.0) * 0.1 + i[1] as f64 * 0.01);
    let (mut keeping, mut freeing) = (Workspace::new(), Workspace::new());
    let kept = polynomial(&mut keeping, &x, false);
    let freed = polynomial(&mut freeing, &x, true);
    assert_eq!((kept.0, &kept.1), (freed.0, &freed.1), "the result is the same, to the bit");
    assert!(kept.2.is_ok());
    assert_eq!(freed.2.unwrap_err(), Error::Freed { op: "value" });
    // Three values of 9600 bytes, and two gradients at a time where none could move in.
    let (keeping, freeing) = (keeping.scratch().free_bytes(), freeing.scratch().free_bytes());
    assert!(freeing + 9600 <= keeping, "{freeing} against {keeping} bytes");
}

#[test]
fn freed_variables_are_errors_wherever_they_are_given() {
    let x = arr::<f64>(&[1.0, 2.0]);
    let mut workspace = Workspace::new();
    let mut tape = Tape::new(&mut workspace, Mode::train(0, 0));
    let v = tape.variable(&x);
    let y = tape.apply(MUL, &[v, v]).unwrap();
    let view = tape.reshape(y, &[2, 1]).unwrap();
    let loss = tape.apply(Sum, &[y]).unwrap();
    tape.backward_freeing(loss).unwrap();
    for error in [
        tape.apply(ADD, &[v, y]).unwrap_err(),
        tape.transpose(view).unwrap_err(),
        tape.backward(loss).map(|()| y).unwrap_err(),
        tape.backward_from(v, &x).map(|()| y).unwrap_err(),
        tape.try_value(view).map(|_| y).unwrap_err(),
    ] {
        assert!(matches!(error, Error::Freed { .. }), "{error}");
    }
    assert_eq!(tape.shape(view).unwrap()[..], [2, 1], "shapes are still known");
    assert_eq!(tape.value(v), x, "leaves are never freed");
}

#[test]
fn evaluation_frees_what_is_released() {
    let x = ArrayD::<f64>::ones(IxDyn(&[1000]));
    let mut workspace = Workspace::new();
    let mut tape = Tape::new(&mut workspace, Mode::evaluate());
    let v = tape.input(&x);
    let mut y = tape.apply(ADD, &[v, v]).unwrap();
    for _ in 0..10 {
        let view = tape.reshape(y, &[10, 100]).unwrap();
        tape.release(y);
        assert!(tape.try_value(y).is_ok(), "a view still shows it");
        let next = tape.apply(MUL, &[view, view]).unwrap();
        tape.release(view);
        assert!(tape.try_value(y).is_err() && tape.try_value(view).is_err());
        y = tape.reshape(next, &[1000]).unwrap();
        tape.release(next);
    }
    assert_eq!(tape.value(y)[[0]], f64::INFINITY); // 2^1024
    drop(tape);
    assert!(workspace.scratch().free_bytes() <= 3 * 9000, "{}", workspace.scratch().free_bytes());

    // With gradients it stays where backward will read it, and on a tape that keeps everything.
    for (read, kept) in [(false, false), (true, false), (false, true)] {
        let mut tape = Tape::new(&mut workspace, Mode::train(0, 0));
        if kept {
            tape.keep_values();
        }
        let v = tape.variable(&x);
        let y = tape.apply(MUL, &[v, v]).unwrap();
        let z = if read { tape.apply(MUL, &[y, y]).unwrap() } else { y };
        let loss = tape.apply(Sum, &[z]).unwrap();
        tape.release(y);
        assert_eq!(tape.try_value(y).is_ok(), read || kept);
        tape.backward(loss).unwrap();
        assert_eq!(tape.grad(v).unwrap()[[0]], if read { 4.0 } else { 2.0 });
    }
}

#[test]
fn what_is_frozen_is_computed_once() {
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    let counting = Pointwise {
        value: |a, b| {
            RUNS.fetch_add(1, Ordering::Relaxed);
            a * b
        },
        ..MUL
    };
    let (x, mut workspace) = (arr::<f64>(&[3.0]), Workspace::new());
    let mut tape = Tape::new(&mut workspace, Mode::train(0, 0));
    let (input, weight) = (tape.input(&x), tape.variable(&x));
    let frozen = tape.apply(counting, &[input, input]).unwrap();
    let y = tape.apply(MUL, &[frozen, weight]).unwrap();
    tape.release(frozen);
    let loss = tape.apply(Sum, &[y]).unwrap();
    tape.backward_freeing(loss).unwrap();
    assert_eq!(tape.grad(weight).unwrap(), arr(&[9.0]));
    assert_eq!(RUNS.load(Ordering::Relaxed), 1);
}
