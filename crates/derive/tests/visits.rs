//! What the derived visit visits, in which order, under which paths, and that both methods agree.

use gradwise_core::{Param, Params, ParamsExt, Real};
use ndarray::arr1;
use std::marker::PhantomData;

/// The derive under the trait's name, as the crates that re-export it have it.
mod derive {
    pub(crate) use gradwise_derive::Params;
}

fn param<T: Real>(x: f64) -> Param<T> {
    Param::new(arr1(&[T::of(x)]))
}

/// The paths and first values a visit meets; `each_mut` must meet the same.
#[track_caller]
fn check<T: Real, P: Params<T>>(mut model: P, expected: &[(&str, f64)]) {
    let mut seen = Vec::new();
    model.visit(|path, p| seen.push((path.to_string(), p.value.sum().as_f64())));
    let expected: Vec<_> = expected.iter().map(|&(path, x)| (path.to_owned(), x)).collect();
    assert_eq!(seen, expected);
    let mut seen_mut = Vec::new();
    model.visit_mut(|path, p| seen_mut.push((path.to_string(), p.value.sum().as_f64())));
    assert_eq!(seen_mut, expected);
}

#[derive(derive::Params, Clone)]
struct Linear<T> {
    weight: Param<T>,
    bias: Option<Param<T>>,
    inputs: usize,
    name: &'static str,
    slope: T,
    slopes: Option<[T; 2]>,
    rate: Option<f64>,
    stride: [usize; 2],
    pads: Vec<(usize, bool)>,
    activation: fn(T) -> T,
    marker: PhantomData<fn() -> T>,
}

fn linear<T: Real>(x: f64, bias: bool) -> Linear<T> {
    Linear {
        weight: param(x),
        bias: bias.then(|| param(x + 0.5)),
        inputs: 1,
        name: "linear",
        slope: T::zero(),
        slopes: None,
        rate: None,
        stride: [1, 1],
        pads: vec![],
        activation: |x| x,
        marker: PhantomData,
    }
}

fn named<T: Real>() {
    check::<T, _>(linear(1.0, true), &[("weight", 1.0), ("bias", 1.5)]);
    check::<T, _>(linear(1.0, false), &[("weight", 1.0)]);
    let read = linear::<T>(1.0, true);
    assert_eq!(read.inputs + read.stride[0] + read.pads.len(), 2);
    assert!(
        read.slope.is_zero() && (read.activation)(T::one()).is_one() && read.rate.is_none() && read.slopes.is_none()
    );
    assert_eq!((read.name, read.marker), ("linear", PhantomData));
}

#[test]
fn named_fields_in_order_without_plain_options() {
    named::<f32>();
    named::<f64>();
}

#[derive(derive::Params)]
struct Pair<T>(Linear<T>, usize, Param<T>);

#[test]
fn tuple_fields_keep_their_index() {
    let pair = Pair::<f32>(linear(1.0, false), 7, param(2.0));
    assert_eq!(pair.1, 7);
    check(pair, &[("0.weight", 1.0), ("2", 2.0)]);
}

#[derive(derive::Params)]
struct Nested<T> {
    stem: Box<Linear<T>>,
    blocks: Vec<Pair<T>>,
    gates: [Param<T>; 2],
    pair: (Param<T>, Option<Linear<T>>),
}

#[test]
fn nested_parts_of_every_kind() {
    let model = Nested::<f64> {
        stem: Box::new(linear(1.0, true)),
        blocks: vec![Pair(linear(2.0, false), 0, param(3.0)), Pair(linear(4.0, false), 0, param(5.0))],
        gates: [param(6.0), param(7.0)],
        pair: (param(8.0), Some(linear(9.0, false))),
    };
    check(
        model,
        &[
            ("stem.weight", 1.0),
            ("stem.bias", 1.5),
            ("blocks.0.0.weight", 2.0),
            ("blocks.0.2", 3.0),
            ("blocks.1.0.weight", 4.0),
            ("blocks.1.2", 5.0),
            ("gates.0", 6.0),
            ("gates.1", 7.0),
            ("pair.0", 8.0),
            ("pair.1.weight", 9.0),
        ],
    );
}

#[derive(derive::Params)]
struct Concrete {
    layer: Linear<f32>,
    scale: Param<f32>,
}

#[derive(derive::Params)]
#[params(scalar = f64)]
struct Declared {
    inner: Alias,
}
type Alias = Linear<f64>;

#[derive(derive::Params)]
#[params(scalar = Number)]
struct Renamed<Number: Real> {
    inner: Linear<Number>,
}

#[test]
fn concrete_numbers_are_found_or_declared() {
    check::<f32, _>(
        Concrete { layer: linear(1.0, false), scale: param(2.0) },
        &[("layer.weight", 1.0), ("scale", 2.0)],
    );
    check::<f64, _>(Declared { inner: linear(1.0, false) }, &[("inner.weight", 1.0)]);
    check::<f32, _>(Renamed { inner: linear(1.0, false) }, &[("inner.weight", 1.0)]);
}

#[derive(derive::Params)]
struct Residual<M> {
    body: M,
    shortcut: Option<M>,
}

#[derive(derive::Params)]
struct Both<'a, T: Real, A: Clone, const N: usize>
where
    A: Params<T>,
{
    a: [A; N],
    list: &'a mut Linear<T>,
}

trait Family {
    type Member;
}
struct Linears;
impl Family for Linears {
    type Member = Linear<f32>;
}
#[derive(derive::Params)]
#[params(scalar = f32)]
struct Associated<F: Family> {
    member: F::Member,
    #[params(skip)]
    _family: F,
}

#[test]
fn generic_parts_are_bound() {
    check::<f32, _>(Residual { body: linear(1.0, false), shortcut: None }, &[("body.weight", 1.0)]);
    check::<f64, _>(Residual { body: param(1.0), shortcut: Some(param(2.0)) }, &[("body", 1.0), ("shortcut", 2.0)]);
    let mut list = linear::<f32>(2.0, false);
    check(Both { a: [param(1.0)], list: &mut list }, &[("a.0", 1.0), ("list.weight", 2.0)]);
    check(Associated { member: linear(1.0, false), _family: Linears }, &[("member.weight", 1.0)]);
}

#[derive(derive::Params)]
struct Relu;
#[derive(derive::Params)]
struct Flatten {
    start: usize,
}
#[derive(derive::Params)]
enum Never {}

#[test]
fn layers_without_parameters_have_them_of_any_type() {
    check::<f32, _>(Relu, &[]);
    check::<f64, _>(Relu, &[]);
    let flatten = Flatten { start: 1 };
    assert_eq!(flatten.start, 1);
    check::<f64, _>(flatten, &[]);
    check::<f32, _>(None::<Never>, &[]);
}

#[derive(derive::Params)]
enum Norm<T> {
    Batch(Linear<T>),
    Scale { gamma: Param<T>, epsilon: f64 },
    Two(Param<T>, Linear<T>),
    None,
}

#[test]
fn an_enum_visits_the_variant_it_is() {
    check::<f32, _>(Norm::Batch(linear(1.0, true)), &[("weight", 1.0), ("bias", 1.5)]);
    let scale = Norm::<f32>::Scale { gamma: param(1.0), epsilon: 1e-5 };
    assert!(matches!(scale, Norm::Scale { epsilon, .. } if epsilon > 0.0));
    check(scale, &[("gamma", 1.0)]);
    check::<f32, _>(Norm::Two(param(1.0), linear(2.0, false)), &[("0", 1.0), ("1.weight", 2.0)]);
    check::<f32, _>(Norm::None, &[]);
}

struct NotAPart;

#[derive(derive::Params)]
struct Attributes<T> {
    #[params(skip)]
    other: NotAPart,
    #[params(skip)]
    tied: Param<T>,
    #[params(flatten)]
    inner: Linear<T>,
    #[params(name = "gamma")]
    scale: Param<T>,
    r#type: Param<T>,
    // Names that the macro's own variables must not collide with.
    path: Param<T>,
    f: Param<T>,
}

#[test]
fn attributes_and_odd_names() {
    let model = Attributes::<f32> {
        other: NotAPart,
        tied: param(0.0),
        inner: linear(1.0, false),
        scale: param(2.0),
        r#type: param(3.0),
        path: param(4.0),
        f: param(5.0),
    };
    let NotAPart = model.other;
    assert_eq!(model.tied.value.len(), 1);
    let expected = [("weight", 1.0), ("gamma", 2.0), ("type", 3.0), ("path", 4.0), ("f", 5.0)];
    check(Attributes { other: NotAPart, ..model }, &expected);
}

mod renamed {
    pub(crate) mod nested {
        pub(crate) use gradwise_core::*;
    }
    #[derive(gradwise_derive::Params)]
    #[params(crate = crate::renamed::nested)]
    pub(crate) struct Layer<T> {
        pub(crate) weight: nested::Param<T>,
    }
}

#[test]
fn another_path_to_core() {
    check::<f32, _>(renamed::Layer { weight: param(1.0) }, &[("weight", 1.0)]);
}
