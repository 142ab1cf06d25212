//! Labels as shares of classes.

use crate::{Error, Result};

/// A type of soft labels: `f32` or `f64`.
pub trait Share: Copy + Send + Sync + sealed::Sealed + 'static {
    /// In double precision.
    fn to_f64(self) -> f64;

    /// Rounded.
    fn from_f64(value: f64) -> Self;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

impl Share for f32 {
    fn to_f64(self) -> f64 {
        f64::from(self)
    }

    fn from_f64(value: f64) -> Self {
        value as f32
    }
}

impl Share for f64 {
    fn to_f64(self) -> f64 {
        self
    }

    fn from_f64(value: f64) -> Self {
        value
    }
}

/// Soft labels from the numbers of classes: a row of `n_classes` shares for each, one after the other in `target`.
///
/// With smoothing, each class gets `smoothing / n_classes`, and the right one the rest in addition, so that a row adds up to 1 (Szegedy et
/// al., *Rethinking the Inception architecture for computer vision*, CVPR 2016); 0.1 is usual, 0 gives rows of zeros and a one.
///
/// ```
/// let mut rows = [0.0_f32; 8];
/// gradwise_augment::soft_labels(&[2, 0], 4, 0.2, &mut rows)?;
/// assert_eq!(rows, [0.05, 0.05, 0.85, 0.05, 0.85, 0.05, 0.05, 0.05]);
/// # Ok::<(), gradwise_augment::Error>(())
/// ```
///
/// # Errors
/// [`Error::Parameter`] if the smoothing is not within `[0, 1]`, or for a class that is not below `n_classes`; [`Error::Image`] if `target`
/// has another length.
pub fn soft_labels<T: Share>(classes: &[usize], n_classes: usize, smoothing: f64, target: &mut [T]) -> Result<()> {
    if !(0.0..=1.0).contains(&smoothing) {
        return Err(Error::parameter("soft labels", "smoothing", "within [0, 1]", smoothing));
    }
    check_rows("soft labels", classes.len(), n_classes, target.len())?;
    if let Some((i, class)) = classes.iter().enumerate().find(|(_, class)| **class >= n_classes) {
        return Err(Error::parameter(
            "soft labels",
            format!("class of sample {i}"),
            format!("below {n_classes}"),
            class,
        ));
    }
    let each = smoothing / n_classes as f64;
    target.fill(T::from_f64(each));
    for (row, &class) in target.chunks_exact_mut(n_classes.max(1)).zip(classes) {
        row[class] = T::from_f64(1.0 - smoothing + each);
    }
    Ok(())
}

/// Whether there are as many values as rows of that length have.
pub(super) fn check_rows(place: &str, n: usize, n_classes: usize, got: usize) -> Result<()> {
    if n_classes > 0 && n.checked_mul(n_classes) == Some(got) {
        return Ok(());
    }
    let got = if n_classes == 0 { "rows of no class".to_owned() } else { format!("{got} values") };
    Err(Error::image(place, format!("{n} rows of {n_classes} values"), got))
}
