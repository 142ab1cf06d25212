//! From bytes to values.

use super::{Idx, IdxValues, checked_product};
use crate::{DataError, Result};
use flate2::bufread::MultiGzDecoder;
use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::path::Path;

/// The first two bytes of a gzip stream (RFC 1952); an IDX file begins with two zeros.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Deflate cannot make more than 1032 bytes of one: at best, two bits stand for the longest match, 258 bytes. No packed file
/// holds more than that many times its length.
const MAX_INFLATION: u64 = 1032;

/// Values are read through a buffer of this many bytes, a multiple of every value's size.
const CHUNK: usize = 1 << 16;

impl Idx {
    /// Reads a file, packed or not.
    ///
    /// # Errors
    /// If it cannot be read, or is not exactly one IDX array: the error names the file, the byte, what was expected and what
    /// was there.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let file = File::open(path).map_err(|e| DataError::io(path, e))?;
        let metadata = file.metadata().map_err(|e| DataError::io(path, e))?;
        // A pipe has no length, but can be read.
        let len = metadata.is_file().then_some(metadata.len());
        read(BufReader::with_capacity(CHUNK, file), len, &path.display().to_string())
    }

    /// Reads bytes, packed or not; `name` stands for the file in errors.
    ///
    /// # Errors
    /// As [`Idx::from_file`].
    pub fn from_bytes(bytes: &[u8], name: &str) -> Result<Self> {
        read(bytes, Some(bytes.len() as u64), name)
    }

    /// Reads a stream to its end, packed or not; `name` stands for the file in errors.
    ///
    /// # Errors
    /// As [`Idx::from_file`].
    pub fn from_reader(reader: impl Read, name: &str) -> Result<Self> {
        read(BufReader::with_capacity(CHUNK, reader), None, name)
    }
}

/// Reads one array; `len` is the length of the file where it is known.
fn read(mut reader: impl BufRead, len: Option<u64>, file: &str) -> Result<Idx> {
    let start = loop {
        match reader.fill_buf() {
            Ok(start) => break start,
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => return Err(DataError::io(Path::new(file), e)),
        }
    };
    if start.starts_with(&GZIP) {
        let capacity = len.map(|len| len.saturating_mul(MAX_INFLATION));
        Content { reader: MultiGzDecoder::new(reader), capacity, packed: true, offset: 0, file }.array()
    } else {
        Content { reader, capacity: len, packed: false, offset: 0, file }.array()
    }
}

/// The content of a file, unpacked, and how far it is read.
struct Content<'a, R> {
    reader: R,
    /// The most bytes it can hold, where that is known.
    capacity: Option<u64>,
    packed: bool,
    offset: u64,
    file: &'a str,
}

impl<R: Read> Content<'_, R> {
    fn array(mut self) -> Result<Idx> {
        let mut magic = [0; 4];
        self.header(&mut magic, "4 bytes of an idx header")?;
        if magic[..2] != [0, 0] {
            let got = format!("{:02x} {:02x}", magic[0], magic[1]);
            return Err(self.error(0, "00 00, as an idx file begins", got));
        }
        let Some(size) = value_size(magic[2]) else {
            return Err(self.error(2, "a type of 08, 09, 0b, 0c, 0d or 0e", format!("{:02x}", magic[2])));
        };
        let mut shape = Vec::with_capacity(usize::from(magic[3]));
        for axis in 0..magic[3] {
            let mut length = [0; 4];
            self.header(&mut length, &format!("4 bytes of the length of axis {axis} of {}", magic[3]))?;
            shape.push(u32::from_be_bytes(length) as usize);
        }
        let n = self.claimed(&shape, size)?;
        let values = match magic[2] {
            0x08 => IdxValues::U8(self.values(n)?),
            0x09 => IdxValues::I8(self.values(n)?),
            0x0b => IdxValues::I16(self.values(n)?),
            0x0c => IdxValues::I32(self.values(n)?),
            0x0d => IdxValues::F32(self.values(n)?),
            _ => IdxValues::F64(self.values(n)?),
        };
        self.end()?;
        Ok(Idx { shape, values, file: self.file.to_owned() })
    }

    /// The number of values that the header claims, if the file can hold them.
    fn claimed(&self, shape: &[usize], size: usize) -> Result<usize> {
        let n =
            checked_product(shape).filter(|n| n.checked_mul(size).is_some_and(|bytes| isize::try_from(bytes).is_ok()));
        let Some(n) = n else {
            return Err(self.error(4, "axes that this machine can count", format!("{shape:?}")));
        };
        let bytes = (n * size) as u64;
        match self.capacity {
            Some(capacity) if self.offset.saturating_add(bytes) > capacity && !self.packed => {
                Err(self.cut_short(bytes, capacity.saturating_sub(self.offset), self.offset))
            }
            Some(capacity) if self.offset.saturating_add(bytes) > capacity => {
                let got = format!("a header of shape {shape:?}, which takes {bytes}");
                Err(self.error(
                    4,
                    format!("at most {capacity} bytes, all that a packed file of this length can hold"),
                    got,
                ))
            }
            _ => Ok(n),
        }
    }

    /// Reads `n` values. Memory is taken at once where the file is known to hold them, and as they arrive where it is not.
    fn values<V: Value>(&mut self, n: usize) -> Result<Vec<V>> {
        let (start, total) = (self.offset, (n * V::SIZE) as u64);
        let mut values = Vec::new();
        let mut buffer = vec![0; CHUNK.min(n * V::SIZE)];
        let sure = self.capacity.is_some() && !self.packed;
        while values.len() < n {
            let wanted = CHUNK.min((n - values.len()) * V::SIZE);
            let room = if sure { n - values.len() } else { wanted / V::SIZE };
            values
                .try_reserve(room)
                .map_err(|_| DataError::Memory { file: self.file.to_owned(), bytes: (room * V::SIZE) as u64 })?;
            let got = self.fill(&mut buffer[..wanted])?;
            if got < wanted {
                return Err(self.cut_short(total, self.offset - start, start));
            }
            values.extend(buffer[..wanted].chunks_exact(V::SIZE).map(V::from_be));
        }
        Ok(values)
    }

    /// Makes sure that nothing follows. For a packed file this also reads, and so checks, its checksum.
    fn end(&mut self) -> Result<()> {
        let at = self.offset;
        if self.fill(&mut [0])? > 0 {
            let got = match self.capacity {
                Some(capacity) if !self.packed => format!("{} more bytes", capacity.saturating_sub(at).max(1)),
                _ => String::from("more bytes"),
            };
            return Err(self.error(at, "the end of the file", got));
        }
        Ok(())
    }

    fn header(&mut self, bytes: &mut [u8], expected: &str) -> Result<()> {
        let got = self.fill(bytes)?;
        if got < bytes.len() {
            return Err(self.error(self.offset, expected, format!("the end after {got} of them")));
        }
        Ok(())
    }

    /// Reads until the buffer is full or the content ends, and says how many bytes it got.
    fn fill(&mut self, mut buffer: &mut [u8]) -> Result<usize> {
        let start = self.offset;
        while !buffer.is_empty() {
            match self.reader.read(buffer) {
                Ok(0) => break,
                Ok(n) => {
                    self.offset += n as u64;
                    buffer = &mut buffer[n..];
                }
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(self.read_error(e)),
            }
        }
        Ok((self.offset - start) as usize)
    }

    /// What the decoder finds wrong is an error of the format; the rest is the system's.
    fn read_error(&self, e: io::Error) -> DataError {
        match e.kind() {
            ErrorKind::UnexpectedEof if self.packed => self.error(self.offset, "more of the gzip stream", "its end"),
            ErrorKind::InvalidData | ErrorKind::InvalidInput if self.packed => {
                self.error(self.offset, "a gzip stream", e.to_string())
            }
            _ => DataError::io(Path::new(self.file), e),
        }
    }

    fn cut_short(&self, total: u64, got: u64, start: u64) -> DataError {
        let expected = format!("{total} bytes of values from byte {start} on");
        self.error(start + got, expected, format!("the end after {got} of them"))
    }

    fn error(&self, offset: u64, expected: impl Into<String>, got: impl Into<String>) -> DataError {
        DataError::Format { file: self.file.to_owned(), offset, expected: expected.into(), got: got.into() }
    }
}

fn value_size(code: u8) -> Option<usize> {
    match code {
        0x08 | 0x09 => Some(1),
        0x0b => Some(2),
        0x0c | 0x0d => Some(4),
        0x0e => Some(8),
        _ => None,
    }
}

/// A type of values as the format stores it.
trait Value: Sized {
    const SIZE: usize = size_of::<Self>();
    /// The value of exactly `SIZE` bytes.
    fn from_be(bytes: &[u8]) -> Self;
}

macro_rules! values {
    ($($type:ty),*) => {$(
        impl Value for $type {
            fn from_be(bytes: &[u8]) -> Self {
                let mut array = [0; size_of::<$type>()];
                array.copy_from_slice(bytes);
                <$type>::from_be_bytes(array)
            }
        }
    )*};
}
values!(u8, i8, i16, i32, f32, f64);
