//! Everything around a rule, in a loop with gradients written by hand: groups, a schedule, clipping, and an average of the weights.
//!
//! `cargo run --release -p gradwise-optim --example alone`
//!
//! A network of one hidden layer learns whether a point lies within the unit circle. It is written down here, in plain ndarray; from gradwise
//! comes the optimizer alone.

#![allow(clippy::print_stdout)]

use gradwise_optim::ndarray::{Array1, Array2, ArrayD, Axis, Ix1, Ix2};
use gradwise_optim::steppers::{Average, Averaged};
use gradwise_optim::{
    AdamW, Clip, Cosine, Error, Grads, Group, Key, LinearWarmup, Optimizer, Param, Result, Stepper, no_decay_on_vectors,
};

const HIDDEN: usize = 16;
const STEPS: u64 = 600;

/// Points in a square, and 1 for those within the circle.
fn points(n: usize, key: Key) -> (Array2<f64>, Array1<f64>) {
    let x = Array2::from_shape_fn((n, 2), |(i, j)| 3.0 * key.uniform((2 * i + j) as u64) - 1.5);
    let y = x.map_axis(Axis(1), |x| f64::from(x.dot(&x) < 1.0));
    (x, y)
}

/// The layers' weights and biases, as `0.0`, `0.1`, `1.0` and `1.1`.
fn model() -> Vec<Vec<Param<f64>>> {
    let key = Key::new(1);
    let weight = |key: Key, rows: usize, columns: usize| {
        let scale = (6.0 / columns as f64).sqrt();
        Param::new(Array2::from_shape_fn((rows, columns), |(i, j)| {
            scale * (2.0 * key.uniform((i * columns + j) as u64) - 1.0)
        }))
    };
    vec![
        vec![weight(key.with(0), HIDDEN, 2), Param::new(Array1::zeros(HIDDEN))],
        vec![weight(key.with(1), 1, HIDDEN), Param::new(Array1::zeros(1))],
    ]
}

fn matrix(param: &Param<f64>) -> Result<Array2<f64>> {
    let shape = |_| Error::shape("model", "a matrix", param.value.shape());
    param.value.clone().into_dimensionality::<Ix2>().map_err(shape)
}

fn vector(param: &Param<f64>) -> Result<Array1<f64>> {
    let shape = |_| Error::shape("model", "a vector", param.value.shape());
    param.value.clone().into_dimensionality::<Ix1>().map_err(shape)
}

/// The hidden layer's values, and the logits.
fn forward(model: &[Vec<Param<f64>>], x: &Array2<f64>) -> Result<(Array2<f64>, Array1<f64>)> {
    let hidden = (x.dot(&matrix(&model[0][0])?.t()) + vector(&model[0][1])?).mapv(f64::tanh);
    let logits = hidden.dot(&matrix(&model[1][0])?.t()) + vector(&model[1][1])?;
    Ok((hidden, logits.column(0).to_owned()))
}

/// The mean cross-entropy, and its gradients by hand.
fn evaluate(model: &[Vec<Param<f64>>], (x, y): &(Array2<f64>, Array1<f64>)) -> Result<(f64, Vec<ArrayD<f64>>)> {
    let (hidden, logits) = forward(model, x)?;
    let n = y.len() as f64;
    let loss = logits.iter().zip(y).map(|(z, y)| z.max(0.0) - z * y + (-z.abs()).exp().ln_1p()).sum::<f64>() / n;
    let of_logits = (logits.mapv(|z| 1.0 / (1.0 + (-z).exp())) - y) / n;
    let of_logits = of_logits.insert_axis(Axis(1));
    let of_hidden = of_logits.dot(&matrix(&model[1][0])?) * hidden.mapv(|h| 1.0 - h * h);
    let grads = vec![
        of_hidden.t().dot(x).into_dyn(),
        of_hidden.sum_axis(Axis(0)).into_dyn(),
        of_logits.t().dot(&hidden).into_dyn(),
        of_logits.sum_axis(Axis(0)).into_dyn(),
    ];
    Ok((loss, grads))
}

fn accuracy(model: &[Vec<Param<f64>>], (x, y): &(Array2<f64>, Array1<f64>)) -> Result<f64> {
    let (_, logits) = forward(model, x)?;
    let right = logits.iter().zip(y).filter(|(z, y)| (**z > 0.0) == (**y > 0.5)).count();
    Ok(right as f64 / y.len() as f64)
}

fn main() -> Result<()> {
    let mut model = model();
    let schedule = LinearWarmup::new(20, Cosine::new(0.05, STEPS - 20)?)?;
    let optimizer = Optimizer::new(AdamW::default(), schedule)
        .weight_decay(0.01)?
        .group(no_decay_on_vectors())
        .group(Group::matching("1.*")?.learning_rate_times(0.5)?)
        .clip(Clip::global_norm(1.0)?);
    let mut stepper = Averaged::new(optimizer, Average::exponential(0.99)?.warm_up());

    let test = points(2000, Key::new(7));
    for step in 0..STEPS {
        let batch = points(64, Key::new(2).with(step));
        let info = stepper.step(&mut model, &mut |model: &Vec<Vec<Param<f64>>>, grads| {
            let (loss, arrays) = evaluate(model, &batch)?;
            *grads = Grads::from_arrays(model, arrays.into_iter().map(Some).collect());
            Ok(loss)
        })?;
        if step % 100 == 0 {
            println!(
                "step {step:3}: loss {:.3}, rate {:.4}, norm {:.3}",
                info.loss, info.learning_rate, info.grad_norm
            );
        }
    }
    let last = accuracy(&model, &test)?;
    stepper.swap_averages(&mut model)?;
    let average = accuracy(&model, &test)?;
    println!(
        "accuracy on 2000 points: {:.2} % with the last weights, {:.2} % with their average",
        100.0 * last,
        100.0 * average
    );
    assert!(average > 0.95, "{average}");
    Ok(())
}
