//! Checking what a tape computes.

use super::numeric::{compare, draw};
use super::op::weighted_sum;
use super::{Check, Failure, Report};
use crate::{Mode, Module, Tape, Var, Workspace};
use gradwise_core::{Grads, Key, ParamsExt, Result, Scratch};
use ndarray::{ArrayD, IxDyn};

fn mode(check: &Check) -> Mode {
    Mode { training: check.training, noise: check.training, ..Mode::train(check.seed, 0) }
}

/// A workspace whose values and gradients hold NaN until something is written to them.
fn workspace() -> Workspace<f64> {
    let mut workspace = Workspace::new();
    workspace.scratch = Scratch::poisoned(f64::NAN);
    workspace
}

fn cotangent(check: &Check, shape: &[usize]) -> ArrayD<f64> {
    ArrayD::from_shape_fn(IxDyn(shape), draw(Key::new(check.seed).with_str("cotangent")))
}

pub(super) fn check_function<F>(check: &Check, inputs: &[ArrayD<f64>], f: F) -> Result<Report, Failure>
where
    F: for<'p> Fn(&mut Tape<'p, f64>, &[Var]) -> Result<Var>,
{
    let mut workspace = workspace();
    let (cotangent, gradients) = {
        let mut tape = Tape::new(&mut workspace, mode(check));
        let variables: Vec<Var> = inputs.iter().map(|x| tape.variable(x)).collect();
        let y = f(&mut tape, &variables)?;
        let cotangent = cotangent(check, tape.value(y).shape());
        tape.backward_from(y, &cotangent)?;
        let gradient = |i: usize, v: Var| {
            let zero = || ArrayD::zeros(inputs[i].raw_dim());
            check.checks(i).then(|| tape.grad(v).map_or_else(zero, |g| g.to_owned()))
        };
        let gradients: Vec<_> = variables.iter().enumerate().map(|(i, &v)| gradient(i, v)).collect();
        (cotangent, gradients)
    };
    let mut inputs = inputs.to_vec();
    compare(check, &mut inputs, &gradients, &[], &mut |inputs| {
        let mut tape = Tape::new(&mut workspace, mode(check));
        let variables: Vec<Var> = inputs.iter().map(|x| tape.input(x)).collect();
        let y = f(&mut tape, &variables)?;
        Ok(weighted_sum(&tape.value(y).to_owned(), &cotangent))
    })
}

pub(super) fn check_module<M>(check: &Check, module: &mut M, input: &ArrayD<f64>) -> Result<Report, Failure>
where
    M: Module<f64> + ?Sized,
{
    let mut workspace = workspace();
    let mut grads = Grads::new();
    let (cotangent, of_input) = {
        let mut tape = Tape::new(&mut workspace, mode(check));
        tape.watch(module);
        let x = tape.variable(input);
        let y = module.forward(&mut tape, x)?;
        let cotangent = cotangent(check, tape.value(y).shape());
        tape.backward_from(y, &cotangent)?;
        let of_input = tape.grad(x).map_or_else(|| ArrayD::zeros(input.raw_dim()), |g| g.to_owned());
        tape.take_grads(&mut grads)?;
        (cotangent, of_input)
    };

    // The input is number 0; the parameters follow in their order. Those the output does not depend on have a gradient of zero.
    let mut arrays = vec![input.clone()];
    let mut names = vec!["the input".to_owned()];
    let mut gradients = vec![check.checks(0).then_some(of_input)];
    module.visit(|path, p| {
        let index = names.len() - 1;
        let gradient = || grads.get(index).cloned().unwrap_or_else(|| ArrayD::zeros(p.value.raw_dim()));
        gradients.push((p.is_trainable() && check.checks(index + 1)).then(gradient));
        names.push(format!("parameter {path}"));
        arrays.push(p.value.clone());
    });
    let originals = arrays.clone();

    let report = compare(check, &mut arrays, &gradients, &names, &mut |arrays| {
        assign(module, &arrays[1..]);
        let mut tape = Tape::new(&mut workspace, mode(check));
        tape.watch(module);
        let x = tape.input(&arrays[0]);
        let y = module.forward(&mut tape, x)?;
        Ok(weighted_sum(&tape.value(y).to_owned(), &cotangent))
    });
    assign(module, &originals[1..]);
    report
}

fn assign<M: Module<f64> + ?Sized>(module: &mut M, values: &[ArrayD<f64>]) {
    let mut values = values.iter();
    module.visit_mut(|_, p| {
        if let Some(value) = values.next() {
            p.value.assign(value);
        }
    });
}
