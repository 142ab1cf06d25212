//! Images compressed.

use super::boxed;
use crate::spec::{Described, Site};
use crate::{Augment, JpegCompression, Range, Result};
use serde::{Deserialize, Serialize};

/// `jpeg`: compressed and read again; with the feature `jpeg`. See [`JpegCompression`].
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Jpeg {
    /// The quality, from 1 to 100, in whole numbers.
    pub quality: Range,
}

impl Described for Jpeg {
    const KIND: &'static str = "jpeg";

    fn build(self, _: &Site<'_>) -> Result<Box<dyn Augment>> {
        boxed(JpegCompression::new(self.quality)?)
    }
}
