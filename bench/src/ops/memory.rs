//! Normalization, pooling, dropout, losses, activations: bound by memory, or by how fast a function is computed.

use super::{Entry, Run, Threads, Work, filled};
use crate::peak::Traffic;
use gradwise_core::{ArrayViewD, At, Cx, Key, Op, Reduction, Result, Saved, Scratch, Slot};
use gradwise_tensor::loss::{SoftmaxCrossEntropy, Targets};
use gradwise_tensor::{
    Add, AvgPool2d, BatchNorm, Dropout, Exp, Gelu, GlobalAvgPool, LayerNorm, MaxPool2d, Pool2dGeometry, Relu, Sigmoid,
    Tanh,
};
use ndarray::ArrayD;

/// A batch of feature maps.
const IMAGES: [usize; 4] = [32, 64, 32, 32];

/// Each operation's forward and its backward pass.
pub(super) fn operations() -> Vec<Entry> {
    let images = &[&IMAGES[..]];
    let norm = &[&IMAGES[..], &[64], &[64]];
    let mut entries = Vec::new();
    let mut add = |name: &str, shapes: &[&[usize]], extra: Extra, op: fn() -> Result<Box<dyn Op<f32>>>| {
        entries.extend(both(name, shapes, extra, op));
    };
    add("batch_norm", norm, Extra::INPUT, || Ok(Box::new(BatchNorm::new(1e-5)?)));
    add("batch_norm_relu", norm, Extra::INPUT_OUTPUT, || Ok(Box::new(BatchNorm::new(1e-5)?.with_relu(true))));
    let onto = &[&IMAGES[..], &[64], &[64], &IMAGES[..]];
    add("batch_norm_residual_relu", onto, Extra::INPUT_OUTPUT, || {
        Ok(Box::new(BatchNorm::new(1e-5)?.with_relu(true).with_residual(true)))
    });
    add("layer_norm_4096x512", &[&[4096, 512], &[512], &[512]], Extra::INPUT, || {
        Ok(Box::new(LayerNorm::new(1, 1e-5)?))
    });
    add("max_pool_2", images, Extra::NOTHING, || Ok(Box::new(MaxPool2d::new(Pool2dGeometry::new([2, 2])?))));
    add("max_pool_3_by_2", images, Extra::NOTHING, || {
        Ok(Box::new(MaxPool2d::new(Pool2dGeometry::square(3)?.stride([2, 2])?.padding([1, 1])?)))
    });
    add("avg_pool_2", images, Extra::NOTHING, || Ok(Box::new(AvgPool2d::new(Pool2dGeometry::new([2, 2])?))));
    add("global_avg_pool", images, Extra::NOTHING, || Ok(Box::new(GlobalAvgPool)));
    add("dropout_0.25", images, Extra::NOTHING, || Ok(Box::new(Dropout::new(0.25)?)));
    add("residual_add", &[&IMAGES, &IMAGES], Extra::NOTHING, || Ok(Box::new(Add)));
    add("relu", images, Extra::OUTPUT, || Ok(Box::new(Relu)));
    add("exp", images, Extra::OUTPUT, || Ok(Box::new(Exp)));
    add("tanh", images, Extra::OUTPUT, || Ok(Box::new(Tanh)));
    add("sigmoid", images, Extra::OUTPUT, || Ok(Box::new(Sigmoid)));
    add("gelu", images, Extra::INPUT, || Ok(Box::new(Gelu)));
    for (name, shape, labels) in [
        ("softmax_cross_entropy_128x1000", [128, 1000], LABELS_1000.as_slice()),
        ("softmax_cross_entropy_64x10", [64, 10], LABELS_10.as_slice()),
    ] {
        entries.extend(both(name, &[&shape], Extra::INPUT, move || {
            Ok(Box::new(SoftmaxCrossEntropy::new(Targets::Classes(labels), Reduction::Mean)))
        }));
    }
    entries
}

static LABELS_1000: [usize; 128] = labels(1000);
static LABELS_10: [usize; 64] = labels(10);

const fn labels<const N: usize>(classes: usize) -> [usize; N] {
    let mut labels = [0; N];
    let mut i = 0;
    while i < N {
        labels[i] = i * 7919 % classes;
        i += 1;
    }
    labels
}

/// What a backward pass reads besides the output's gradient.
#[derive(Clone, Copy)]
struct Extra {
    input: bool,
    output: bool,
}

impl Extra {
    const NOTHING: Extra = Extra { input: false, output: false };
    const INPUT: Extra = Extra { input: true, output: false };
    const OUTPUT: Extra = Extra { input: false, output: true };
    const INPUT_OUTPUT: Extra = Extra { input: true, output: true };
}

fn both(
    name: &str,
    shapes: &[&[usize]],
    extra: Extra,
    op: impl Fn() -> Result<Box<dyn Op<f32>>> + Clone + 'static,
) -> Vec<Entry> {
    let size = |shape: &[usize]| shape.iter().product::<usize>();
    let inputs: usize = shapes.iter().copied().map(size).sum();
    let output = op().and_then(|op| op.out_shape(shapes)).map_or(0, |shape| ndarray::Dimension::size(&shape));
    let forward = Traffic { read: inputs, written: output, changed: 0 };
    let kept = usize::from(extra.input) * size(shapes[0]) + usize::from(extra.output) * output;
    let backward = Traffic { read: output + kept, written: inputs, changed: 0 };
    [("forward", forward, false), ("backward", backward, true)]
        .map(|(pass, traffic, back)| {
            let (op, shapes) = (op.clone(), shapes.iter().map(|shape| shape.to_vec()).collect::<Vec<_>>());
            Entry::new(format!("{name}_{pass}"), Work::Memory(traffic), move |pool| {
                let mut arrays = Arrays::new(op()?, &shapes, pool)?;
                arrays.forward()?;
                Ok(if back { Box::new(move || arrays.backward()) as Run } else { Box::new(move || arrays.forward()) })
            })
        })
        .into()
}

/// An operation with everything it reads and writes.
struct Arrays {
    op: Box<dyn Op<f32>>,
    inputs: Vec<ArrayD<f32>>,
    output: ArrayD<f32>,
    output_grad: ArrayD<f32>,
    grads: Vec<ArrayD<f32>>,
    saved: Saved<f32>,
    scratch: Scratch<f32>,
    pool: Threads,
}

impl Arrays {
    fn new(op: Box<dyn Op<f32>>, shapes: &[Vec<usize>], pool: Threads) -> Result<Self> {
        let inputs: Vec<_> = shapes.iter().map(|shape| filled(shape)).collect();
        let shape = op.out_shape(&shapes.iter().map(Vec::as_slice).collect::<Vec<_>>())?;
        Ok(Arrays {
            op,
            output: ArrayD::zeros(shape.clone()),
            output_grad: filled(ndarray::Dimension::slice(&shape)),
            grads: inputs.clone(),
            inputs,
            saved: Saved::default(),
            scratch: Scratch::default(),
            pool,
        })
    }

    fn forward(&mut self) -> Result<()> {
        self.saved.recycle(&mut self.scratch);
        let inputs: Vec<ArrayViewD<'_, f32>> = self.inputs.iter().map(|input| input.view()).collect();
        self.op.forward(&inputs, &mut self.output, &mut self.saved, &mut cx(&mut self.scratch, &self.pool))
    }

    fn backward(&mut self) -> Result<()> {
        let inputs: Vec<ArrayViewD<'_, f32>> = self.inputs.iter().map(|input| input.view()).collect();
        let at = At { inputs: &inputs, output: &self.output, grad: &self.output_grad, saved: &self.saved };
        let mut slots: Vec<_> = self.grads.iter_mut().map(|grad| Some(Slot { grad, first: true })).collect();
        self.op.backward(at, &mut slots, &mut cx(&mut self.scratch, &self.pool))
    }
}

fn cx<'a>(scratch: &'a mut Scratch<f32>, pool: &'a Threads) -> Cx<'a, f32> {
    Cx { scratch, pool: &**pool, training: true, key: Key::new(1), first_sample: 0 }
}
