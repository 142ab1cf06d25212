//! Names of layers, in errors, readings and random keys.

use crate::common::{self, ADD, MUL};
use crate::{Scaled, arr};
use gradwise_autograd::{Mode, Module, Param, Params, Real, Result, Tape, Var, Workspace, predict};
use ndarray::IxDyn;

#[test]
fn errors_carry_the_layers_path() {
    let (x, y) = (arr::<f32>(&[1.0, 2.0]), arr::<f32>(&[1.0, 2.0, 3.0]));
    let mut workspace = Workspace::new();
    let mut tape = Tape::new(&mut workspace, Mode::evaluate());
    let (x, y) = (tape.input(&x), tape.input(&y));
    let error = tape.scope("encoder", |tape| tape.scope("1", |tape| tape.apply(ADD, &[x, y]))).unwrap_err();
    assert_eq!(error.to_string(), "encoder.1: add: expected [2], got shape [3]");
    assert_eq!(tape.path(), "", "scopes end, in errors too");
}

#[derive(Params)]
struct Two<T> {
    first: Scaled<T>,
    second: Vec<Scaled<T>>,
}

impl<T: Real> Module<T> for Two<T> {
    fn forward<'p>(&'p self, tape: &mut Tape<'p, T>, x: Var) -> Result<Var> {
        let y = self.first.forward(tape, x)?;
        self.second.iter().try_fold(y, |y, layer| layer.forward(tape, y))
    }
}

#[test]
fn layers_inside_a_derived_struct_go_by_their_fields_names() {
    let model = Two {
        first: Scaled { by: Param::new(arr::<f32>(&[2.0, 2.0])) },
        second: vec![
            Scaled { by: Param::new(arr::<f32>(&[3.0, 3.0])) },
            Scaled { by: Param::new(arr::<f32>(&[3.0, 3.0, 3.0])) },
        ],
    };
    let error = predict(&model, &arr(&[1.0, 1.0]), &mut Workspace::new()).unwrap_err();
    assert_eq!(error.to_string(), "second.1: mul: expected [2], got shape [3]");
}

#[test]
fn the_origin_of_a_nan_is_named() {
    let x = arr::<f64>(&[0.0, 1.0]);
    let mut workspace = Workspace::new();
    let mut tape = Tape::new(&mut workspace, Mode::train(0, 0));
    let x = tape.variable(&x);
    assert_eq!(tape.first_not_finite(), None);
    let y = tape.scope("head", |tape| tape.apply(common::DIV, &[x, x])).unwrap();
    tape.scope("after", |tape| tape.apply(ADD, &[y, y])).unwrap();
    let origin = tape.first_not_finite().unwrap();
    assert_eq!((&origin.path[..], origin.op), ("head", "div"));
    assert_eq!(origin.to_string(), "head: div made NaN");

    let bad = Scaled { by: Param::new(arr(&[f64::INFINITY, 1.0])) };
    drop(tape);
    let mut tape = Tape::new(&mut workspace, Mode::train(0, 0));
    tape.watch(&bad);
    tape.param(&bad.by);
    assert_eq!(tape.first_not_finite().unwrap().to_string(), "by: parameter made inf");
}

#[test]
fn a_gradient_that_is_not_finite_is_named_on_request() {
    // √(x²) by hand has no derivative at 0: 0/0.
    let abs = common::Pointwise {
        name: "hypot",
        value: f64::hypot,
        derivatives: [|a, b| a / a.hypot(b), |a, b| b / a.hypot(b)],
    };
    let x = arr::<f64>(&[0.0]);
    let mut workspace = Workspace::new();
    let mut tape = Tape::new(&mut workspace, Mode::train(0, 0));
    let v = tape.variable(&x);
    let y = tape.scope("norm", |tape| tape.apply(abs, &[v, v])).unwrap();
    tape.backward(y).unwrap();
    tape.check_gradients();
    let error = tape.backward(y).unwrap_err();
    assert_eq!(error.to_string(), "norm: hypot: expected finite numbers, got NaN");
}

#[test]
fn readings_name_layer_and_operation() {
    let x = arr::<f64>(&[-1.0, 0.0, 1.0, 2.0]);
    let mut workspace = Workspace::new();
    let mut tape = Tape::new(&mut workspace, Mode::train(0, 0));
    let x = tape.input(&x);
    tape.apply(ADD, &[x, x]).unwrap();
    tape.probe(1000);
    tape.scope("body", |tape| tape.apply(MUL, &[x, x])).unwrap();
    let readings = tape.take_readings();
    let [reading] = &readings[..] else { panic!("one reading, not {}", readings.len()) };
    assert_eq!((&reading.path[..], reading.op, &reading.shape[..]), ("body", "mul", &[4][..]));
    assert_eq!((reading.mean, reading.min, reading.max, reading.zeros), (1.5, 0.0, 4.0, 0.25));
    assert!((reading.std - 2.25_f64.sqrt()).abs() < 1e-12, "{}", reading.std);
}

#[test]
fn keys_depend_on_seed_step_path_and_position_alone() {
    /// Writes its own key.
    struct Draw;
    impl gradwise_autograd::core::Op<f64> for Draw {
        fn name(&self) -> &'static str {
            "draw"
        }
        fn out_shape(&self, _: &[&[usize]]) -> Result<IxDyn> {
            Ok(IxDyn(&[]))
        }
        fn forward(
            &self,
            _: &[gradwise_autograd::core::ArrayViewD<'_, f64>],
            out: &mut gradwise_autograd::core::ArrayRefD<f64>,
            _: &mut gradwise_autograd::core::Saved<f64>,
            cx: &mut gradwise_autograd::core::Cx<'_, f64>,
        ) -> Result<()> {
            out.fill(cx.key.uniform(0));
            Ok(())
        }
        fn backward(
            &self,
            _: gradwise_autograd::core::At<'_, f64>,
            _: &mut [Option<gradwise_autograd::core::Slot<'_, f64>>],
            _: &mut gradwise_autograd::core::Cx<'_, f64>,
        ) -> Result<()> {
            Ok(())
        }
    }
    let x = arr::<f64>(&[1.0]);
    let mut workspace = Workspace::new();
    let mut draw = |seed, step, other_scopes_before: bool| {
        let mut tape = Tape::new(&mut workspace, Mode::train(seed, step));
        if other_scopes_before {
            let v = tape.input(&x);
            tape.scope("elsewhere", |tape| tape.apply(ADD, &[v, v])).unwrap();
        }
        let first = tape.scope("a", |tape| tape.apply(Draw, &[])).unwrap();
        let second = tape.scope("a", |tape| tape.apply(Draw, &[])).unwrap();
        let third = tape.scope("b", |tape| tape.apply(Draw, &[])).unwrap();
        [first, second, third].map(|v| tape.value(v)[[]])
    };
    let reference = draw(7, 3, false);
    assert_eq!(reference, draw(7, 3, true), "what happens in other layers does not matter");
    let all = [reference, draw(7, 4, false), draw(8, 3, false)].concat();
    for (i, a) in all.iter().enumerate() {
        assert!(all[..i].iter().all(|b| a != b), "{all:?}");
    }
}

/// A list of layers without names of their own, as a chain is, one of them without parameters.
#[derive(Params)]
struct List<T> {
    inner: Vec<Scaled<T>>,
}

#[derive(Params)]
struct Holder<T> {
    features: List<T>,
}

impl<T: Real> Module<T> for Holder<T> {
    fn forward<'p>(&'p self, tape: &mut Tape<'p, T>, x: Var) -> Result<Var> {
        tape.block(&self.features, |tape| tape.scope("7", |tape| tape.apply(MUL, &[x])))
    }
}

#[test]
fn containers_are_recognized_by_their_parameters() {
    let scaled = || Scaled { by: Param::new(arr::<f32>(&[1.0])) };
    let model = Holder { features: List { inner: vec![scaled(), scaled()] } };
    let error = predict(&model, &arr(&[1.0]), &mut Workspace::new()).unwrap_err();
    assert_eq!(error.to_string(), "features.7: mul: expected 2 inputs, got 1");
    let empty = Holder { features: List { inner: Vec::new() } };
    let error = predict(&empty, &arr::<f32>(&[1.0]), &mut Workspace::new()).unwrap_err();
    assert_eq!(error.to_string(), "7: mul: expected 2 inputs, got 1");
}
