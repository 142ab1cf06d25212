//! How close the operations between the products come to the speed of memory, on one thread.
//!
//! `cargo run --release -p gradwise-tensor --example ops [words to select lines]`
//!
//! Each line tells the time of a pass, the time by element of the first input, and the share of a *stream*: a plain loop that reads as
//! many bytes as the pass must read, and writes as many as it must write, from memory of the same size, timed beside it. Small arrays are
//! measured in the cache, where real steps have them too.

#![allow(clippy::print_stdout)]

use gradwise_core::{At, Cx, Key, Op, Reduction, Saved, Scratch, Serial, Slot};
use gradwise_tensor::dropout::Dropout;
use gradwise_tensor::loss::{SoftmaxCrossEntropy, Targets};
use gradwise_tensor::norm::{BatchNorm, LayerNorm};
use gradwise_tensor::pool::{AvgPool2d, GlobalAvgPool, MaxPool2d, Pool2dGeometry};
use gradwise_tensor::{Add, Gelu, Relu, Sigmoid, Softmax, Tanh, simd};
use ndarray::{ArrayD, Dimension, IxDyn};
use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

/// Seconds of a run of each of two functions: the best of some averages, taken in turn.
fn seconds(span: f64, mut f: impl FnMut(), mut g: impl FnMut()) -> [f64; 2] {
    let time = |f: &mut dyn FnMut(), runs: usize| {
        let begin = Instant::now();
        (0..runs).for_each(|_| f());
        begin.elapsed().as_secs_f64() / runs as f64
    };
    let runs = |f: &mut dyn FnMut()| {
        (0..3).for_each(|_| f());
        let begin = Instant::now();
        f();
        (span / begin.elapsed().as_secs_f64()).ceil().clamp(1.0, 1e6) as usize
    };
    let n = [runs(&mut f), runs(&mut g)];
    let mut best = [f64::INFINITY; 2];
    for _ in 0..15 {
        best[0] = best[0].min(time(&mut f, n[0]));
        best[1] = best[1].min(time(&mut g, n[1]));
    }
    best
}

/// Reads one array and writes another, a piece of each in turn.
fn stream(read: &[f32], write: &mut [f32]) {
    simd::vectorize(
        #[inline(always)]
        || {
            let pieces = (read.len() + write.len()).div_ceil(4096).max(1);
            let reads = read.chunks(read.len().div_ceil(pieces).max(1)).map(Some).chain(std::iter::repeat(None));
            let mut writes = write.chunks_mut(write.len().div_ceil(pieces).max(1));
            for (read, _) in reads.zip(0..pieces) {
                let mut lanes = [0.0_f32; 64];
                for chunk in read.unwrap_or(&[]).as_chunks::<64>().0 {
                    lanes.iter_mut().zip(chunk).for_each(|(sum, x)| *sum += x);
                }
                black_box(&lanes);
                if let Some(write) = writes.next() {
                    write.fill(lanes[0]);
                }
            }
        },
    );
}

struct Report {
    span: f64,
    words: Vec<String>,
}

impl Report {
    fn line(&self, name: &str, elements: usize, floats: [usize; 2], f: impl FnMut()) {
        let (read, mut write) = (vec![1.0; floats[0]], vec![0.0; floats[1]]);
        let [ours, stream] = seconds(self.span, f, || stream(black_box(&read), black_box(&mut write)));
        println!(
            "{name:<50} {:>9.2} µs {:>7.3} ns/element {:>6.0} % of stream",
            ours * 1e6,
            ours * 1e9 / elements as f64,
            100.0 * stream / ours
        );
    }

    /// Forward and backward of an operation, with a gradient for its first `wanted` inputs.
    fn op(&self, name: &str, op: &dyn Op<f32>, shapes: &[&[usize]], wanted: usize) -> Result<()> {
        if !self.words.iter().all(|word| name.contains(word)) {
            return Ok(());
        }
        let inputs: Vec<ArrayD<f32>> = shapes.iter().enumerate().map(|(i, shape)| noise(shape, i as u64)).collect();
        let views: Vec<_> = inputs.iter().map(|input| input.view()).collect();
        let shape = op.out_shape(shapes)?;
        let (mut out, grad) = (ArrayD::zeros(shape.clone()), noise(shape.slice(), 99));
        let mut scratch = Scratch::default();
        let mut saved = Saved::default();
        let of_inputs: usize = inputs.iter().map(ArrayD::len).sum();

        let mut run = || -> gradwise_core::Result<()> {
            saved.recycle(&mut scratch);
            let key = Key::new(1);
            let mut cx = Cx { scratch: &mut scratch, pool: &Serial, training: true, key, first_sample: 0 };
            op.forward(&views, &mut out, &mut saved, &mut cx)
        };
        run()?;
        self.line(&format!("{name} forward"), inputs[0].len(), [of_inputs, grad.len()], || run().expect("as before"));

        let needs = op.needs();
        let mut grads: Vec<ArrayD<f32>> = inputs.iter().map(|input| ArrayD::zeros(input.raw_dim())).collect();
        let of_saved =
            saved.arrays.iter().map(ArrayD::len).sum::<usize>() + saved.indices.len() + saved.bytes.len() / 4;
        let read = grad.len()
            + if needs.inputs { of_inputs } else { 0 }
            + if needs.output { grad.len() } else { 0 }
            + of_saved;
        let written = grads[..wanted].iter().map(ArrayD::len).sum();
        let mut run = || {
            let mut slots: [Option<Slot<'_, f32>>; 4] = [None, None, None, None];
            for (slot, grad) in slots.iter_mut().zip(&mut grads[..wanted]) {
                *slot = Some(Slot { grad, first: true });
            }
            let key = Key::new(1);
            let mut cx = Cx { scratch: &mut scratch, pool: &Serial, training: true, key, first_sample: 0 };
            let at = At { inputs: &views, output: &out, grad: &grad, saved: &saved };
            op.backward(at, &mut slots[..views.len()], &mut cx)
        };
        run()?;
        self.line(&format!("{name} backward"), inputs[0].len(), [read, written], || run().expect("as before"));
        Ok(())
    }
}

/// Numbers in [-1, 1) without a pattern that branches could be predicted from.
fn noise(shape: &[usize], seed: u64) -> ArrayD<f32> {
    let key = Key::new(seed);
    let mut counter = 0;
    ArrayD::from_shape_simple_fn(IxDyn(shape), || {
        counter += 1;
        key.uniform(counter) as f32 * 2.0 - 1.0
    })
}

fn main() -> Result<()> {
    let quick = std::env::var_os("GRADWISE_QUICK").is_some();
    let report = Report { span: if quick { 1e-4 } else { 0.01 }, words: std::env::args().skip(1).collect() };

    let norm = BatchNorm::new(1e-5)?;
    let [normed, sample] = [vec![64, 128], vec![128, 16, 32, 32]];
    for x in [normed.clone(), sample.clone(), vec![128, 32, 16, 16], vec![128, 64, 8, 8]] {
        let c = [x[1]];
        for (name, op) in [("batch_norm", norm), ("batch_norm_relu", norm.with_relu(true))] {
            report.op(&format!("{name} {x:?}"), &op, &[&x, &c, &c], 3)?;
        }
    }
    report.op("layer_norm [64, 512]", &LayerNorm::new(1, 1e-5)?, &[&[64, 512], &[512], &[512]], 3)?;

    let halving = MaxPool2d::new(Pool2dGeometry::square(2)?);
    for x in [vec![128, 16, 28, 28], vec![64, 64, 24, 24]] {
        report.op(&format!("max_pool 2x2 {x:?}"), &halving, &[&x], 1)?;
    }
    let overlapping = Pool2dGeometry::square(3)?.stride([2, 2])?;
    report.op("max_pool 3x3/2 [64, 64, 24, 24]", &MaxPool2d::new(overlapping), &[&[64, 64, 24, 24]], 1)?;
    report.op("avg_pool 2x2 [64, 64, 24, 24]", &AvgPool2d::new(Pool2dGeometry::square(2)?), &[&[64, 64, 24, 24]], 1)?;
    report.op("avg_pool 3x3/2 [64, 64, 24, 24]", &AvgPool2d::new(overlapping), &[&[64, 64, 24, 24]], 1)?;
    report.op("global_avg_pool [128, 64, 8, 8]", &GlobalAvgPool, &[&[128, 64, 8, 8]], 1)?;

    let dropout = Dropout::new(0.5)?;
    for x in [vec![64, 64, 12, 12], vec![64, 128]] {
        report.op(&format!("dropout {x:?}"), &dropout, &[&x], 1)?;
    }

    for samples in [64, 32] {
        let classes: Vec<usize> = (0..samples).map(|i| i * 7 % 10).collect();
        let loss = SoftmaxCrossEntropy::<f32>::new(Targets::Classes(&classes), Reduction::Mean);
        report.op(&format!("softmax_cross_entropy [{samples}, 10]"), &loss, &[&[samples, 10]], 1)?;
    }
    report.op("softmax [64, 512]", &Softmax { axis: 1 }, &[&[64, 512]], 1)?;

    for x in [normed, sample] {
        report.op(&format!("relu {x:?}"), &Relu, &[&x], 1)?;
        report.op(&format!("add {x:?}"), &Add, &[&x, &x], 2)?;
    }
    let x = [64, 4096];
    report.op("add bias [64, 4096]", &Add, &[&x, &[4096]], 2)?;
    report.op("tanh [64, 4096]", &Tanh, &[&x], 1)?;
    report.op("sigmoid [64, 4096]", &Sigmoid, &[&x], 1)?;
    report.op("gelu [64, 4096]", &Gelu, &[&x], 1)
}
