//! Sizes along the axes of sequences and images.

/// A length. (Not a bare `usize`, into which too many types convert for a literal to be one.)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Size1(pub usize);

impl From<usize> for Size1 {
    fn from(n: usize) -> Self {
        Size1(n)
    }
}

impl From<Size1> for usize {
    fn from(size: Size1) -> Self {
        size.0
    }
}

/// Height and width: one number for both, or two.
///
/// ```
/// use gradwise_layers::Size2;
///
/// assert_eq!(Size2::from(3), Size2::from([3, 3]));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Size2(pub [usize; 2]);

impl From<usize> for Size2 {
    fn from(n: usize) -> Self {
        Size2([n, n])
    }
}

impl From<[usize; 2]> for Size2 {
    fn from(size: [usize; 2]) -> Self {
        Size2(size)
    }
}

impl From<Size2> for [usize; 2] {
    fn from(size: Size2) -> Self {
        size.0
    }
}

/// A size along each axis of positions: [`Size1`] for sequences, [`Size2`] for images.
pub trait Size: Copy + std::fmt::Debug + Send + Sync + 'static {
    /// The same along every axis.
    fn all(n: usize) -> Self;

    /// The sizes, axis by axis.
    fn lens(&self) -> &[usize];
}

impl Size for Size1 {
    fn all(n: usize) -> Self {
        n.into()
    }
    fn lens(&self) -> &[usize] {
        std::slice::from_ref(&self.0)
    }
}

impl Size for Size2 {
    fn all(n: usize) -> Self {
        n.into()
    }
    fn lens(&self) -> &[usize] {
        &self.0
    }
}
