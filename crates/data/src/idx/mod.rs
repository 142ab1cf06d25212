//! The IDX format of MNIST and the sets made in its likeness.
//!
//! A file holds one array. Everything is big-endian:
//!
//! | bytes | what |
//! |---|---|
//! | 0, 1 | zero |
//! | 2 | type of the values: `08` u8, `09` i8, `0b` i16, `0c` i32, `0d` f32, `0e` f64 |
//! | 3 | number of axes, *r* |
//! | 4 … 4 + 4*r* | length of each axis, u32 |
//! | the rest | the values, the last axis running fastest |
//!
//! Packed files (gzip) are recognized by their first two bytes, whatever they are called. Source: Y. LeCun, C. Cortes and C.
//! Burges, *The MNIST database of handwritten digits*, section "File formats".
//!
//! No header is believed: what it claims is compared with what the file can hold before memory is taken, and where that is not
//! known (a stream), memory grows only as fast as values arrive.

mod folder;
mod read;
mod write;

pub use folder::{MOST_CLASSES, labelled, read_folder, read_labelled};

use crate::{DataError, Result};
use gradwise_core::Real;
use ndarray::{ArrayD, IxDyn};

/// The values of an IDX file, in the type they have there.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum IdxValues {
    /// Type `08`.
    U8(Vec<u8>),
    /// Type `09`.
    I8(Vec<i8>),
    /// Type `0b`.
    I16(Vec<i16>),
    /// Type `0c`.
    I32(Vec<i32>),
    /// Type `0d`.
    F32(Vec<f32>),
    /// Type `0e`.
    F64(Vec<f64>),
}

/// Runs one expression on the vector of whichever type the values are.
macro_rules! each_type {
    ($values:expr, $v:ident => $body:expr) => {
        match $values {
            IdxValues::U8($v) => $body,
            IdxValues::I8($v) => $body,
            IdxValues::I16($v) => $body,
            IdxValues::I32($v) => $body,
            IdxValues::F32($v) => $body,
            IdxValues::F64($v) => $body,
        }
    };
}
use each_type;

impl IdxValues {
    /// How many there are.
    pub fn len(&self) -> usize {
        each_type!(self, v => v.len())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The type's code in the header, and the bytes a value takes.
    fn code(&self) -> (u8, usize) {
        match self {
            IdxValues::U8(_) => (0x08, 1),
            IdxValues::I8(_) => (0x09, 1),
            IdxValues::I16(_) => (0x0b, 2),
            IdxValues::I32(_) => (0x0c, 4),
            IdxValues::F32(_) => (0x0d, 4),
            IdxValues::F64(_) => (0x0e, 8),
        }
    }
}

/// The content of an IDX file: a shape and its values.
///
/// ```
/// use gradwise_data::{Idx, IdxValues};
///
/// let labels = Idx::new(vec![3], IdxValues::U8(vec![7, 2, 1]))?;
/// let bytes = labels.to_bytes();
/// assert_eq!(bytes, [0, 0, 8, 1, 0, 0, 0, 3, 7, 2, 1]);
/// assert_eq!(Idx::from_bytes(&bytes, "labels")?.to_labels()?, [7, 2, 1]);
///
/// let error = Idx::from_bytes(&bytes[..10], "labels").unwrap_err();
/// assert_eq!(error.to_string(), "labels: at byte 10: expected 3 bytes of values from byte 8 on, got the end after 2 of them");
/// # Ok::<(), gradwise_data::DataError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Idx {
    shape: Vec<usize>,
    values: IdxValues,
    /// Where it came from, for errors.
    file: String,
}

impl Idx {
    /// An array to write.
    ///
    /// # Errors
    /// If the shape has not as many elements as there are values, more than 255 axes, or an axis that does not fit 32 bits.
    pub fn new(shape: Vec<usize>, values: IdxValues) -> Result<Self> {
        if shape.len() > 255 || shape.iter().any(|&n| u32::try_from(n).is_err()) {
            return Err(DataError::shape("idx", "at most 255 axes below 2^32 each", &shape));
        }
        if checked_product(&shape) != Some(values.len()) {
            return Err(DataError::shape("idx", format!("a shape of {} values", values.len()), &shape));
        }
        Ok(Idx { shape, values, file: String::from("idx") })
    }

    /// Lengths of the axes.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The values, the last axis running fastest.
    pub fn values(&self) -> &IdxValues {
        &self.values
    }

    /// Where it was read from, as its errors tell it.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The values as numbers to compute with, unscaled.
    ///
    /// # Errors
    /// If an array of that shape is too large for this machine.
    pub fn to_array<T: Real>(&self) -> Result<ArrayD<T>> {
        self.to_shape(&self.shape)
    }

    /// The values in another shape of as many elements.
    fn to_shape<T: Real>(&self, shape: &[usize]) -> Result<ArrayD<T>> {
        let bytes = (self.values.len() * size_of::<T>()) as u64;
        let mut numbers: Vec<T> = Vec::new();
        let no_memory = |_| DataError::Memory { file: self.file.clone(), bytes };
        numbers.try_reserve_exact(self.values.len()).map_err(no_memory)?;
        each_type!(&self.values, v => extend(&mut numbers, v));
        ArrayD::from_shape_vec(IxDyn(shape), numbers)
            .map_err(|_| self.error(4, "axes that this machine can count", format!("{shape:?}")))
    }

    /// The values as class indices.
    ///
    /// # Errors
    /// If there is not exactly one axis, or the values are not whole numbers from 0.
    pub fn to_labels(&self) -> Result<Vec<usize>> {
        if self.shape.len() != 1 {
            return Err(self.error(3, "labels with 1 axis", format!("{} axes", self.shape.len())));
        }
        match &self.values {
            IdxValues::U8(v) => Ok(v.iter().map(|&x| usize::from(x)).collect()),
            IdxValues::I8(v) => self.indices(v),
            IdxValues::I16(v) => self.indices(v),
            IdxValues::I32(v) => self.indices(v),
            IdxValues::F32(_) | IdxValues::F64(_) => {
                Err(self.error(2, "labels of a whole-number type", format!("type {:02x}", self.values.code().0)))
            }
        }
    }

    fn indices<V: Copy + std::fmt::Display + TryInto<usize>>(&self, values: &[V]) -> Result<Vec<usize>> {
        let index = |(i, &value): (usize, &V)| {
            let offset = self.header_len() + (i * size_of::<V>()) as u64;
            value.try_into().map_err(|_| self.error(offset, "a label from 0", value.to_string()))
        };
        values.iter().enumerate().map(index).collect()
    }

    fn header_len(&self) -> u64 {
        4 + 4 * self.shape.len() as u64
    }

    fn error(&self, offset: u64, expected: &str, got: impl Into<String>) -> DataError {
        DataError::Format { file: self.file.clone(), offset, expected: expected.to_owned(), got: got.into() }
    }
}

fn extend<T: Real, V: Copy + Into<f64>>(numbers: &mut Vec<T>, values: &[V]) {
    numbers.extend(values.iter().map(|&x| T::of(x.into())));
}

/// The product of the axes' lengths, if all products of its parts can be counted too (a zero axis does not excuse the others:
/// arrays compute strides from them).
fn checked_product(shape: &[usize]) -> Option<usize> {
    let nonzero = shape.iter().filter(|&&n| n > 0).try_fold(1_usize, |product, &n| product.checked_mul(n))?;
    if shape.contains(&0) { Some(0) } else { Some(nonzero) }
}
