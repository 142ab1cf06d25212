//! NumPy's formats: `.npy` for one array, `.npz` for several by name.
//!
//! An `.npy` file is the bytes `93 'NUMPY'`, a version, the length of a header, the header (a Python dictionary of type, order and shape,
//! as text), and the values. Numbers of any size, booleans and half floats, in either byte order, row by row or column by column, are
//! read as numbers to compute with; objects, strings, dates, complex numbers and records are refused. Source: *NEP 1: a simple file
//! format for NumPy arrays*.
//!
//! No header is believed: what it claims is compared with the bytes that are there before memory is taken. That is why the format is read
//! here and not by a library.

mod header;
mod values;
#[cfg(feature = "npz")]
mod zipped;

#[cfg(feature = "npz")]
pub use zipped::{Npz, write_npz};

use crate::{DataError, Result};
use gradwise_core::{ArrayRefD, Real};
use header::Header;
use ndarray::{ArrayD, IxDyn, ShapeBuilder};
use std::io::Write;
use std::path::Path;

/// The content of an `.npy` file.
///
/// ```
/// use gradwise_data::Npy;
/// use ndarray::array;
///
/// let x = array![[1.0_f32, 2.0], [3.0, 4.0]].into_dyn();
/// let bytes = gradwise_data::npy_bytes(&x);
/// let npy = Npy::from_bytes(bytes, "x.npy")?;
/// assert_eq!((npy.shape(), npy.to_array::<f32>()?), (&[2, 2][..], x));
/// # Ok::<(), gradwise_data::DataError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Npy {
    header: Header,
    bytes: Vec<u8>,
    file: String,
}

impl Npy {
    /// Reads a file.
    ///
    /// # Errors
    /// If it cannot be read, or is not of the format.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(|error| DataError::io(path, error))?;
        Npy::from_bytes(bytes, &path.display().to_string())
    }

    /// Reads a file's content from memory; `file` names it in errors.
    ///
    /// # Errors
    /// If it is not of the format.
    pub fn from_bytes(bytes: Vec<u8>, file: &str) -> Result<Self> {
        let header = header::parse(&bytes, file)?;
        Ok(Npy { header, bytes, file: file.to_owned() })
    }

    /// Lengths of the axes.
    pub fn shape(&self) -> &[usize] {
        &self.header.shape
    }

    /// The values as numbers to compute with; whole numbers beyond 2⁵³ are rounded.
    ///
    /// # Errors
    /// If there is no memory for them.
    pub fn to_array<T: Real>(&self) -> Result<ArrayD<T>> {
        let mut numbers: Vec<T> = Vec::new();
        let n = self.header.n_values();
        let bytes = (n as u64) * size_of::<T>() as u64;
        numbers.try_reserve_exact(n).map_err(|_| DataError::Memory { file: self.file.clone(), bytes })?;
        self.header.kind.extend(&mut numbers, self.values());
        let shape = IxDyn(&self.header.shape).set_f(self.header.columns_first);
        let array =
            ArrayD::from_shape_vec(shape, numbers).map_err(|_| self.error("axes that this machine can count"))?;
        Ok(if array.is_standard_layout() { array } else { array.as_standard_layout().into_owned() })
    }

    /// The values as class indices.
    ///
    /// # Errors
    /// If there is not exactly one axis (or a second one of length 1), or the values are not whole numbers from 0.
    pub fn to_labels(&self) -> Result<Vec<usize>> {
        if !matches!(self.shape(), [_] | [_, 1]) {
            return Err(self.error("labels with 1 axis"));
        }
        let Some(labels) = self.header.kind.whole(self.values()) else {
            return Err(self.error("labels of a whole-number type"));
        };
        let index = |(i, value): (usize, i128)| {
            usize::try_from(value).map_err(|_| DataError::Format {
                file: self.file.clone(),
                offset: (self.header.len + i * self.header.kind.size()) as u64,
                expected: "a label from 0".to_owned(),
                got: value.to_string(),
            })
        };
        labels.into_iter().enumerate().map(index).collect()
    }

    fn values(&self) -> &[u8] {
        &self.bytes[self.header.len..]
    }

    /// An error of the array as a whole, told by its header.
    fn error(&self, expected: &str) -> DataError {
        let got = format!("type {} of shape {:?}", self.header.descr, self.header.shape);
        DataError::Format { file: self.file.clone(), offset: 10, expected: expected.to_owned(), got }
    }
}

/// Reads the array of an `.npy` file.
///
/// ```no_run
/// let features = gradwise_data::read_npy::<f32>("data/features.npy")?;
/// let labels = gradwise_data::Npy::from_file("data/labels.npy")?.to_labels()?;
/// # Ok::<(), gradwise_data::DataError>(())
/// ```
///
/// # Errors
/// As [`Npy::from_file`] and [`Npy::to_array`].
pub fn read_npy<T: Real>(path: impl AsRef<Path>) -> Result<ArrayD<T>> {
    Npy::from_file(path)?.to_array()
}

/// The content of an `.npy` file of an array, in version 1.0 of the format: `<f4` or `<f8`, row by row.
pub fn npy_bytes<T: Real>(array: &ArrayRefD<T>) -> Vec<u8> {
    let mut bytes = header::write(T::NAME, array.shape());
    bytes.reserve(array.len() * size_of::<T>());
    for x in array {
        if T::NAME == "f32" {
            // Exactly the value it was, which `f64` holds.
            bytes.extend((x.as_f64() as f32).to_le_bytes());
        } else {
            bytes.extend(x.as_f64().to_le_bytes());
        }
    }
    bytes
}

/// Writes an array to an `.npy` file.
///
/// # Errors
/// If the file cannot be written.
pub fn write_npy<T: Real>(path: impl AsRef<Path>, array: &ArrayRefD<T>) -> Result<()> {
    let path = path.as_ref();
    let write = |bytes: &[u8]| std::fs::File::create(path)?.write_all(bytes);
    write(&npy_bytes(array)).map_err(|error| DataError::io(path, error))
}
