//! What a tape promises, each promise a test; where the number type matters, in one body for f32 and f64.

#[path = "../common/mod.rs"]
mod common;

mod memory;
mod paths;

use common::{ADD, Affine, Fault, MUL, Sum};
use gradwise_autograd::core::{
    ArrayRefD, ArrayViewD, At, Cx, Grads, Kind, Op, Saved, Serial, Slot, Updates, arity, sum_of_squares,
};
use gradwise_autograd::{Error, Mode, Module, Param, Params, ParamsExt, Real, Result, Tape, Var, Workspace, check};
use ndarray::{ArrayD, IxDyn, arr1, arr2, array};

fn arr<T: Real>(values: &[f64]) -> ArrayD<T> {
    arr1(&values.iter().map(|&x| T::of(x)).collect::<Vec<_>>()).into_dyn()
}

fn one_variable_as_two_inputs<T: Real>() {
    let mut workspace = Workspace::<T>::new();
    let x = arr(&[3.0, -2.0]);
    let mut tape = Tape::new(&mut workspace, Mode::train(0, 0));
    let v = tape.variable(&x);
    let square = tape.apply(MUL, &[v, v]).unwrap();
    let sum = tape.apply(Sum, &[square]).unwrap();
    tape.backward(sum).unwrap();
    assert_eq!(tape.grad(v).unwrap(), arr(&[6.0, -4.0]));
    // And again, from scratch, not on top.
    tape.backward(sum).unwrap();
    assert_eq!(tape.grad(v).unwrap(), arr(&[6.0, -4.0]));
}

#[test]
fn one_variable_as_two_inputs_gets_both_gradients() {
    one_variable_as_two_inputs::<f32>();
    one_variable_as_two_inputs::<f64>();
}

/// Uses one weight in two places, and never uses another.
#[derive(Params)]
struct Model<T> {
    shared: Param<T>,
    idle: Param<T>,
    frozen: Param<T>,
    steps: Param<T>,
}

impl<T: Real> Model<T> {
    fn new() -> Self {
        let mut frozen = Param::new(arr::<T>(&[5.0, 5.0]));
        frozen.freeze();
        Model {
            shared: Param::new(arr::<T>(&[2.0, 3.0])),
            idle: Param::new(arr::<T>(&[1.0, 1.0])),
            frozen,
            steps: Param::buffer(arr::<T>(&[0.0])),
        }
    }
}

impl<T: Real> Module<T> for Model<T> {
    fn forward<'p>(&'p self, tape: &mut Tape<'p, T>, x: Var) -> Result<Var> {
        let shared = tape.param(&self.shared);
        let frozen = tape.param(&self.frozen);
        let y = tape.apply(MUL, &[x, shared])?;
        let y = tape.apply(MUL, &[y, frozen])?;
        let again = tape.param(&self.shared);
        let next = tape.buffer(&self.steps) + T::one();
        tape.update(&self.steps, next);
        tape.apply(MUL, &[y, again])
    }
}

fn step<T: Real>(workspace: &mut Workspace<T>, model: &Model<T>) -> (Grads<T>, Updates<T>) {
    let x = arr(&[1.0, 10.0]);
    let (mut grads, mut updates) = (Grads::new(), Updates::new());
    let mut tape = Tape::new(workspace, Mode::train(0, 0));
    tape.watch(model);
    let x = tape.input(&x);
    let y = model.forward(&mut tape, x).unwrap();
    let loss = tape.apply(Sum, &[y]).unwrap();
    tape.backward(loss).unwrap();
    tape.take_grads(&mut grads).unwrap();
    // What the tape has summed is what is there.
    for index in 0..grads.len() {
        let expected = grads.get(index).map(|grad| sum_of_squares(grad, &Serial));
        assert_eq!(grads.squares(index, &Serial), expected);
    }
    tape.take_updates(&mut updates);
    (grads, updates)
}

fn parameters<T: Real>() {
    let mut model = Model::<T>::new();
    assert_eq!(model.paths(), ["shared", "idle", "frozen", "steps"], "each visited once");
    let mut workspace = Workspace::new();
    for round in 1..=3 {
        let (grads, mut updates) = step(&mut workspace, &model);
        // 5 x w², so 10 x w.
        assert_eq!(grads.get(0).unwrap(), arr(&[20.0, 300.0]));
        assert_eq!(grads.unreached().collect::<Vec<_>>(), [1], "the idle weight is reported");
        assert!(grads.get(2).is_none() && grads.get(3).is_none(), "frozen weights and buffers get no gradient");
        updates.apply(&mut model);
        assert_eq!(model.steps.value, arr(&[f64::from(round)]), "applied once a step");
    }
}

#[test]
fn parameters_are_shared_frozen_and_reported() {
    parameters::<f32>();
    parameters::<f64>();
}

#[test]
fn kinds_change_only_where_it_makes_sense() {
    let mut buffer = Param::buffer(arr::<f32>(&[0.0]));
    buffer.freeze();
    assert_eq!(buffer.kind, Kind::Buffer);
    buffer.unfreeze();
    assert_eq!(buffer.kind, Kind::Buffer);
}

#[test]
fn a_variable_of_another_tape_is_an_error() {
    let x = arr::<f64>(&[1.0]);
    let (mut first, mut second) = (Workspace::new(), Workspace::new());
    let mut one = Tape::new(&mut first, Mode::train(0, 0));
    let mut other = Tape::new(&mut second, Mode::train(0, 0));
    let v = one.variable(&x);
    let w = other.variable(&x);
    assert_eq!(other.apply(ADD, &[w, v]).unwrap_err(), Error::ForeignVar { op: "add" });
    assert_eq!(other.reshape(v, &[1, 1]).unwrap_err(), Error::ForeignVar { op: "reshape" });
    assert_eq!(other.backward(v).unwrap_err(), Error::ForeignVar { op: "backward" });
    assert!(other.try_value(v).is_err());
    assert!(other.grad(v).is_none());
}

#[test]
fn views_pass_gradients_through() {
    let x = arr2(&[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]).into_dyn();
    let w = arr2(&[[1.0, -1.0], [2.0, 0.5]]).into_dyn();
    // Transpose, slice and reshape, one on top of another, with x reached along two ways.
    check::function(&[x, w], |tape, vars| {
        let [x, w] = [vars[0], vars[1]];
        let t = tape.transpose(x)?;
        let rows = tape.slice(t, 0, 1..3)?;
        let y = tape.apply(MUL, &[rows, w])?;
        let flat = tape.reshape(rows, &[4])?; // not in standard layout: copied
        let square = tape.apply(MUL, &[flat, flat])?;
        let square = tape.reshape(square, &[2, 2])?;
        let other = tape.slice(x, 1, 0..2)?;
        let z = tape.apply(MUL, &[square, y])?;
        tape.apply(MUL, &[z, other])
    })
    .unwrap();
    // A reshape of a leaf shares the leaf's gradient; both are used as inputs of one operation.
    check::function(&[array![1.5, -2.0, 0.5, 3.0].into_dyn()], |tape, vars| {
        let square = tape.reshape(vars[0], &[2, 2])?;
        let same = tape.reshape(vars[0], &[2, 2])?;
        tape.apply(MUL, &[square, same])
    })
    .unwrap();
    check::function(
        &[ArrayD::from_shape_fn(IxDyn(&[2, 3, 4]), |i| (i[0] * 12 + i[1] * 4 + i[2]) as f64)],
        |tape, v| {
            let y = tape.permute(v[0], &[2, 0, 1])?;
            tape.apply(MUL, &[y, y])
        },
    )
    .unwrap();
}

/// A product that is never computed.
struct Outer;

impl Op<f64> for Outer {
    fn name(&self) -> &'static str {
        "outer"
    }
    fn out_shape(&self, inputs: &[&[usize]]) -> Result<IxDyn> {
        let [a, b] = arity("outer", inputs)?;
        Ok(IxDyn(&[a[0], b[1]]))
    }
    fn forward(
        &self,
        _: &[ArrayViewD<'_, f64>],
        _: &mut ArrayRefD<f64>,
        _: &mut Saved<f64>,
        _: &mut Cx<'_, f64>,
    ) -> Result<()> {
        unreachable!("there is no memory for it")
    }
    fn backward(&self, _: At<'_, f64>, _: &mut [Option<Slot<'_, f64>>], _: &mut Cx<'_, f64>) -> Result<()> {
        unreachable!("it has no output")
    }
}

#[test]
fn shapes_that_do_not_fit_are_errors() {
    let x = arr2(&[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]).into_dyn();
    let [tall, wide] = [[1 << 40, 0], [0, 1 << 40]].map(|shape| ArrayD::zeros(IxDyn(&shape)));
    let mut workspace = Workspace::<f64>::new();
    let mut tape = Tape::new(&mut workspace, Mode::evaluate());
    let x = tape.input(&x);
    let nothing = tape.slice(x, 1, 1..1).unwrap();
    let [tall, wide] = [&tall, &wide].map(|x| tape.input(x));
    for error in [
        tape.reshape(x, &[4]).unwrap_err(),
        tape.reshape(x, &[usize::MAX, 2]).unwrap_err(),
        tape.reshape(nothing, &[0, 1 << 40, 1 << 40]).unwrap_err(),
        tape.apply(Outer, &[tall, wide]).unwrap_err(),
        tape.permute(x, &[0, 0]).unwrap_err(),
        tape.permute(x, &[0]).unwrap_err(),
        tape.slice(x, 2, 0..1).unwrap_err(),
        tape.slice(x, 1, 2..4).unwrap_err(),
        #[allow(clippy::reversed_empty_ranges)]
        tape.slice(x, 1, 2..1).unwrap_err(),
    ] {
        assert!(matches!(error, Error::Shape { .. }), "{error}");
    }
    let empty = tape.slice(x, 1, 1..1).unwrap();
    assert_eq!(tape.value(empty).shape(), &[2, 0]);
}

#[derive(Params)]
struct Scaled<T> {
    by: Param<T>,
}

impl<T: Real> Module<T> for Scaled<T> {
    fn forward<'p>(&'p self, tape: &mut Tape<'p, T>, x: Var) -> Result<Var> {
        tape.layer(&self.by, "scaled", |tape| {
            let by = tape.param(&self.by);
            tape.apply(MUL, &[x, by])
        })
    }
}

#[test]
fn bound_variables_stand_for_parameters() {
    // w = v², as weight norm and its like substitute a function of other variables for a layer's weight.
    let layer = Scaled { by: Param::new(arr::<f64>(&[1.0, 1.0])) };
    check::function(&[array![2.0, 3.0].into_dyn(), array![0.5, -1.5].into_dyn()], |_, _| {
        Err(Error::Other(String::new()))
    })
    .unwrap_err();
    let v = arr::<f64>(&[0.5, -1.5]);
    let x = arr::<f64>(&[2.0, 3.0]);
    let mut workspace = Workspace::new();
    let mut tape = Tape::new(&mut workspace, Mode::train(0, 0));
    let (v, x) = (tape.variable(&v), tape.input(&x));
    let w = tape.apply(MUL, &[v, v]).unwrap();
    tape.bind(&layer.by, w).unwrap();
    let y = layer.forward(&mut tape, x).unwrap();
    assert_eq!(tape.value(y), arr(&[0.5, 6.75]));
    let sum = tape.apply(Sum, &[y]).unwrap();
    tape.backward(sum).unwrap();
    assert_eq!(tape.grad(v).unwrap(), arr(&[2.0, -9.0]));
    tape.unbind(&layer.by);
    let y = layer.forward(&mut tape, x).unwrap();
    assert_eq!(tape.value(y), arr(&[2.0, 3.0]));
    let short = tape.slice(x, 0, 0..1).unwrap();
    assert!(tape.bind(&layer.by, short).is_err());
}

#[test]
fn no_gradient_is_asked_for_in_evaluation() {
    let x = arr::<f64>(&[1.0]);
    let mut workspace = Workspace::new();
    let mut tape = Tape::new(&mut workspace, Mode::evaluate());
    let v = tape.variable(&x);
    let y = tape.apply(MUL, &[v, v]).unwrap();
    assert!(tape.backward(y).unwrap_err().to_string().contains("mode without"));
    assert!(tape.grad(v).is_none());
}

#[test]
fn the_gradient_of_a_reshape_is_kept_on_request() {
    let x = arr::<f64>(&[1.0, 2.0, 3.0, 4.0]);
    let mut workspace = Workspace::new();
    let mut tape = Tape::new(&mut workspace, Mode::train(0, 0));
    let v = tape.variable(&x);
    let square = tape.reshape(v, &[2, 2]).unwrap();
    tape.retain_grad(square).unwrap();
    let y = tape.apply(MUL, &[square, square]).unwrap();
    let (a, b) = (tape.apply(Sum, &[y]).unwrap(), tape.apply(Sum, &[v]).unwrap());
    let loss = tape.apply(ADD, &[a, b]).unwrap();
    tape.backward(loss).unwrap();
    assert_eq!(tape.grad(square).unwrap(), arr2(&[[2.0, 4.0], [6.0, 8.0]]).into_dyn());
    assert_eq!(tape.grad(v).unwrap(), arr(&[3.0, 5.0, 7.0, 9.0]));
}

#[test]
fn intermediate_gradients_are_kept_on_request() {
    let x = arr::<f64>(&[3.0]);
    let mut workspace = Workspace::new();
    let mut tape = Tape::new(&mut workspace, Mode::train(0, 0));
    let v = tape.variable(&x);
    let y = tape.apply(MUL, &[v, v]).unwrap();
    let z = tape.apply(MUL, &[y, y]).unwrap();
    tape.backward(z).unwrap();
    assert!(tape.grad(y).is_none());
    tape.retain_grad(y).unwrap();
    tape.backward(z).unwrap();
    assert_eq!(tape.grad(y).unwrap(), arr(&[18.0]));
}

#[test]
fn a_loss_is_one_number() {
    let x = arr::<f64>(&[1.0, 2.0]);
    let mut workspace = Workspace::new();
    let mut tape = Tape::new(&mut workspace, Mode::train(0, 0));
    let v = tape.variable(&x);
    assert_eq!(tape.backward(v).unwrap_err().to_string(), "backward: expected a loss of one element, got shape [2]");
    assert!(tape.backward_from(v, &arr(&[1.0])).is_err());
    tape.backward_from(v, &arr(&[1.0, 2.0])).unwrap();
    assert_eq!(tape.grad(v).unwrap(), arr(&[1.0, 2.0]));
    assert!(tape.take_grads(&mut Grads::new()).is_err(), "no model is watched");
}

#[test]
fn zero_axes_and_batches_of_one() {
    for n in [0, 1] {
        let x = ArrayD::<f64>::ones(IxDyn(&[n, 3]));
        let w = ArrayD::<f64>::ones(IxDyn(&[3, 2]));
        let b = ArrayD::<f64>::ones(IxDyn(&[2]));
        let mut workspace = Workspace::new();
        let mut tape = Tape::new(&mut workspace, Mode::train(0, 0));
        let (x, w, b) = (tape.variable(&x), tape.variable(&w), tape.variable(&b));
        let y = tape.apply(Affine(Fault::None), &[x, w, b]).unwrap();
        let loss = tape.apply(Sum, &[y]).unwrap();
        tape.backward(loss).unwrap();
        assert_eq!(tape.value(loss)[[]], 8.0 * n as f64);
        assert_eq!(tape.grad(b).unwrap(), arr(&[n as f64, n as f64]));
    }
}

#[test]
fn tapes_and_models_may_go_to_other_threads() {
    fn send<X: Send>() {}
    fn sync<X: Sync>() {}
    send::<Tape<'static, f32>>();
    send::<Workspace<f64>>();
    sync::<Box<dyn Module<f32>>>();
    fn object_safe(_: &dyn Module<f32>, _: &dyn Module<f64, (Var, Var), (Var, Var)>) {}
    let _ = object_safe;
}

#[test]
fn a_model_is_watched_before_it_is_run() {
    let (model, x, mut workspace) = (Model::<f64>::new(), arr(&[1.0, 10.0]), Workspace::new());
    let mut tape = Tape::new(&mut workspace, Mode::train(0, 0));
    let x = tape.input(&x);
    let y = model.forward(&mut tape, x).unwrap();
    tape.watch(&model);
    let loss = tape.apply(Sum, &[y]).unwrap();
    tape.backward(loss).unwrap();
    let error = tape.take_grads(&mut Grads::new()).unwrap_err().to_string();
    assert!(
        error.ends_with("expected the model to be watched first, got a parameter of it that was read before"),
        "{error}"
    );
}
