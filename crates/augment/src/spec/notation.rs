//! How small things are written: numbers and ranges, colours, fills, shifts.

use crate::{Colour, Fill, Range, Shift};
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use std::fmt;

/// Numbers of a list, as many as there may be.
fn numbers<'de, A: SeqAccess<'de>>(
    mut access: A,
    expected: &dyn de::Expected,
    lens: &[usize],
) -> Result<Vec<f64>, A::Error> {
    let mut list: Vec<f64> = Vec::new();
    while let Some(x) = access.next_element()? {
        list.push(x);
    }
    if lens.contains(&list.len()) { Ok(list) } else { Err(de::Error::invalid_length(list.len(), expected)) }
}

/// A number that an image may hold.
fn finite<E: de::Error>(x: f64, expected: &dyn de::Expected) -> Result<f32, E> {
    let x = x as f32;
    if x.is_finite() { Ok(x) } else { Err(E::invalid_value(de::Unexpected::Float(x.into()), expected)) }
}

/// Integers are numbers, too.
macro_rules! any_number {
    () => {
        fn visit_i64<E: de::Error>(self, x: i64) -> Result<Self::Value, E> {
            self.visit_f64(x as f64)
        }

        fn visit_u64<E: de::Error>(self, x: u64) -> Result<Self::Value, E> {
            self.visit_f64(x as f64)
        }
    };
}

/// A number, or the least and the greatest.
impl Serialize for Range {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.low == self.high { self.low.serialize(serializer) } else { (self.low, self.high).serialize(serializer) }
    }
}

impl<'de> Deserialize<'de> for Range {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RangeVisitor)
    }
}

struct RangeVisitor;

impl<'de> Visitor<'de> for RangeVisitor {
    type Value = Range;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number or a pair of numbers")
    }

    any_number!();

    fn visit_f64<E>(self, x: f64) -> Result<Range, E> {
        Ok(x.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, access: A) -> Result<Range, A::Error> {
        let list = numbers(access, &self, &[2])?;
        Ok((list[0], list[1]).into())
    }
}

/// Ranges to both sides of zero: a single number goes to both.
pub(super) mod around {
    use super::*;

    /// A range that is written so.
    pub(super) struct Around(pub(super) Range);

    impl Serialize for Around {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let Range { low, high } = self.0;
            if low == -high { high.serialize(serializer) } else { (low, high).serialize(serializer) }
        }
    }

    impl<'de> Deserialize<'de> for Around {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_any(AroundVisitor)
        }
    }

    struct AroundVisitor;

    impl<'de> Visitor<'de> for AroundVisitor {
        type Value = Around;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a number of at least 0, which goes to both sides, or a pair of numbers")
        }

        any_number!();

        fn visit_f64<E: de::Error>(self, x: f64) -> Result<Around, E> {
            if x < 0.0 {
                return Err(E::invalid_value(de::Unexpected::Float(x), &self));
            }
            Ok(Around((0.0 - x, x).into()))
        }

        fn visit_seq<A: SeqAccess<'de>>(self, access: A) -> Result<Around, A::Error> {
            let list = numbers(access, &self, &[2])?;
            Ok(Around((list[0], list[1]).into()))
        }
    }

    pub(in crate::spec) fn serialize<S: Serializer>(range: &Range, serializer: S) -> Result<S::Ok, S::Error> {
        Around(*range).serialize(serializer)
    }

    pub(in crate::spec) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Range, D::Error> {
        Ok(Around::deserialize(deserializer)?.0)
    }
}

/// Shifts: parts of the image's size, or a table that says `pixels` or `whole-pixels`.
pub(super) mod shift {
    use super::around::Around;
    use super::*;

    const NAMES: [&str; 3] = ["fraction", "pixels", "whole-pixels"];

    struct ShiftVisitor;

    impl<'de> Visitor<'de> for ShiftVisitor {
        type Value = Shift;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a part of the image's size, which goes to both sides, a pair of such parts, or a table of `pixels` or `whole-pixels`")
        }

        any_number!();

        fn visit_f64<E: de::Error>(self, x: f64) -> Result<Shift, E> {
            if x < 0.0 {
                return Err(E::invalid_value(de::Unexpected::Float(x), &self));
            }
            Ok(Shift::Fraction((0.0 - x, x).into()))
        }

        fn visit_seq<A: SeqAccess<'de>>(self, access: A) -> Result<Shift, A::Error> {
            let list = numbers(access, &self, &[2])?;
            Ok(Shift::Fraction((list[0], list[1]).into()))
        }

        fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Shift, A::Error> {
            let Some(name) = access.next_key::<String>()? else {
                return Err(de::Error::invalid_length(0, &self));
            };
            let shift: fn(Range) -> Shift = match name.as_str() {
                "fraction" => Shift::Fraction,
                "pixels" => Shift::Pixels,
                "whole-pixels" => Shift::WholePixels,
                _ => return Err(de::Error::unknown_field(&name, &NAMES)),
            };
            let shift = shift(access.next_value::<Around>()?.0);
            match access.next_key::<String>()? {
                None => Ok(shift),
                Some(_) => Err(de::Error::invalid_length(2, &self)),
            }
        }
    }

    pub(in crate::spec) fn serialize<S: Serializer>(shift: &Shift, serializer: S) -> Result<S::Ok, S::Error> {
        let (name, range) = match shift {
            Shift::Fraction(range) => return Around(*range).serialize(serializer),
            Shift::Pixels(range) => ("pixels", range),
            Shift::WholePixels(range) => ("whole-pixels", range),
        };
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(name, &Around(*range))?;
        map.end()
    }

    pub(in crate::spec) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Shift, D::Error> {
        deserializer.deserialize_any(ShiftVisitor)
    }
}

/// The range that values are kept in: a pair, or `false` where they are not.
pub(super) mod clip {
    use super::*;

    struct ClipVisitor;

    impl<'de> Visitor<'de> for ClipVisitor {
        type Value = Option<(f32, f32)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a pair of numbers, or false")
        }

        fn visit_bool<E: de::Error>(self, clips: bool) -> Result<Self::Value, E> {
            if clips { Err(E::invalid_value(de::Unexpected::Bool(clips), &self)) } else { Ok(None) }
        }

        fn visit_seq<A: SeqAccess<'de>>(self, access: A) -> Result<Self::Value, A::Error> {
            let list = numbers(access, &self, &[2])?;
            Ok(Some((list[0] as f32, list[1] as f32)))
        }
    }

    pub(in crate::spec) fn serialize<S: Serializer>(
        clip: &Option<(f32, f32)>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match clip {
            None => false.serialize(serializer),
            Some(pair) => pair.serialize(serializer),
        }
    }

    pub(in crate::spec) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<(f32, f32)>, D::Error> {
        deserializer.deserialize_any(ClipVisitor)
    }
}

/// A number for all channels; three for red, green and blue; or four.
impl Serialize for Colour {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let [r, g, b, a] = self.0;
        if *self == Colour::grey(r) {
            r.serialize(serializer)
        } else if a == 1.0 {
            [r, g, b].serialize(serializer)
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Colour {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ColourVisitor { name: |_| None, names: "" })
    }
}

/// One of the names, or a colour.
impl Serialize for Fill {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Fill::Constant(colour) => colour.serialize(serializer),
            Fill::Edge => "edge".serialize(serializer),
            Fill::Reflect => "reflect".serialize(serializer),
            Fill::Symmetric => "symmetric".serialize(serializer),
            Fill::Wrap => "wrap".serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Fill {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name: fn(&str) -> Option<Fill> = |name| match name {
            "edge" => Some(Fill::Edge),
            "reflect" => Some(Fill::Reflect),
            "symmetric" => Some(Fill::Symmetric),
            "wrap" => Some(Fill::Wrap),
            "black" => Some(Fill::BLACK),
            "white" => Some(Fill::Constant(Colour::grey(1.0))),
            _ => None,
        };
        let names = "one of \"edge\", \"reflect\", \"symmetric\", \"wrap\", \"black\" and \"white\", or ";
        deserializer.deserialize_any(ColourVisitor { name, names })
    }
}

impl From<Colour> for Fill {
    fn from(colour: Colour) -> Self {
        Fill::Constant(colour)
    }
}

/// A colour, or something else by name.
struct ColourVisitor<T> {
    name: fn(&str) -> Option<T>,
    names: &'static str,
}

impl<'de, T: From<Colour>> Visitor<'de> for ColourVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}a number, three numbers or four", self.names)
    }

    any_number!();

    fn visit_f64<E: de::Error>(self, x: f64) -> Result<T, E> {
        Ok(Colour::grey(finite(x, &self)?).into())
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<T, E> {
        (self.name)(name).ok_or_else(|| E::invalid_value(de::Unexpected::Str(name), &self))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, access: A) -> Result<T, A::Error> {
        let list = numbers(access, &self, &[3, 4])?;
        let mut colour = [1.0; 4];
        for (to, &x) in colour.iter_mut().zip(&list) {
            *to = finite(x, &self)?;
        }
        Ok(Colour(colour).into())
    }
}
