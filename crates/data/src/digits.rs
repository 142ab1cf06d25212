//! A small real data set that is always there.

use crate::{Idx, Labelled, Result, idx};
use gradwise_core::Real;

const IMAGES: &[u8] = include_bytes!("../digits/digits-images-idx3-ubyte.gz");
const LABELS: &[u8] = include_bytes!("../digits/digits-labels-idx1-ubyte.gz");

/// The 1,797 handwritten digits of the UCI repository's "Optical Recognition of Handwritten Digits" (test part), which this
/// crate carries.
///
/// Inputs are `[1797, 1, 8, 8]` with values from 0 to 16, as given: scale them on the training part with a
/// [`StandardScaler`](crate::StandardScaler). Classes are `0..10`, nearly balanced.
///
/// ```
/// use gradwise_data::{Samples, digits, stratified_split};
///
/// let digits = digits::<f32>();
/// assert_eq!((digits.len(), digits.sample_shape()), (1797, &[1, 8, 8][..]));
/// let parts = digits.train_test(&stratified_split(digits.labels(), 0.2, 0)?)?;
/// assert_eq!((parts.train.len(), parts.test.len()), (1438, 359));
/// # Ok::<(), gradwise_data::DataError>(())
/// ```
pub fn digits<T: Real>() -> Labelled<T> {
    // The files are part of the program, and a test reads them.
    embedded().unwrap_or_else(|error| unreachable!("embedded digits: {error}"))
}

fn embedded<T: Real>() -> Result<Labelled<T>> {
    let images = Idx::from_bytes(IMAGES, "digits-images-idx3-ubyte.gz")?;
    let labels = Idx::from_bytes(LABELS, "digits-labels-idx1-ubyte.gz")?;
    idx::labelled(&images, &labels, 10)
}
