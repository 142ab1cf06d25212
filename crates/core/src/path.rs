//! Where a parameter stands in a model.

use std::fmt;

#[derive(Clone, Copy)]
enum Name<'a> {
    Root,
    Field(&'a str),
    Index(usize),
}

/// The path of a part of a model, such as `encoder.2.weight`.
///
/// A path is a chain of names on the stack: visiting a model builds no string unless someone asks for it with `to_string`.
///
/// ```
/// use gradwise_core::Path;
///
/// let root = Path::root();
/// let layer = root.field("encoder");
/// let item = layer.index(2);
/// assert_eq!(item.field("weight").to_string(), "encoder.2.weight");
/// assert_eq!(item.field("weight").depth(), 3);
/// assert_eq!(Path::root().to_string(), "");
/// ```
#[derive(Clone, Copy)]
pub struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    name: Name<'a>,
}

impl<'a> Path<'a> {
    /// The path of the model itself: empty.
    pub const fn root() -> Self {
        Path { parent: None, name: Name::Root }
    }

    /// The path of a named part of this one.
    pub const fn field(&'a self, name: &'a str) -> Path<'a> {
        Path { parent: Some(self), name: Name::Field(name) }
    }

    /// The path of a numbered part of this one, counted from 0.
    pub const fn index(&'a self, index: usize) -> Path<'a> {
        Path { parent: Some(self), name: Name::Index(index) }
    }

    /// How many names it has: 0 for the model itself.
    pub fn depth(&self) -> usize {
        let own = usize::from(!matches!(self.name, Name::Root));
        own + self.parent.map_or(0, Path::depth)
    }

    /// Writes the path over `text`, keeping its memory.
    pub fn write_to(&self, text: &mut String) {
        use fmt::Write;
        text.clear();
        // Writing to a String cannot fail.
        let _ = write!(text, "{self}");
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(f)?;
            if !matches!(parent.name, Name::Root) {
                f.write_str(".")?;
            }
        }
        match self.name {
            Name::Root => Ok(()),
            Name::Field(name) => f.write_str(name),
            Name::Index(index) => write!(f, "{index}"),
        }
    }
}

impl fmt::Debug for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Path({self})")
    }
}
