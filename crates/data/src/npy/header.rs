//! What an `.npy` file says of itself.

use super::values::Kind;
use crate::{DataError, Result};

/// What an `.npy` file says of itself, compared with its length.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Header {
    pub(super) kind: Kind,
    /// The type in NumPy's words.
    pub(super) descr: String,
    /// Whether the first axis runs fastest ("Fortran order").
    pub(super) columns_first: bool,
    pub(super) shape: Vec<usize>,
    /// Where the values begin.
    pub(super) len: usize,
}

impl Header {
    pub(super) fn n_values(&self) -> usize {
        self.shape.iter().product()
    }
}

pub(super) fn parse(bytes: &[u8], file: &str) -> Result<Header> {
    let error = |offset: usize, expected: &str, got: String| DataError::Format {
        file: file.to_owned(),
        offset: offset as u64,
        expected: expected.to_owned(),
        got,
    };
    let end = |offset: usize| error(offset, "the rest of a header", "the end".to_owned());
    if !bytes.starts_with(b"\x93NUMPY") {
        let start = bytes[..bytes.len().min(6)].escape_ascii().to_string();
        return Err(error(0, "`\\x93NUMPY`", format!("`{start}`")));
    }
    let (start, text_len) = match bytes.get(6..) {
        Some([1, _, a, b, ..]) => (10_usize, usize::from(u16::from_le_bytes([*a, *b]))),
        Some([2 | 3, _, a, b, c, d, ..]) => (12, u32::from_le_bytes([*a, *b, *c, *d]) as usize),
        Some([version, ..]) if !(1..=3).contains(version) => {
            return Err(error(6, "version 1, 2 or 3", version.to_string()));
        }
        _ => return Err(end(bytes.len())),
    };
    let text = start.checked_add(text_len).and_then(|end| bytes.get(start..end)).ok_or_else(|| end(bytes.len()))?;
    let text =
        std::str::from_utf8(text).map_err(|e| error(start + e.valid_up_to(), "text", "other bytes".to_owned()))?;
    let value = |key: &str| {
        let found = text.find(&format!("'{key}'")).map(|at| at + key.len() + 2);
        let value = found.and_then(|at| text[at..].trim_start().strip_prefix(':')).map(str::trim_start);
        value.ok_or_else(|| error(start, &format!("a header with '{key}'"), format!("`{}`", text.trim_end())))
    };
    let descr = value("descr")?;
    let quoted = descr.strip_prefix('\'').and_then(|rest| rest.split_once('\'')).map(|(descr, _)| descr);
    let kind = quoted.and_then(Kind::of);
    let Some((kind, descr)) = kind.zip(quoted) else {
        let told = quoted.unwrap_or(descr.trim_end());
        return Err(error(start, "numbers or booleans", format!("type `{told}`")));
    };
    let order = value("fortran_order")?;
    let columns_first = order.starts_with("True");
    if !columns_first && !order.starts_with("False") {
        return Err(error(start, "an order of True or False", format!("`{}`", order.trim_end())));
    }
    let tuple = value("shape")?;
    let numbers = tuple.strip_prefix('(').and_then(|rest| rest.split_once(')')).map(|(numbers, _)| numbers);
    let axes = numbers.map(|numbers| numbers.split(',').map(str::trim).filter(|axis| !axis.is_empty()));
    // Python 2 wrote long numbers with an L.
    let shape: Option<Vec<usize>> =
        axes.and_then(|axes| axes.map(|axis| axis.trim_end_matches('L').parse().ok()).collect());
    let shape = shape.ok_or_else(|| error(start, "a shape", format!("`{}`", tuple.trim_end())))?;
    let len = start + text_len;
    // All products of its parts must be countable, too: strides are computed from them, even beside an axis of length 0.
    let nonzero = shape.iter().filter(|&&n| n > 0).try_fold(1_usize, |product, &n| product.checked_mul(n));
    let n = nonzero.map(|product| if shape.contains(&0) { 0 } else { product });
    let expected = n.and_then(|n| n.checked_mul(kind.size()));
    let there = bytes.len() - len;
    match expected {
        Some(expected) if expected == there => Ok(Header { kind, descr: descr.to_owned(), columns_first, shape, len }),
        _ => {
            let bytes = expected.map_or("more".to_owned(), |n| n.to_string());
            Err(error(len, &format!("{bytes} bytes of values for shape {shape:?}"), format!("{there}")))
        }
    }
}

/// The header of an array of `f32` or `f64`, row by row: version 1.0, padded so that values begin at a multiple of 64.
pub(super) fn write(number: &str, shape: &[usize]) -> Vec<u8> {
    let axes: String = shape.iter().map(|n| format!("{n}, ")).collect();
    // A tuple of one has a comma after it, longer ones need none.
    let axes = if shape.len() == 1 { axes.trim_end() } else { axes.trim_end_matches(", ") };
    let descr = if number == "f32" { "<f4" } else { "<f8" };
    let text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({axes}), }}");
    // A shape of some thousand axes would not fit the 16 bits of version 1; arrays do not have so many.
    let padded = (10 + text.len() + 1).next_multiple_of(64) - 10;
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((padded as u16).to_le_bytes());
    bytes.extend(text.as_bytes());
    bytes.resize(10 + padded - 1, b' ');
    bytes.push(b'\n');
    bytes
}
