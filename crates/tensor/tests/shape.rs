//! Operations that move elements, against indexing spelled out and finite differences.

use crate::support;

use gradwise_autograd::check;
use gradwise_core::{Error, Op, Serial, Slot};
use gradwise_tensor::shape::{gather_into, pad_backward, pad_into, pick_into, scatter_add};
use gradwise_tensor::{
    BroadcastTo, Concat, Eager, Flip, Gather, Pad, PadMode, Permute, Pick, Reshape, Slice, Span, Stack,
};
use ndarray::{ArrayD, ArrayViewD, Axis, Dimension, IxDyn, arr1, arr2};
use proptest::prelude::*;
use support::{cases, consistent, random, strided};

trait Both: Op<f32> + Op<f64> {}
impl<O: Op<f32> + Op<f64>> Both for O {}

fn forward(op: &dyn Op<f64>, inputs: &[&ArrayD<f64>]) -> ArrayD<f64> {
    let views: Vec<ArrayViewD<'_, f64>> = inputs.iter().map(|x| x.view()).collect();
    Eager::default().forward(op, &views).unwrap().0
}

/// The output equals what is expected, for any layout of the inputs; gradients match differences; precision and threads do not matter.
fn holds(op: &dyn Both, inputs: &[ArrayD<f64>], expected: &ArrayD<f64>) {
    let name = Op::<f64>::name(op);
    let others: Vec<ArrayD<f64>> = inputs.iter().map(strided).collect();
    for inputs in [inputs, &others] {
        assert_eq!(forward(op, &inputs.iter().collect::<Vec<_>>()), expected, "{name}");
    }
    if inputs.iter().map(ArrayD::len).sum::<usize>() < 500 {
        check::op(op, inputs).unwrap_or_else(|failure| panic!("{name}: {failure}"));
    }
    consistent(op, op, inputs, 1e-5);
}

/// Shapes with axes of any small length, 0 and 1 among them.
fn shape(axes: std::ops::Range<usize>) -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(0..5_usize, axes)
}

proptest! {
    #![proptest_config(cases(40))]

    #[test]
    fn reshape_keeps_the_order(shape in shape(0..4), cut in 0..4_usize) {
        let x = random(&shape, 1);
        let cut = cut.min(shape.len());
        let target = [shape[..cut].iter().product(), shape[cut..].iter().product::<usize>()];
        let expected = x.to_shape(&target[..]).unwrap().into_owned();
        holds(&Reshape::new(&target), &[x], &expected.into_dyn());
    }

    #[test]
    fn permute_moves_axes(shape in shape(0..5), order in Just([0, 1, 2, 3]).prop_shuffle()) {
        let axes: Vec<usize> = order.into_iter().filter(|&axis| axis < shape.len()).collect();
        let x = random(&shape, 2);
        let expected = x.view().permuted_axes(&axes[..]).as_standard_layout().into_owned();
        holds(&Permute::new(&axes).unwrap(), &[x], &expected);
    }

    #[test]
    fn flip_reverses(shape in shape(1..4), mask in 1..8_usize) {
        let axes: Vec<usize> = (0..shape.len()).filter(|axis| mask >> axis & 1 == 1).collect();
        let x = random(&shape, 3);
        let expected = ArrayD::from_shape_fn(x.raw_dim(), |mut index| {
            axes.iter().for_each(|&axis| index[axis] = shape[axis] - 1 - index[axis]);
            x[index]
        });
        holds(&Flip::new(&axes), &[x], &expected);
    }

    #[test]
    fn broadcast_to_repeats(shape in shape(0..4), mask in 0..16_usize, extra in shape(0..2)) {
        let mut from = shape.clone();
        (0..from.len()).filter(|axis| mask >> axis & 1 == 1).for_each(|axis| from[axis] = 1);
        let target = [&extra[..], &shape].concat();
        let x = random(&from, 4);
        let expected = x.broadcast(&target[..]).unwrap().into_owned();
        holds(&BroadcastTo::new(&target), &[x], &expected);
    }

    #[test]
    fn concat_and_stack_join(shape in shape(1..4), axis in 0..3_usize, lens in prop::collection::vec(0..4_usize, 1..4)) {
        let axis = axis.min(shape.len() - 1);
        let arrays: Vec<ArrayD<f64>> = lens.iter().enumerate().map(|(i, &len)| {
            let mut shape = shape.clone();
            shape[axis] = len;
            random(&shape, i as u64)
        }).collect();
        let views: Vec<_> = arrays.iter().map(|x| x.view()).collect();
        let expected = ndarray::concatenate(Axis(axis), &views).unwrap().as_standard_layout().into_owned();
        holds(&Concat { axis }, &arrays, &expected);

        let arrays: Vec<ArrayD<f64>> = (0..lens.len()).map(|i| random(&shape, i as u64)).collect();
        let views: Vec<_> = arrays.iter().map(|x| x.view()).collect();
        for axis in [axis, shape.len()] {
            let expected = ndarray::stack(Axis(axis), &views).unwrap().as_standard_layout().into_owned();
            holds(&Stack { axis }, &arrays, &expected);
        }
    }

    #[test]
    fn slice_selects(ranges in prop::collection::vec((0..4_usize, 0..4_usize, 0..4_usize, 1..4_usize), 1..4), rest in shape(0..2)) {
        let shape: Vec<usize> = ranges.iter().map(|(start, len, after, _)| start + len + after).chain(rest).collect();
        let spans = ranges.iter().map(|&(start, len, _, step)| Span::from(start..start + len).step(step).unwrap());
        let x = random(&shape, 5);
        let out: Vec<usize> = ranges.iter().map(|r| r.1.div_ceil(r.3)).chain(shape[ranges.len()..].iter().copied()).collect();
        let expected = ArrayD::from_shape_fn(out, |mut index| {
            ranges.iter().enumerate().for_each(|(axis, r)| index[axis] = r.0 + index[axis] * r.3);
            x[index]
        });
        holds(&Slice::new(spans), &[x], &expected);
    }

    #[test]
    fn gather_takes_by_index(
        mut shape in shape(1..4), axis in 0..3_usize, len in 1..5_usize, indices in prop::collection::vec(0..100_usize, 0..6),
    ) {
        let axis = axis.min(shape.len() - 1);
        shape[axis] = len;
        let indices: Vec<usize> = indices.into_iter().map(|index| index % len).collect();
        let x = random(&shape, 6);
        let expected = x.select(Axis(axis), &indices).as_standard_layout().into_owned();
        holds(&Gather { axis, indices: &indices }, std::slice::from_ref(&x), &expected);
        let mut out = strided(&ArrayD::from_elem(expected.raw_dim(), f64::NAN));
        gather_into(&Serial, axis, &indices, &x, &mut out).unwrap();
        prop_assert_eq!(&out, &expected);
        // ⟨gather(x), g⟩ = ⟨x, scatter(g)⟩
        let g = random(expected.shape(), 7);
        let mut table = strided(&ArrayD::zeros(x.raw_dim()));
        scatter_add(&Serial, axis, &indices, &g, &mut table).unwrap();
        prop_assert!(((&expected * &g).sum() - (&x * &table).sum()).abs() < 1e-10);
    }

    #[test]
    fn pick_takes_one_of_each_row(rows in shape(0..3), columns in 1..5_usize, seed in 0..100_usize) {
        let shape = [&rows[..], &[columns]].concat();
        let indices: Vec<usize> = (0..rows.iter().product()).map(|i| (i * 7 + seed) % columns).collect();
        let x = random(&shape, 8);
        let mut row = 0;
        let expected = ArrayD::from_shape_simple_fn(IxDyn(&rows), || {
            row += 1;
            x.iter().nth((row - 1) * columns + indices[row - 1]).copied().unwrap()
        });
        let mut out = strided(&ArrayD::from_elem(expected.raw_dim(), f64::NAN));
        pick_into(&indices, &x, &mut out).unwrap();
        prop_assert_eq!(&out, &expected);
        holds(&Pick { indices: &indices }, &[x], &expected);
    }

    #[test]
    fn pad_follows_its_mode(axes in prop::collection::vec((0..5_usize, 0..4_usize, 0..4_usize), 0..4), mode in 0..4_usize) {
        let mode = [PadMode::Constant(1.5), PadMode::Reflect, PadMode::Edge, PadMode::Wrap][mode];
        let shape: Vec<usize> = axes.iter().map(|a| a.0).collect();
        let largest = |len: usize| match mode {
            PadMode::Constant(_) => 9,
            PadMode::Reflect => len.saturating_sub(1),
            _ => len * 9,
        };
        let amounts: Vec<_> = axes.iter().map(|a| (a.1.min(largest(a.0)), a.2.min(largest(a.0)))).collect();
        let x = random(&shape, 9);
        // Walks from the nearest edge, one step at a time.
        let source = |axis: usize, i: usize| -> Option<usize> {
            let (n, mut j) = (shape[axis] as isize, i as isize - amounts[axis].0 as isize);
            while j < 0 || j >= n {
                j = match mode {
                    PadMode::Constant(_) => return None,
                    PadMode::Edge => j + if j < 0 { 1 } else { -1 },
                    PadMode::Wrap => j + if j < 0 { n } else { -n },
                    PadMode::Reflect => if j < 0 { -j } else { 2 * (n - 1) - j },
                };
            }
            Some(j as usize)
        };
        let out: Vec<usize> = axes.iter().zip(&amounts).map(|(a, p)| a.0 + p.0 + p.1).collect();
        let expected = ArrayD::from_shape_fn(out, |mut index| {
            for axis in 0..shape.len() {
                let Some(j) = source(axis, index[axis]) else { return 1.5 };
                index[axis] = j;
            }
            x[index]
        });
        let pad = Pad::new(&amounts, mode);
        let mut padded = strided(&ArrayD::from_elem(expected.raw_dim(), f64::NAN));
        pad_into(&Serial, &pad, &x, &mut padded).unwrap();
        prop_assert_eq!(&padded, &expected);
        let mut sum = ArrayD::from_elem(x.raw_dim(), f64::NAN);
        pad_backward(&pad, &ArrayD::ones(expected.raw_dim()), &mut Slot { grad: &mut sum, first: true }).unwrap();
        let inside = if let PadMode::Constant(_) = mode { x.len() } else { expected.len() };
        prop_assert_eq!(sum.sum(), inside as f64);
        holds(&pad, &[x], &expected);
    }
}

#[test]
fn large_arrays_give_the_same_bits_on_any_number_of_threads() {
    let x = random(&[40, 30, 50], 1);
    let indices: Vec<usize> = (0..200).map(|i| i * 13 % 30).collect();
    for op in
        [&Gather { axis: 1, indices: &indices } as &dyn Both, &Pad::new(&[(1, 2), (3, 0), (2, 2)], PadMode::Reflect)]
    {
        consistent(op, op, std::slice::from_ref(&x), 1e-4);
    }
    // Beyond a tile, in either direction and by planes.
    let expected = x.view().permuted_axes(vec![2, 0, 1]).as_standard_layout().into_owned();
    holds(&Permute::new(&[2, 0, 1]).unwrap(), std::slice::from_ref(&x), &expected);
    let x = x.into_shape_with_order(IxDyn(&[30, 2000])).unwrap();
    consistent(&Gather { axis: 0, indices: &indices }, &Gather { axis: 0, indices: &indices }, &[x], 1e-4);
}

#[test]
fn indices_out_of_range_are_errors_and_nothing_panics() {
    let x = arr2(&[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]).into_dyn();
    let run = |op: &dyn Op<f64>| Eager::<f64>::default().forward(op, &[x.view()]).map(|_| ()).unwrap_err();
    assert_eq!(
        run(&Gather { axis: 0, indices: &[0, 3] }),
        Error::Index { op: "gather", index: 3, bound: 3, position: 1 }
    );
    assert_eq!(run(&Gather { axis: 2, indices: &[] }), Error::Index { op: "gather", index: 2, bound: 2, position: 0 });
    assert_eq!(run(&Pick { indices: &[0, 1, 2] }), Error::Index { op: "pick", index: 2, bound: 2, position: 2 });
    assert!(matches!(run(&Pick { indices: &[0, 1] }), Error::Shape { op: "pick", .. }));
    assert_eq!(run(&Slice::along(1, 0..3)), Error::Index { op: "slice", index: 3, bound: 3, position: 1 });
    assert!(matches!(run(&Slice::along(0, 4..)), Error::Value { .. }));
    #[allow(clippy::reversed_empty_ranges)]
    let backwards = Slice::along(0, 2..1);
    assert!(matches!(run(&backwards), Error::Value { .. }));
    assert!(matches!(run(&Slice::along(2, ..)), Error::Shape { op: "slice", .. }));
    assert!(matches!(run(&Reshape::new(&[5])), Error::Shape { op: "reshape", .. }));
    assert!(matches!(run(&Reshape::new(&[usize::MAX, 4])), Error::Shape { op: "reshape", .. }));
    assert!(matches!(run(&BroadcastTo::new(&[3, 3])), Error::Shape { op: "broadcast_to", .. }));
    assert!(matches!(run(&BroadcastTo::new(&[2])), Error::Shape { op: "broadcast_to", .. }));
    assert_eq!(run(&Flip::new(&[2])), Error::Index { op: "flip", index: 2, bound: 2, position: 0 });
    assert!(matches!(run(&Permute::new(&[0]).unwrap()), Error::Shape { op: "permute", .. }));
    assert!(matches!(run(&Pad::new(&[(1, 1)], PadMode::Edge)), Error::Shape { op: "pad", .. }));
    assert!(matches!(run(&Pad::new(&[(0, 0), (2, 0)], PadMode::Reflect)), Error::Shape { op: "pad", .. }));
    assert!(matches!(run(&Pad::new(&[(0, 0), (usize::MAX, 1)], PadMode::Edge)), Error::Value { .. }));
    assert!(matches!(run(&Pad::new(&[(0, 1 << 40), (0, 1 << 40)], PadMode::Edge)), Error::Shape { op: "pad", .. }));
    assert_eq!(run(&Concat { axis: 2 }), Error::Index { op: "concat", index: 2, bound: 2, position: 0 });
    assert_eq!(run(&Stack { axis: 3 }), Error::Index { op: "stack", index: 3, bound: 3, position: 0 });

    assert_eq!(Permute::new(&[0, 2]), Err(Error::Index { op: "permute", index: 2, bound: 2, position: 1 }));
    assert!(matches!(Permute::new(&[1, 1]), Err(Error::Value { .. })));
    assert!(matches!(Span::from(..).step(0), Err(Error::Value { what: "slice: step", .. })));
    assert_eq!(Op::<f32>::out_shape(&Concat { axis: 0 }, &[]), Err(Error::Arity { op: "concat", expected: 1, got: 0 }));
    assert_eq!(Op::<f32>::out_shape(&Stack { axis: 0 }, &[]), Err(Error::Arity { op: "stack", expected: 1, got: 0 }));
    assert!(matches!(Op::<f32>::out_shape(&Concat { axis: 0 }, &[&[2, 3], &[2, 4]]), Err(Error::Shape { .. })));
    assert!(matches!(Op::<f32>::out_shape(&Stack { axis: 0 }, &[&[2], &[3]]), Err(Error::Shape { .. })));

    let mut table = arr1(&[0.0, 0.0]).into_dyn();
    assert!(matches!(scatter_add(&Serial, 0, &[2], &arr1(&[1.0]).into_dyn(), &mut table), Err(Error::Index { .. })));
    assert!(matches!(
        scatter_add(&Serial, 0, &[0], &arr1(&[1.0, 1.0]).into_dyn(), &mut table),
        Err(Error::Shape { .. })
    ));
    assert!(matches!(gather_into(&Serial, 0, &[0], &x, &mut table), Err(Error::Shape { .. })));
    assert!(matches!(pick_into(&[0, 0, 0], &x, &mut table), Err(Error::Shape { .. })));
    assert_eq!(Op::<f64>::out_shape(&Gather { axis: 0, indices: &[1; 7] }, &[&[3, 2]]).unwrap().slice(), [7, 2]);
}
