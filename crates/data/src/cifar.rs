//! The binary format of CIFAR-10 and CIFAR-100.
//!
//! A file holds samples of equal size, one after another, without a header: one byte for the label (two in CIFAR-100: the coarse and the
//! fine one), then 3,072 bytes for an image of 32 x 32 pixels: all red values, row by row, then all green, then all blue ones. Source: A.
//! Krizhevsky, *Learning multiple layers of features from tiny images*, 2009, and the data set's page.

use crate::{DataError, Labelled, Result, TrainTest};
use gradwise_core::Real;
use ndarray::{ArrayD, IxDyn};
use std::path::Path;

const PIXELS: usize = 3 * 32 * 32;

/// Reads a folder with the files of CIFAR-10's binary version: `data_batch_1.bin` to `data_batch_5.bin` to train on, `test_batch.bin` to
/// test on.
///
/// Inputs are `[N, 3, 32, 32]` with values from 0 to 255, classes `0..10`, named as `batches.meta.txt` names them where it is there.
///
/// ```no_run
/// let cifar = gradwise_data::read_cifar10::<f32>("data/cifar-10-batches-bin")?;
/// assert_eq!((cifar.train.labels().len(), cifar.train.class_name(3)), (50_000, "cat".to_owned()));
/// # Ok::<(), gradwise_data::DataError>(())
/// ```
///
/// # Errors
/// If a file is missing, ends within a sample, or has a label that is not below 10.
pub fn read_cifar10<T: Real>(folder: impl AsRef<Path>) -> Result<TrainTest<Labelled<T>>> {
    let folder = folder.as_ref();
    let train: Vec<String> = (1..=5).map(|i| format!("data_batch_{i}.bin")).collect();
    let files = |names: &[String]| join(folder, names, 1, 10);
    let mut parts = TrainTest { train: files(&train)?, test: files(&["test_batch.bin".to_owned()])? };
    let names = class_names(&folder.join("batches.meta.txt"), 10)?;
    if !names.is_empty() {
        parts.train = parts.train.with_class_names(&names)?;
        parts.test = parts.test.with_class_names(&names)?;
    }
    Ok(parts)
}

/// Reads a folder with the files of CIFAR-100's binary version, `train.bin` and `test.bin`; classes are the 100 fine ones.
///
/// Inputs are `[N, 3, 32, 32]` with values from 0 to 255, classes are named as `fine_label_names.txt` names them where it is there.
///
/// ```no_run
/// let cifar = gradwise_data::read_cifar100::<f32>("data/cifar-100-binary")?;
/// assert_eq!(cifar.train.n_classes(), 100);
/// # Ok::<(), gradwise_data::DataError>(())
/// ```
///
/// # Errors
/// If a file is missing, ends within a sample, or has a label that is not below 100.
pub fn read_cifar100<T: Real>(folder: impl AsRef<Path>) -> Result<TrainTest<Labelled<T>>> {
    let folder = folder.as_ref();
    let file = |name: &str| join(folder, &[name.to_owned()], 2, 100);
    let mut parts = TrainTest { train: file("train.bin")?, test: file("test.bin")? };
    let names = class_names(&folder.join("fine_label_names.txt"), 100)?;
    if !names.is_empty() {
        parts.train = parts.train.with_class_names(&names)?;
        parts.test = parts.test.with_class_names(&names)?;
    }
    Ok(parts)
}

/// The samples of one file of CIFAR-10's format, from memory; `file` names them in errors.
///
/// ```
/// let mut bytes = vec![3_u8];
/// bytes.extend([7; 3072]);
/// let set = gradwise_data::cifar10_from_bytes::<f32>(&bytes, "data_batch_1.bin")?;
/// assert_eq!((set.labels(), set.sample_shape()), (&[3][..], &[3, 32, 32][..]));
///
/// let error = gradwise_data::cifar10_from_bytes::<f32>(&bytes[..100], "data_batch_1.bin").unwrap_err();
/// assert_eq!(error.to_string(), "data_batch_1.bin: at byte 100: expected samples of 3073 bytes, got the end after 100 of them");
/// # Ok::<(), gradwise_data::DataError>(())
/// ```
///
/// # Errors
/// If they end within a sample, there is none, or a label is not below 10.
pub fn cifar10_from_bytes<T: Real>(bytes: &[u8], file: &str) -> Result<Labelled<T>> {
    let (mut values, mut labels) = (Vec::new(), Vec::new());
    read(bytes, file, 1, 10, &mut values, &mut labels)?;
    set(values, labels, 10)
}

fn join<T: Real>(folder: &Path, names: &[String], label_bytes: usize, n_classes: usize) -> Result<Labelled<T>> {
    let (mut values, mut labels) = (Vec::new(), Vec::new());
    for name in names {
        let path = folder.join(name);
        let bytes = std::fs::read(&path).map_err(|error| DataError::io(&path, error))?;
        read(&bytes, &path.display().to_string(), label_bytes, n_classes, &mut values, &mut labels)?;
    }
    set(values, labels, n_classes)
}

/// Appends the samples of a file.
fn read<T: Real>(
    bytes: &[u8],
    file: &str,
    label_bytes: usize,
    n_classes: usize,
    values: &mut Vec<T>,
    labels: &mut Vec<usize>,
) -> Result<()> {
    let size = label_bytes + PIXELS;
    let error = |offset: usize, expected: String, got: String| DataError::Format {
        file: file.to_owned(),
        offset: offset as u64,
        expected,
        got,
    };
    let rest = bytes.len() % size;
    if rest != 0 || bytes.is_empty() {
        let got = format!("the end after {rest} of them");
        return Err(error(bytes.len(), format!("samples of {size} bytes"), got));
    }
    let n = bytes.len() / size;
    let memory = values.try_reserve(n * PIXELS).and_then(|()| labels.try_reserve(n));
    memory.map_err(|_| DataError::Memory { file: file.to_owned(), bytes: (n * PIXELS * size_of::<T>()) as u64 })?;
    for (i, sample) in bytes.chunks_exact(size).enumerate() {
        let label = usize::from(sample[label_bytes - 1]);
        if label >= n_classes {
            let got = label.to_string();
            return Err(error(i * size + label_bytes - 1, format!("a label below {n_classes}"), got));
        }
        labels.push(label);
        values.extend(sample[label_bytes..].iter().map(|&value| T::of(f64::from(value))));
    }
    Ok(())
}

fn set<T: Real>(values: Vec<T>, labels: Vec<usize>, n_classes: usize) -> Result<Labelled<T>> {
    let images = ArrayD::from_shape_vec(IxDyn(&[labels.len(), 3, 32, 32]), values)
        .unwrap_or_else(|_| unreachable!("as many values as the images have"));
    Labelled::new(images, labels, n_classes)
}

/// The names of a text file, one a line; none where there is no such file.
fn class_names(path: &Path, n: usize) -> Result<Vec<String>> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let text = std::fs::read_to_string(path).map_err(|error| DataError::io(path, error))?;
    let names: Vec<String> = text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    if names.len() != n {
        let (file, got) = (path.display().to_string(), names.len().to_string());
        return Err(DataError::Format { file, offset: text.len() as u64, expected: format!("{n} names"), got });
    }
    Ok(names)
}
