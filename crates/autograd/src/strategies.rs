//! Strategies for property tests (feature `proptest`): shapes and arrays.
//!
//! ```
//! use gradwise_autograd::{check, strategies::array};
//! use proptest::prelude::*;
//!
//! proptest!(|(x in array(vec![3, 4], -2.0..2.0))| {
//!     prop_assert_eq!(x.shape(), &[3, 4]);
//!     let cubes = |x: &ndarray::ArrayD<f64>| x.mapv(|x| x * x * x).sum();
//!     prop_assert!(check::gradient(&x, cubes, |x| x.mapv(|x| 3.0 * x * x)).is_ok());
//! });
//! ```

use ndarray::{ArrayD, IxDyn};
use proptest::prelude::*;
use std::ops::{Range, RangeInclusive};

/// Shapes with a number of axes from `ndim`, each of a length from `len`.
pub fn shape(ndim: RangeInclusive<usize>, len: RangeInclusive<usize>) -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(len, ndim)
}

/// Arrays of a shape, their values uniform on a range.
pub fn array(shape: Vec<usize>, values: Range<f64>) -> impl Strategy<Value = ArrayD<f64>> {
    let n: usize = shape.iter().product();
    prop::collection::vec(values, n).prop_map(move |values| {
        // As many values as the shape holds were drawn.
        ArrayD::from_shape_vec(IxDyn(&shape), values).unwrap_or_else(|_| unreachable!())
    })
}

/// Arrays whose shape is random too.
pub fn any_array(
    ndim: RangeInclusive<usize>,
    len: RangeInclusive<usize>,
    values: Range<f64>,
) -> impl Strategy<Value = ArrayD<f64>> {
    shape(ndim, len).prop_flat_map(move |shape| array(shape, values.clone()))
}

/// Arrays of a shape whose values keep a distance from a kink at 0: uniform on `gap..max` with either sign.
pub fn away_from_zero(shape: Vec<usize>, gap: f64, max: f64) -> impl Strategy<Value = ArrayD<f64>> {
    let n: usize = shape.iter().product();
    prop::collection::vec((gap..max, any::<bool>()), n).prop_map(move |values| {
        let values = values.into_iter().map(|(x, negative)| if negative { -x } else { x }).collect();
        ArrayD::from_shape_vec(IxDyn(&shape), values).unwrap_or_else(|_| unreachable!())
    })
}
