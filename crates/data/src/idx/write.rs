//! From values to bytes.

use super::{Idx, IdxValues, each_type};
use crate::{DataError, Result};
use flate2::{Compression, write::GzEncoder};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

impl Idx {
    /// Writes the array, unpacked.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write_to(&self, mut writer: impl Write) -> io::Result<()> {
        // `Idx::new` and the reader keep the shape within 255 axes of 32 bits.
        writer.write_all(&[0, 0, self.values.code().0, self.shape.len() as u8])?;
        for &n in &self.shape {
            writer.write_all(&(n as u32).to_be_bytes())?;
        }
        each_type!(&self.values, v => v.iter().try_for_each(|x| writer.write_all(&x.to_be_bytes())))
    }

    /// The bytes of an unpacked file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        // Writing to a Vec cannot fail.
        let _ = self.write_to(&mut bytes);
        bytes
    }

    /// Writes a file, packed if its name ends in `.gz`.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write_file(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let write = || {
            let mut file = BufWriter::new(File::create(path)?);
            if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz")) {
                let mut packed = BufWriter::new(GzEncoder::new(&mut file, Compression::default()));
                self.write_to(&mut packed)?;
                packed.into_inner().map_err(io::IntoInnerError::into_error)?.finish()?;
            } else {
                self.write_to(&mut file)?;
            }
            file.flush()
        };
        write().map_err(|e| DataError::io(path, e))
    }
}
