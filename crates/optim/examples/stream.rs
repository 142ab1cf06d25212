//! How close an update comes to the speed of memory, on one thread.
//!
//! `cargo run --release -p gradwise-optim --example stream`
//!
//! A *stream* is a plain loop that reads and writes as many arrays of the same size as an update must, timed in turn with it. If nobody has
//! told the norm of the gradients, as a tape does, an optimizer reads them once more: nothing may be changed by a gradient that is not
//! finite.

#![allow(clippy::print_stdout)]

use gradwise_optim::ndarray::{Array1, ArrayD};
use gradwise_optim::{
    Adagrad, Adam, AdamW, Constant, Grads, Hyper, Lamb, Lars, Lion, Nadam, Optimizer, Param, Result, Rprop, Rule,
    ScheduleFreeAdamW, Sgd,
};
use std::hint::black_box;
use std::time::Instant;

/// The median seconds of some functions, run in turn.
fn medians<const N: usize>(rounds: usize, repeats: usize, mut f: [&mut dyn FnMut(); N]) -> [f64; N] {
    let mut times = [const { Vec::new() }; N];
    for _ in 0..rounds {
        for (f, times) in f.iter_mut().zip(&mut times) {
            let begin = Instant::now();
            (0..repeats).for_each(|_| f());
            times.push(begin.elapsed().as_secs_f64() / repeats as f64);
        }
    }
    times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    })
}

/// `a ← c (a + …)` over arrays that are read and written, and one that is read.
#[inline(never)]
fn stream3(a: &mut [f32], b: &mut [f32], c: &mut [f32], g: &[f32]) {
    for (((a, b), c), &g) in a.iter_mut().zip(b).zip(c).zip(g) {
        (*a, *b, *c) = (0.5 * (*a + g), 0.5 * (*b + g), 0.5 * (*c + g));
    }
}

#[inline(never)]
fn stream2(a: &mut [f32], b: &mut [f32], g: &[f32]) {
    for ((a, b), &g) in a.iter_mut().zip(b).zip(g) {
        (*a, *b) = (0.5 * (*a + g), 0.5 * (*b + g));
    }
}

/// Times a rule by itself, a whole step of an optimizer, and the stream, on one parameter.
fn compare<R: Rule<f32> + Clone>(name: &str, rule: R, arrays: usize, n: usize, rounds: usize) -> Result<()> {
    let repeats = (1_usize << 16).div_ceil(n);
    let grad = ArrayD::from_elem(vec![n], 0.01_f32);
    let mut param = ArrayD::from_elem(vec![n], 1.0_f32);
    let mut state = rule.init(&param);
    let hyper = Hyper::new(1e-4);
    let mut alone = || rule.update(&hyper, &mut state, &mut param, &grad).expect("arrays of one shape");

    let mut model = vec![Param::new(Array1::from_elem(n, 1.0_f32))];
    let mut optimizer = Optimizer::new(rule.clone(), Constant::new(1e-4)?);
    let mut grads = Grads::from_arrays(&model, vec![Some(grad.clone())]);
    let mut step = || {
        // Whoever might change a gradient makes its norm unknown.
        black_box(grads.get_mut(0));
        optimizer.apply(&mut model, &mut grads).expect("arrays of one shape");
    };

    let [mut a, mut b, mut c] = [vec![1.0; n], vec![1.0; n], vec![1.0; n]];
    let g = vec![0.01; n];
    let mut stream = || match arrays {
        3 => stream3(black_box(&mut a), &mut b, &mut c, &g),
        _ => stream2(black_box(&mut a), &mut b, &g),
    };
    let [alone, step, stream] = medians(rounds, repeats, [&mut alone, &mut step, &mut stream]);
    println!(
        "{name:<14} {n:>9} numbers: update {:>7.3} ns a number, {:>4.0} % of stream; with the norm {:>7.3} ns, {:>4.0} %",
        1e9 * alone / n as f64,
        100.0 * stream / alone,
        1e9 * step / n as f64,
        100.0 * stream / step,
    );
    Ok(())
}

fn main() -> Result<()> {
    let quick = std::env::var_os("GRADWISE_QUICK").is_some();
    let rounds = if quick { 3 } else { 31 };
    for n in if quick { vec![1000, 100_000] } else { vec![1000, 100_000, 10_000_000] } {
        compare("adam", Adam::default(), 3, n, rounds)?;
        compare("adamw", AdamW::default(), 3, n, rounds)?;
        compare("sgd momentum", Sgd::with_momentum(0.9)?, 2, n, rounds)?;
        compare("adagrad", Adagrad::default(), 2, n, rounds)?;
        compare("lion", Lion::default(), 2, n, rounds)?;
        compare("nadam", Nadam::default(), 3, n, rounds)?;
        compare("rprop", Rprop::default(), 3, n, rounds)?;
        compare("schedule-free", ScheduleFreeAdamW::default(), 3, n, rounds)?;
        // Two passes, and so at most about half.
        compare("lars", Lars::default(), 2, n, rounds)?;
        compare("lamb", Lamb::default(), 3, n, rounds)?;
    }

    // The parameters of a small net: what a step costs besides the arithmetic.
    let shapes = [vec![32, 64], vec![32], vec![10, 32], vec![10]];
    let mut model: Vec<_> = shapes.iter().map(|shape| Param::new(ArrayD::<f32>::ones(shape.clone()))).collect();
    let arrays = shapes.iter().map(|shape| Some(ArrayD::from_elem(shape.clone(), 0.01))).collect();
    let mut grads = Grads::from_arrays(&model, arrays);
    let mut optimizer = Optimizer::new(Adam::default(), Constant::new(1e-3)?);
    let mut step = || _ = optimizer.apply(&mut model, &mut grads).expect("gradients that fit");
    let [seconds] = medians(rounds, 100, [&mut step]);
    println!("adam, the 2410 numbers of a net of 64-32-10: {:.2} µs a step", 1e6 * seconds);
    Ok(())
}
