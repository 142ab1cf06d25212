//! Several arrays in one archive.

use super::{Npy, npy_bytes};
use crate::{DataError, Result};
use gradwise_core::{ArrayRefD, Real};
use std::fs::File;
use std::io::{Cursor, Read, Seek, Write};
use std::path::Path;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// An `.npz` archive: arrays by name, as `numpy.savez` and `savez_compressed` write them.
///
/// ```
/// use gradwise_data::{Npz, write_npz};
/// use ndarray::array;
///
/// let folder = tempfile::tempdir().unwrap();
/// let path = folder.path().join("set.npz");
/// write_npz(&path, &[("x", &array![1.0_f32, 2.0].into_dyn()), ("y", &array![3.0].into_dyn())])?;
/// let mut npz = Npz::open(&path)?;
/// assert_eq!(npz.names(), ["x", "y"]);
/// assert_eq!(npz.get("y")?.to_array::<f64>()?, array![3.0].into_dyn());
/// # Ok::<(), gradwise_data::DataError>(())
/// ```
#[derive(Debug)]
pub struct Npz<R> {
    archive: ZipArchive<R>,
    file: String,
}

impl Npz<File> {
    /// Opens a file, whose arrays are read when they are asked for.
    ///
    /// # Errors
    /// If it cannot be read, or is no archive.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let file = File::open(path).map_err(|error| DataError::io(path, error))?;
        Npz::from_reader(file, &path.display().to_string())
    }
}

impl<R: Read + Seek> Npz<R> {
    /// Reads an archive from anywhere; `file` names it in errors.
    ///
    /// # Errors
    /// If it cannot be read, or is no archive.
    pub fn from_reader(reader: R, file: &str) -> Result<Self> {
        let archive = ZipArchive::new(reader).map_err(|error| broken(file, "an archive", &error))?;
        Ok(Npz { archive, file: file.to_owned() })
    }

    /// The names of the arrays, in the archive's order.
    pub fn names(&self) -> Vec<String> {
        let name = |i: usize| {
            // A name that is no text is one that nobody can ask for.
            let name = self.archive.name_for_index(i).and_then(std::result::Result::ok).unwrap_or_default();
            name.strip_suffix(".npy").unwrap_or(&name).to_owned()
        };
        (0..self.archive.len()).map(name).collect()
    }

    /// Reads an array.
    ///
    /// # Errors
    /// If there is none of that name (the error lists those there are), or it is not of the format.
    pub fn get(&mut self, name: &str) -> Result<Npy> {
        let names = self.names();
        let Some(index) = names.iter().position(|other| other == name) else {
            let expected = format!("one of {}", names.join(", "));
            return Err(DataError::value("npz: array", expected, format!("`{name}` in {}", self.file)));
        };
        let file = format!("{}/{name}.npy", self.file);
        let mut entry = self.archive.by_index(index).map_err(|error| broken(&file, "an entry", &error))?;
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(|source| DataError::Io { path: file.clone(), source })?;
        Npy::from_bytes(bytes, &file)
    }
}

/// Writes arrays by name to an `.npz` file, compressed.
///
/// # Errors
/// If the file cannot be written, or a name comes twice.
pub fn write_npz<T: Real>(path: impl AsRef<Path>, arrays: &[(&str, &ArrayRefD<T>)]) -> Result<()> {
    let path = path.as_ref();
    let file = path.display().to_string();
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (name, array) in arrays {
        archive.start_file(format!("{name}.npy"), options).map_err(|error| broken(&file, "a name", &error))?;
        archive.write_all(&npy_bytes(array))?;
    }
    let bytes = archive.finish().map_err(|error| broken(&file, "an archive", &error))?;
    std::fs::write(path, bytes.into_inner()).map_err(|error| DataError::io(path, error))
}

fn broken(file: &str, expected: &str, error: &zip::result::ZipError) -> DataError {
    DataError::Format { file: file.to_owned(), offset: 0, expected: expected.to_owned(), got: error.to_string() }
}
