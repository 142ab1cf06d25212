//! Folders and pairs of IDX files.

use super::{Idx, IdxValues};
use crate::{DataError, Labelled, Result, TrainTest};
use gradwise_core::Real;
use std::path::{Path, PathBuf};

/// Reads a folder with the four files of MNIST: images and labels, to train on (`train-…`) and to test on (`t10k-…`).
///
/// Names are those of the MNIST family, `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and
/// `t10k-labels-idx1-ubyte`, with a dot for the second hyphen or not, and with `.gz` or not. Values stay as they are there (0
/// to 255); images of two axes get an axis for their one channel, so that inputs are `[N, 1, height, width]`. Both parts have
/// as many classes as the larger label of both tells, which must be below [`MOST_CLASSES`].
///
/// ```no_run
/// let mnist = gradwise_data::read_folder::<f32>("data/mnist")?;
/// assert_eq!(mnist.train.sample_shape(), [1, 28, 28]);
/// # Ok::<(), gradwise_data::DataError>(())
/// ```
///
/// # Errors
/// If a file is missing or not what it should be, or the two parts have images of different shapes.
pub fn read_folder<T: Real>(folder: impl AsRef<Path>) -> Result<TrainTest<Labelled<T>>> {
    let folder = folder.as_ref();
    // The error of a folder that is not there is clearer than that of a file in it.
    std::fs::read_dir(folder).map_err(|e| DataError::io(folder, e))?;
    let pair = |part: &str| -> Result<(Idx, Idx)> {
        let images = Idx::from_file(find(folder, part, "images", 3)?)?;
        Ok((images, Idx::from_file(find(folder, part, "labels", 1)?)?))
    };
    let (train, test) = (pair("train")?, pair("t10k")?);
    let sample = |images: &Idx| images.shape.get(1..).unwrap_or_default().to_vec();
    if sample(&train.0) != sample(&test.0) {
        let expected = format!("images of shape {:?}, as those of {}", sample(&train.0), train.0.file);
        return Err(test.0.error(8, &expected, format!("{:?}", sample(&test.0))));
    }
    let n_classes = n_classes(&train.1)?.max(n_classes(&test.1)?);
    Ok(TrainTest { train: labelled(&train.0, &train.1, n_classes)?, test: labelled(&test.0, &test.1, n_classes)? })
}

/// Reads a file of images and the file of their labels.
///
/// Images of two axes get an axis for their one channel. There are as many classes as the largest label tells.
///
/// # Errors
/// If a file cannot be read, there is not one label an image, or a label is not below [`MOST_CLASSES`].
pub fn read_labelled<T: Real>(images: impl AsRef<Path>, labels: impl AsRef<Path>) -> Result<Labelled<T>> {
    let (images, labels) = (Idx::from_file(images)?, Idx::from_file(labels)?);
    labelled(&images, &labels, n_classes(&labels)?)
}

/// The data set of two arrays: samples, and one label each.
///
/// Samples of two axes, grey images, get an axis for their one channel: `[N, height, width]` becomes `[N, 1, height, width]`.
///
/// # Errors
/// If there is not one label a sample, a label is not below `n_classes`, or there is no sample.
pub fn labelled<T: Real>(images: &Idx, labels: &Idx, n_classes: usize) -> Result<Labelled<T>> {
    let Some(&n) = images.shape.first() else {
        return Err(images.error(3, "a first axis of samples", "no axis"));
    };
    let classes = labels.to_labels()?;
    if classes.len() != n {
        let (images, labels) = (images.file.clone(), labels.file.clone());
        return Err(DataError::LabelCount { images, labels, expected: n, got: classes.len() });
    }
    if n == 0 {
        return Err(images.error(4, "at least one sample", "0"));
    }
    below(labels, &classes, n_classes)?;
    let shape = match images.shape[..] {
        [n, height, width] => vec![n, 1, height, width],
        _ => images.shape.clone(),
    };
    Labelled::new(images.to_shape(&shape)?, classes, n_classes)
}

/// The most classes that are taken from a file's largest label, 65,536. A larger one is a number of something else (an identifier, a
/// damaged byte), and a model with an output for each would not fit anywhere. [`labelled`] takes a number of classes as given.
pub const MOST_CLASSES: usize = 1 << 16;

fn n_classes(labels: &Idx) -> Result<usize> {
    // Most label files are bytes, which need no copy to find the largest.
    if let (IdxValues::U8(v), [_]) = (&labels.values, &labels.shape[..]) {
        return Ok(v.iter().max().map_or(0, |&largest| usize::from(largest) + 1));
    }
    let classes = labels.to_labels()?;
    below(labels, &classes, MOST_CLASSES)?;
    Ok(classes.iter().max().map_or(0, |&largest| largest + 1))
}

/// Refuses the first label that is not below a number of classes, by its byte in the file.
fn below(labels: &Idx, classes: &[usize], n_classes: usize) -> Result<()> {
    match classes.iter().position(|&class| class >= n_classes) {
        Some(i) => {
            let offset = labels.header_len() + (i * labels.values.code().1) as u64;
            Err(labels.error(offset, &format!("a label below {n_classes}"), classes[i].to_string()))
        }
        None => Ok(()),
    }
}

fn find(folder: &Path, part: &str, kind: &str, axes: u8) -> Result<PathBuf> {
    let names = ["-", "."].map(|separator| format!("{part}-{kind}{separator}idx{axes}-ubyte"));
    let found =
        names.iter().flat_map(|name| [folder.join(name), folder.join(format!("{name}.gz"))]).find(|p| p.is_file());
    found.ok_or_else(|| DataError::Missing {
        folder: folder.display().to_string(),
        expected: format!("{} or {} (or either with .gz)", names[0], names[1]),
    })
}
