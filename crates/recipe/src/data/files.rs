//! Data sets of images, in files and in the program.

use super::{Loaded, SourceSite, Sources};
use crate::{Described, Result};
use gradwise_data as data;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `digits`: 1,797 handwritten digits of 8 x 8 pixels, which the program carries; values from 0 to 16.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Digits {}

impl Described<Sources> for Digits {
    const KIND: &'static str = "digits";

    fn build(self, site: &SourceSite<'_>) -> Result<Loaded> {
        site.parts(data::digits())
    }
}

/// `idx`: a folder with the four IDX files of a data set like MNIST, packed or not; values from 0 to 255.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct IdxFolder {
    /// The folder.
    pub folder: String,
}

impl Described<Sources> for IdxFolder {
    const KIND: &'static str = "idx";

    fn build(self, site: &SourceSite<'_>) -> Result<Loaded> {
        let parts = data::read_folder(site.path(&self.folder)).map_err(super::at("folder"))?;
        site.given(parts.train, parts.test)
    }
}

/// `idx-files`: an IDX file of images, or other samples, and one of their labels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct IdxFiles {
    /// The file of images.
    pub images: String,
    /// The file of labels.
    pub labels: String,
}

impl Described<Sources> for IdxFiles {
    const KIND: &'static str = "idx-files";

    fn build(self, site: &SourceSite<'_>) -> Result<Loaded> {
        let set = data::read_labelled(site.path(&self.images), site.path(&self.labels));
        site.parts(set.map_err(super::at("images"))?)
    }
}

/// `cifar10`: a folder with the files of CIFAR-10's binary version; values from 0 to 255.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Cifar10 {
    /// The folder.
    pub folder: String,
}

impl Described<Sources> for Cifar10 {
    const KIND: &'static str = "cifar10";

    fn build(self, site: &SourceSite<'_>) -> Result<Loaded> {
        let parts = data::read_cifar10(site.path(&self.folder)).map_err(super::at("folder"))?;
        site.given(parts.train, parts.test)
    }
}

/// `cifar100`: a folder with the files of CIFAR-100's binary version; values from 0 to 255.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Cifar100 {
    /// The folder.
    pub folder: String,
}

impl Described<Sources> for Cifar100 {
    const KIND: &'static str = "cifar100";

    fn build(self, site: &SourceSite<'_>) -> Result<Loaded> {
        let parts = data::read_cifar100(site.path(&self.folder)).map_err(super::at("folder"))?;
        site.given(parts.train, parts.test)
    }
}

/// `images`: a folder of PNG and JPEG pictures, in which each folder is a class; values from 0 to 255.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ImageFolder {
    /// The folder.
    pub folder: String,
    /// Height and width that pictures are brought to; theirs, which must all be the same, if it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<[usize; 2]>,
    /// Whether they become grey.
    #[serde(default, skip_serializing_if = "no")]
    pub grey: bool,
    /// Whether files that are no pictures are left out, rather than being an error.
    #[serde(default, skip_serializing_if = "no")]
    pub skip_bad: bool,
}

fn no(value: &bool) -> bool {
    !value
}

impl Described<Sources> for ImageFolder {
    const KIND: &'static str = "images";

    fn build(self, site: &SourceSite<'_>) -> Result<Loaded> {
        let mut folder = data::ImageFolder::open(site.path(&self.folder)).map_err(super::at("folder"))?;
        if let Some([height, width]) = self.size {
            folder = folder.size(height, width).map_err(super::at("size"))?;
        }
        if self.grey {
            folder = folder.pixels(data::Pixels::Grey);
        }
        if self.skip_bad {
            folder = folder.bad_files(data::BadFiles::Skip);
        }
        let (set, _) = folder.read(site.threads()).map_err(super::at("folder"))?;
        site.parts(set)
    }
}
