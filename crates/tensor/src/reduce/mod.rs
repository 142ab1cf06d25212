//! Reductions over any axes: sums, means, extremes, variances, products, log-sum-exp.
//!
//! Each is an operation with its axes ([`Axes`]) and the choice to keep them with length 1. On plain arrays they run through
//! [`reduce`] and [`reduce_into`]. [`Reduction`] is the open end, and [`Fold`] the engine under all of them. Sums are carried in `f64`
//! for either number type. NaN in, NaN out.
//!
//! **Nothing to reduce.** The sum of no numbers is 0, their product 1, their log-sum-exp -∞. A mean, a variance or an extreme of no
//! numbers has no meaning and is refused, as is a variance of no more than `ddof` numbers.
//!
//! ```
//! use gradwise_core::Serial;
//! use gradwise_tensor::{Max, Sum, reduce::reduce};
//! use ndarray::{arr1, arr2};
//!
//! let x = arr2(&[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
//! assert_eq!(reduce(&Serial, &Sum::new(0, false), &x)?, arr1(&[5.0, 7.0, 9.0]).into_dyn());
//! assert_eq!(reduce(&Serial, &Max::new(1, true), &x)?, arr2(&[[3.0], [6.0]]).into_dyn());
//! # Ok::<(), gradwise_core::Error>(())
//! ```

mod axes;
mod fold;
mod named;
mod reduction;

pub use axes::{Axes, AxisSet};
pub use fold::{Fold, SumInto, fold};
pub use named::{LogSumExp, Max, Mean, Min, Prod, Sum, Variance};
pub use reduction::{Reduce, Reduced, Reduction, reduce, reduce_into, spread};
