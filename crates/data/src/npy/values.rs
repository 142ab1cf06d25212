//! The values of an `.npy` file, of any type and byte order.

use gradwise_core::Real;

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Type {
    Bool,
    Signed,
    Unsigned,
    Float,
}

/// What values are: their type, how many bytes each has, and in which order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Kind {
    what: Type,
    size: usize,
    big_endian: bool,
}

impl Kind {
    /// The kind of NumPy's word for it, such as `<f4`; none for what is no number.
    pub(super) fn of(descr: &str) -> Option<Self> {
        let mut letters = descr.chars();
        let order = letters.next()?;
        let (what, size) = match (letters.next()?, letters.as_str()) {
            ('b', "1") => (Type::Bool, 1),
            ('i', size @ ("1" | "2" | "4" | "8")) => (Type::Signed, size.parse().ok()?),
            ('u', size @ ("1" | "2" | "4" | "8")) => (Type::Unsigned, size.parse().ok()?),
            ('f', size @ ("2" | "4" | "8")) => (Type::Float, size.parse().ok()?),
            _ => return None,
        };
        let big_endian = match order {
            '<' | '|' => false,
            '>' => true,
            // The order of the machine that wrote it, which the file does not name.
            '=' => cfg!(target_endian = "big"),
            _ => return None,
        };
        Some(Kind { what, size, big_endian })
    }

    /// Bytes of a value.
    pub(super) fn size(self) -> usize {
        self.size
    }

    /// The bits of each value.
    fn bits(self, bytes: &[u8]) -> impl Iterator<Item = u64> + '_ {
        bytes.chunks_exact(self.size).map(move |value| {
            let mut word = [0; 8];
            word[..self.size].copy_from_slice(value);
            if self.big_endian {
                word[..self.size].reverse();
            }
            u64::from_le_bytes(word)
        })
    }

    /// Appends the values as numbers.
    pub(super) fn extend<T: Real>(self, numbers: &mut Vec<T>, bytes: &[u8]) {
        let size = self.size;
        match self.what {
            Type::Bool => numbers.extend(self.bits(bytes).map(|bits| if bits == 0 { T::zero() } else { T::one() })),
            Type::Unsigned => numbers.extend(self.bits(bytes).map(|bits| T::of(bits as f64))),
            Type::Signed => numbers.extend(self.bits(bytes).map(|bits| T::of(signed(bits, size) as f64))),
            Type::Float => numbers.extend(self.bits(bytes).map(|bits| match size {
                2 => T::of(half(bits as u16)),
                4 => T::of(f64::from(f32::from_bits(bits as u32))),
                _ => T::of(f64::from_bits(bits)),
            })),
        }
    }

    /// The values as whole numbers, if they are of such a type.
    pub(super) fn whole(self, bytes: &[u8]) -> Option<Vec<i128>> {
        let size = self.size;
        match self.what {
            Type::Float => None,
            Type::Signed => Some(self.bits(bytes).map(|bits| i128::from(signed(bits, size))).collect()),
            Type::Bool | Type::Unsigned => Some(self.bits(bytes).map(i128::from).collect()),
        }
    }
}

/// The number whose two's complement in `size` bytes these bits are.
fn signed(bits: u64, size: usize) -> i64 {
    let unused = 64 - 8 * size as u32;
    ((bits << unused) as i64) >> unused
}

/// A half float: 1 bit of sign, 5 of exponent, 10 of fraction.
fn half(bits: u16) -> f64 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
    let magnitude = match exponent {
        0 => fraction * 2_f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1.0 + fraction / 1024.0) * 2_f64.powi(exponent - 15),
    };
    if bits >> 15 == 1 { -magnitude } else { magnitude }
}
