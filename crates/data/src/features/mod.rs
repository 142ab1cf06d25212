//! More features from those there are, for a model that cannot make them itself.

mod coordinates;
mod fourier;
mod polynomial;
mod radial_basis;

pub use coordinates::with_coordinates;
pub use fourier::{FourierFeatures, positional_encoding};
pub use polynomial::PolynomialFeatures;
pub use radial_basis::RadialBasis;

use crate::{DataError, Result};
use gradwise_core::{ArrayRefD, Real};
use ndarray::{ArrayView2, Ix2};

/// A table of samples `[N, features]`, if it is one, with as many features as are known.
fn table<'a, T: Real>(what: &'static str, x: &'a ArrayRefD<T>, d: Option<usize>) -> Result<ArrayView2<'a, T>> {
    let view = x.view().into_dimensionality::<Ix2>().ok().filter(|x| d.is_none_or(|d| x.ncols() == d));
    view.ok_or_else(|| {
        let features = d.map_or("features".to_owned(), |d| d.to_string());
        DataError::shape(what, format!("[N, {features}]"), x.shape())
    })
}
