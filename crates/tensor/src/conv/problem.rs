//! One convolution with all its sizes.

use super::{Conv2dGeometry, correlation};
use gradwise_core::{Error, Result};

/// The sizes of `y = w ⋆ x`, checked to fit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Problem {
    pub(super) geometry: Conv2dGeometry,
    /// Images in the batch.
    pub(super) n: usize,
    /// Channels of `x`, all groups together.
    pub(super) channels: usize,
    /// Height and width of `x`.
    pub(super) image: [usize; 2],
    /// Channels of `y`, all groups together.
    pub(super) out_channels: usize,
    /// Height and width of `y`.
    pub(super) out: [usize; 2],
    /// Height and width of the kernel.
    pub(super) kernel: [usize; 2],
}

impl Problem {
    /// The convolution of `x [n, c, h, w]` with a weight `[o, c / groups, kh, kw]`.
    pub(super) fn new(op: &'static str, geometry: Conv2dGeometry, x: &[usize], weight: &[usize]) -> Result<Self> {
        let &[n, channels, h, w] = x else {
            return Err(Error::shape(op, "images [n, c, h, w]", x));
        };
        let &[out_channels, per_group, kh, kw] = weight else {
            return Err(Error::shape(op, "a weight [o, c / groups, kh, kw]", weight));
        };
        let groups = geometry.groups;
        if !out_channels.is_multiple_of(groups) {
            return Err(Error::shape(op, format!("output channels in {groups} equal groups"), weight));
        }
        let expected = all_channels(op, per_group, groups, weight)?;
        if channels != expected {
            return Err(Error::shape(op, format!("{expected} input channels"), x));
        }
        let out = geometry.out_size([h, w], [kh, kw]).map_err(|error| renamed(op, error))?;
        Problem { geometry, n, channels, image: [h, w], out_channels, out, kernel: [kh, kw] }.countable(op)
    }

    /// The convolution whose input gradient is the transposed convolution of `x [n, i, h, w]` with a weight
    /// `[i, o / groups, kh, kw]`.
    pub(super) fn transposed(
        op: &'static str,
        geometry: Conv2dGeometry,
        output_padding: [usize; 2],
        x: &[usize],
        weight: &[usize],
    ) -> Result<Self> {
        let &[n, channels, h, w] = x else {
            return Err(Error::shape(op, "images [n, c, h, w]", x));
        };
        let &[in_channels, per_group, kh, kw] = weight else {
            return Err(Error::shape(op, "a weight [c, o / groups, kh, kw]", weight));
        };
        let groups = geometry.groups;
        if channels != in_channels {
            return Err(Error::shape(op, format!("{in_channels} input channels"), x));
        }
        if !in_channels.is_multiple_of(groups) {
            return Err(Error::shape(op, format!("input channels in {groups} equal groups"), weight));
        }
        let size = geometry.transposed_out_size([h, w], [kh, kw], output_padding);
        let image = size.map_err(|error| renamed(op, error))?;
        let channels = all_channels(op, per_group, groups, weight)?;
        Problem { geometry, n, channels, image, out_channels: in_channels, out: [h, w], kernel: [kh, kw] }.countable(op)
    }

    pub(super) fn x_shape(&self) -> [usize; 4] {
        [self.n, self.channels, self.image[0], self.image[1]]
    }

    pub(super) fn y_shape(&self) -> [usize; 4] {
        [self.n, self.out_channels, self.out[0], self.out[1]]
    }

    /// The same, if a block of it can be staged: places in there are counted in 32 bits.
    ///
    /// Only a dilation, padding or stride of thousands in both directions gets near.
    fn countable(self, op: &'static str) -> Result<Self> {
        let geometry = &self.geometry;
        let reach: [usize; 2] =
            std::array::from_fn(|axis| self.kernel[axis].saturating_sub(1) * geometry.dilation[axis]);
        let phases = std::array::from_fn(|axis| self.image[axis].div_ceil(geometry.stride[axis]));
        let of_phases = std::array::from_fn(|axis| reach[axis] / geometry.stride[axis]);
        let largest = correlation::largest_field(self.n, self.out, geometry.stride, reach, self.n_taps())
            .max(correlation::largest_field(self.n, phases, [1, 1], of_phases, self.n_taps()));
        if largest > u32::MAX as usize {
            let expected = format!("a kernel and a stride {:?} that reach less far", geometry.stride);
            return Err(Error::shape(op, expected, &self.kernel));
        }
        Ok(self)
    }

    /// Channels of `x` in a group.
    pub(super) fn group_channels(&self) -> usize {
        self.channels / self.geometry.groups
    }

    /// Channels of `y` in a group.
    pub(super) fn group_out_channels(&self) -> usize {
        self.out_channels / self.geometry.groups
    }

    /// Elements of the kernel.
    pub(super) fn n_taps(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    /// Pixels of an image of `x`.
    pub(super) fn image_len(&self) -> usize {
        self.image[0] * self.image[1]
    }

    /// Pixels of an image of `y`.
    pub(super) fn out_len(&self) -> usize {
        self.out[0] * self.out[1]
    }
}

/// The channels of all groups.
fn all_channels(op: &'static str, per_group: usize, groups: usize, weight: &[usize]) -> Result<usize> {
    let count = per_group.checked_mul(groups);
    count.ok_or_else(|| Error::shape(op, format!("channels of which there can be {groups} times as many"), weight))
}

/// The same error under the operation's own name.
fn renamed(name: &'static str, error: Error) -> Error {
    match error {
        Error::Shape { expected, got, .. } => Error::Shape { op: name, expected, got },
        error => error,
    }
}
