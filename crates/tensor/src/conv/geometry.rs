//! Where the taps of a convolution lie.

use gradwise_core::{Error, Result};

/// Stride, padding, dilation and groups of a convolution, for height and width; shared by forward and backward.
///
/// Along an axis of length `n`, with kernel `k`, stride `s`, padding `p` and dilation `d`, output `o` reads the elements
/// `o s - p + i d` for `0 ≤ i < k`, zeros where there is none, and there are `⌊(n + 2p - d (k - 1) - 1) / s⌋ + 1` outputs. With `g`
/// groups, input and output channels are cut into `g` equal parts, and each part of the output sees one of the input only; as many
/// groups as channels make a depthwise convolution.
///
/// ```
/// use gradwise_tensor::Conv2dGeometry;
///
/// let geometry = Conv2dGeometry::new().stride([2, 2])?.padding([1, 1]);
/// assert_eq!(geometry.out_size([32, 32], [3, 3])?, [16, 16]);
/// assert!(geometry.groups(0).is_err());
/// # Ok::<(), gradwise_core::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Conv2dGeometry {
    pub(super) stride: [usize; 2],
    pub(super) padding: [usize; 2],
    pub(super) dilation: [usize; 2],
    pub(super) groups: usize,
}

impl Default for Conv2dGeometry {
    fn default() -> Self {
        Self::new()
    }
}

fn positive(what: &'static str, value: [usize; 2]) -> Result<()> {
    if value.contains(&0) { Err(Error::value(what, "at least 1", format!("{value:?}"))) } else { Ok(()) }
}

impl Conv2dGeometry {
    /// Stride 1, no padding, no dilation, one group.
    pub const fn new() -> Self {
        Conv2dGeometry { stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: 1 }
    }

    /// With this distance from an output to the next, in elements of the input.
    ///
    /// # Errors
    /// If it is 0.
    pub fn stride(self, stride: [usize; 2]) -> Result<Self> {
        positive("conv: stride", stride)?;
        Ok(Conv2dGeometry { stride, ..self })
    }

    /// With this many zeros at both ends of each axis.
    #[must_use]
    pub const fn padding(self, padding: [usize; 2]) -> Self {
        Conv2dGeometry { padding, ..self }
    }

    /// With the padding that keeps the size at stride 1, `d (k - 1) / 2`, for a kernel of this size.
    ///
    /// # Errors
    /// If that is not a whole number, as for an even kernel: set another kernel, or pad by hand.
    ///
    /// ```
    /// use gradwise_tensor::Conv2dGeometry;
    ///
    /// let geometry = Conv2dGeometry::new().same_padding([3, 5])?;
    /// assert_eq!(geometry.out_size([9, 9], [3, 5])?, [9, 9]);
    /// # Ok::<(), gradwise_core::Error>(())
    /// ```
    pub fn same_padding(self, kernel: [usize; 2]) -> Result<Self> {
        let mut padding = [0; 2];
        for axis in 0..2 {
            let total = self.dilation[axis].saturating_mul(kernel[axis].saturating_sub(1));
            if !total.is_multiple_of(2) {
                let expected = "a kernel that reaches equally far to both sides";
                return Err(Error::value("conv: same padding", expected, format!("{kernel:?}")));
            }
            padding[axis] = total / 2;
        }
        Ok(self.padding(padding))
    }

    /// With this distance from a tap to the next, in elements of the input.
    ///
    /// # Errors
    /// If it is 0.
    pub fn dilation(self, dilation: [usize; 2]) -> Result<Self> {
        positive("conv: dilation", dilation)?;
        Ok(Conv2dGeometry { dilation, ..self })
    }

    /// With channels in this many groups.
    ///
    /// # Errors
    /// If it is 0.
    pub fn groups(self, groups: usize) -> Result<Self> {
        positive("conv: groups", [groups, groups])?;
        Ok(Conv2dGeometry { groups, ..self })
    }

    /// The distance from an output to the next.
    pub const fn strides(&self) -> [usize; 2] {
        self.stride
    }

    /// The zeros at both ends of each axis.
    pub const fn paddings(&self) -> [usize; 2] {
        self.padding
    }

    /// The distance from a tap to the next.
    pub const fn dilations(&self) -> [usize; 2] {
        self.dilation
    }

    /// The number of groups.
    pub const fn n_groups(&self) -> usize {
        self.groups
    }

    /// Height and width of the output for an image and a kernel of these sizes.
    ///
    /// # Errors
    /// If the kernel is empty or does not fit into the padded image.
    pub fn out_size(&self, image: [usize; 2], kernel: [usize; 2]) -> Result<[usize; 2]> {
        let mut out = [0; 2];
        for axis in 0..2 {
            out[axis] = self.out_len(axis, image[axis], kernel[axis]).ok_or_else(|| {
                let (padding, dilation) = (self.padding, self.dilation);
                let expected = format!(
                    "an image that, padded by {padding:?}, a kernel {kernel:?} of dilation {dilation:?} fits into"
                );
                Error::shape("conv", expected, &image)
            })?;
        }
        Ok(out)
    }

    fn out_len(&self, axis: usize, image: usize, kernel: usize) -> Option<usize> {
        let padded = self.padding[axis].checked_mul(2)?.checked_add(image)?;
        let reach = self.dilation[axis].checked_mul(kernel.checked_sub(1)?)?.checked_add(1)?;
        // Places are computed with signs and in 32 bits; no image comes near.
        (padded <= i32::MAX as usize).then_some(())?;
        Some(padded.checked_sub(reach)? / self.stride[axis] + 1)
    }

    /// Height and width of a transposed convolution's output, `(n - 1) s - 2p + d (k - 1) + 1` and the output padding.
    ///
    /// # Errors
    /// If the image or the kernel is empty, or the padding takes more than there is of the output.
    pub fn transposed_out_size(
        &self,
        image: [usize; 2],
        kernel: [usize; 2],
        output_padding: [usize; 2],
    ) -> Result<[usize; 2]> {
        let mut out = [0; 2];
        for axis in 0..2 {
            let len = |axis: usize| {
                if image[axis] == 0 {
                    return None;
                }
                let strides = (image[axis] - 1).checked_mul(self.stride[axis])?;
                let reach = self.dilation[axis].checked_mul(kernel[axis].checked_sub(1)?)?.checked_add(1)?;
                let whole = strides.checked_add(reach)?.checked_add(output_padding[axis])?;
                (whole <= i32::MAX as usize).then_some(())?;
                whole.checked_sub(self.padding[axis].checked_mul(2)?)
            };
            out[axis] = len(axis).ok_or_else(|| {
                let padding = self.padding;
                Error::shape(
                    "conv",
                    format!("an image that is not empty, of whose output a padding of {padding:?} can be taken"),
                    &image,
                )
            })?;
        }
        Ok(out)
    }
}
