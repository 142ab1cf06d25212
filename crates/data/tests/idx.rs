//! Readers: what is written is read, and what is broken is told.

#[cfg(feature = "csv")]
#[path = "readers/csv.rs"]
mod csv;
#[cfg(feature = "images")]
#[path = "readers/images.rs"]
mod images;
#[path = "readers/npy.rs"]
mod npy;
#[path = "readers/sequences.rs"]
mod sequences;

mod common;

use flate2::{Compression, write::GzEncoder};
use gradwise_data::{DataError, Idx, IdxValues, Samples, digits, idx, read_folder, read_labelled};
use proptest::prelude::*;
use std::fs;
use std::io::Write;

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A header of bytes with the given axes, and some values.
fn file(kind: u8, axes: &[u32], values: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, kind, axes.len() as u8];
    axes.iter().for_each(|n| bytes.extend(n.to_be_bytes()));
    bytes.extend(values);
    bytes
}

fn message(bytes: &[u8]) -> String {
    Idx::from_bytes(bytes, "f").unwrap_err().to_string()
}

#[test]
fn digits_are_those_of_the_repository() {
    let digits = digits::<f32>();
    assert_eq!(digits.inputs().shape(), [1797, 1, 8, 8]);
    assert_eq!(digits.class_counts(), [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
    assert!(digits.inputs().iter().all(|&v| (0.0..=16.0).contains(&v) && v.fract() == 0.0));
    assert_eq!(digits.inputs().iter().copied().fold(0.0, f32::max), 16.0);
    // The first image's first rows, a zero, as printed everywhere.
    assert_eq!(digits.labels()[..5], [0, 1, 2, 3, 4]);
    let first: Vec<f32> = digits.inputs().iter().take(16).copied().collect();
    assert_eq!(first, [0., 0., 5., 13., 9., 1., 0., 0., 0., 0., 13., 15., 10., 15., 5., 0.]);
    assert_eq!(digits.class_name(7), "7");
}

#[test]
fn mnist_is_read() {
    let Some(folder) = common::test_data("mnist") else { return };
    let mnist = read_folder::<f32>(folder).unwrap();
    assert_eq!(mnist.train.inputs().shape(), [60000, 1, 28, 28]);
    assert_eq!(mnist.test.inputs().shape(), [10000, 1, 28, 28]);
    assert_eq!((mnist.train.n_classes(), mnist.test.n_classes()), (10, 10));
    assert_eq!(mnist.train.labels()[..5], [5, 0, 4, 1, 9]);
    assert_eq!(mnist.test.labels()[..5], [7, 2, 1, 0, 4]);
    let scaler = gradwise_data::StandardScaler::fit(gradwise_data::Per::All, mnist.train.inputs()).unwrap();
    assert!((scaler.means()[0] / 255.0 - 0.1307).abs() < 5e-5);
    assert!((scaler.scales()[0] / 255.0 - 0.3081).abs() < 5e-5);
}

#[test]
fn errors_name_the_byte() {
    let cases: &[(Vec<u8>, &str)] = &[
        (vec![], "f: at byte 0: expected 4 bytes of an idx header, got the end after 0 of them"),
        (vec![0, 0, 8], "f: at byte 3: expected 4 bytes of an idx header, got the end after 3 of them"),
        (vec![1, 2, 8, 1], "f: at byte 0: expected 00 00, as an idx file begins, got 01 02"),
        (vec![0, 0, 10, 1], "f: at byte 2: expected a type of 08, 09, 0b, 0c, 0d or 0e, got 0a"),
        (
            vec![0, 0, 8, 2, 0, 0, 0, 1, 0],
            "f: at byte 9: expected 4 bytes of the length of axis 1 of 2, got the end after 1 of them",
        ),
        (
            file(8, &[2, 3], &[1, 2, 3, 4]),
            "f: at byte 16: expected 6 bytes of values from byte 12 on, got the end after 4 of them",
        ),
        (
            file(0x0d, &[2], &[1, 2, 3, 4, 5, 6]),
            "f: at byte 14: expected 8 bytes of values from byte 8 on, got the end after 6 of them",
        ),
        (file(8, &[2], &[1, 2, 3, 4]), "f: at byte 10: expected the end of the file, got 2 more bytes"),
        (
            file(8, &[u32::MAX, u32::MAX, u32::MAX], &[]),
            "f: at byte 4: expected axes that this machine can count, got [4294967295, 4294967295, 4294967295]",
        ),
        (
            file(8, &[0, u32::MAX, u32::MAX, u32::MAX], &[]),
            "f: at byte 4: expected axes that this machine can count, got [0, 4294967295, 4294967295, 4294967295]",
        ),
        (
            file(8, &[1 << 20, 1 << 21], &[0; 10]),
            "f: at byte 22: expected 2199023255552 bytes of values from byte 12 on, got the end after 10 of them",
        ),
    ];
    for (bytes, expected) in cases {
        assert_eq!(message(bytes), *expected);
        // A stream of unknown length tells the same, but for how much follows.
        let streamed = Idx::from_reader(&bytes[..], "f").unwrap_err().to_string();
        assert_eq!(streamed, expected.replace("2 more bytes", "more bytes"));
    }
}

#[test]
fn packed_files_are_checked_too() {
    let good = file(8, &[2, 3], &[1, 2, 3, 4, 5, 6]);
    assert_eq!(Idx::from_bytes(&gz(&good), "f").unwrap().values(), &IdxValues::U8(vec![1, 2, 3, 4, 5, 6]));
    // Two members of one file are one content, as gzip says.
    let mut members = gz(&good[..7]);
    members.extend(gz(&good[7..]));
    assert_eq!(Idx::from_bytes(&members, "f").unwrap().shape(), [2, 3]);

    assert_eq!(
        message(&gz(&good[..16])),
        "f: at byte 16: expected 6 bytes of values from byte 12 on, got the end after 4 of them"
    );
    let mut longer = good.clone();
    longer.push(0);
    assert_eq!(message(&gz(&longer)), "f: at byte 18: expected the end of the file, got more bytes");
    let packed = gz(&good);
    for cut in 2..packed.len() {
        assert!(Idx::from_bytes(&packed[..cut], "f").is_err(), "cut at {cut} of {}", packed.len());
    }
    let mut checksum = packed.clone();
    let at = checksum.len() - 8;
    checksum[at] ^= 1;
    assert!(message(&checksum).starts_with("f: at byte 18: expected a gzip stream, got"));
    let terabytes = gz(&file(8, &[1 << 20, 1 << 21], &vec![0; 1 << 20]));
    let told = message(&terabytes);
    assert!(
        told.starts_with("f: at byte 4: expected at most") && told.ends_with("which takes 2199023255552"),
        "{told}"
    );
}

#[test]
fn labels_must_be_labels() {
    let images = Idx::new(vec![2, 1, 1], IdxValues::U8(vec![0, 1])).unwrap();
    let labels = |shape: &[u32], kind: u8, values: &[u8]| Idx::from_bytes(&file(kind, shape, values), "l").unwrap();
    let told = |labels: &Idx| idx::labelled::<f32>(&images, labels, 2).unwrap_err().to_string();
    assert_eq!(told(&labels(&[3], 8, &[0, 1, 0])), "l: expected 2 labels, one for each image of idx, got 3");
    assert_eq!(told(&labels(&[2], 9, &[0, 0xff])), "l: at byte 9: expected a label from 0, got -1");
    assert_eq!(told(&labels(&[2], 11, &[0, 1, 0, 9])), "l: at byte 10: expected a label below 2, got 9");
    assert_eq!(told(&labels(&[1, 2], 8, &[0, 1])), "l: at byte 3: expected labels with 1 axis, got 2 axes");
    assert_eq!(told(&labels(&[2], 13, &[0; 8])), "l: at byte 2: expected labels of a whole-number type, got type 0d");
    // Two billion classes, for one label that is none.
    let folder = tempfile::tempdir().unwrap();
    let (image_file, label_file) = (folder.path().join("i"), folder.path().join("l"));
    images.write_file(&image_file).unwrap();
    Idx::new(vec![2], IdxValues::I32(vec![1, 2_000_000_000])).unwrap().write_file(&label_file).unwrap();
    let error = read_labelled::<f32>(&image_file, &label_file).unwrap_err().to_string();
    assert!(error.ends_with("l: at byte 12: expected a label below 65536, got 2000000000"), "{error}");
    let set = idx::labelled::<f64>(&images, &labels(&[2], 12, &[0, 0, 0, 1, 0, 0, 0, 0]), 2).unwrap();
    assert_eq!((set.labels(), set.sample_shape()), (&[1, 0][..], &[1, 1, 1][..]));
    let none = Idx::new(vec![0, 1, 1], IdxValues::U8(vec![])).unwrap();
    let error = idx::labelled::<f32>(&none, &labels(&[0], 8, &[]), 2).unwrap_err();
    assert_eq!(error.to_string(), "idx: at byte 4: expected at least one sample, got 0");
}

#[test]
fn folders_are_found_under_all_names() {
    let images = Idx::new(vec![3, 2, 2], IdxValues::U8((0..12).collect())).unwrap();
    let labels = Idx::new(vec![3], IdxValues::U8(vec![2, 0, 1])).unwrap();
    for (separator, suffix) in [("-", ""), ("-", ".gz"), (".", ""), (".", ".gz")] {
        let folder = tempfile::tempdir().unwrap();
        for part in ["train", "t10k"] {
            images.write_file(folder.path().join(format!("{part}-images{separator}idx3-ubyte{suffix}"))).unwrap();
            labels.write_file(folder.path().join(format!("{part}-labels{separator}idx1-ubyte{suffix}"))).unwrap();
        }
        let sets = read_folder::<f32>(folder.path()).unwrap();
        assert_eq!(sets.train, sets.test);
        assert_eq!((sets.train.len(), sets.train.n_classes()), (3, 3));
        assert_eq!(sets.train.inputs()[[2, 0, 1, 1]], 11.0);
    }
}

#[test]
fn folders_that_lack_something_say_what() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("nowhere");
    let error = read_folder::<f32>(&missing).unwrap_err();
    assert!(matches!(&error, DataError::Io { path, .. } if *path == missing.display().to_string()), "{error}");

    let error = read_folder::<f32>(folder.path()).unwrap_err().to_string();
    assert!(error.contains("expected a file named train-images-idx3-ubyte or train-images.idx3-ubyte"), "{error}");

    let (images, labels) = (folder.path().join("i"), folder.path().join("l"));
    Idx::new(vec![2, 1, 1], IdxValues::U8(vec![0, 1])).unwrap().write_file(&images).unwrap();
    Idx::new(vec![3], IdxValues::U8(vec![0, 1, 0])).unwrap().write_file(&labels).unwrap();
    let error = read_labelled::<f32>(&images, &labels).unwrap_err().to_string();
    assert!(error.contains("expected 2 labels, one for each image of ") && error.ends_with("got 3"), "{error}");
    fs::write(&labels, [0, 0, 8, 1, 0, 0, 0, 9, 1]).unwrap();
    let error = read_labelled::<f32>(&images, &labels).unwrap_err().to_string();
    assert!(error.starts_with(&format!("{}: at byte 9: ", labels.display())), "{error}");
    assert!(matches!(Idx::from_file(folder.path()), Err(DataError::Io { .. })));
}

#[test]
fn parts_of_different_shapes_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (part, side) in [("train", 2), ("t10k", 1)] {
        let images = Idx::new(vec![1, side, side], IdxValues::U8(vec![0; side * side])).unwrap();
        images.write_file(folder.path().join(format!("{part}-images-idx3-ubyte"))).unwrap();
        let labels = Idx::new(vec![1], IdxValues::U8(vec![0])).unwrap();
        labels.write_file(folder.path().join(format!("{part}-labels-idx1-ubyte"))).unwrap();
    }
    let error = read_folder::<f32>(folder.path()).unwrap_err().to_string();
    assert!(error.contains("t10k-images-idx3-ubyte: at byte 8: expected images of shape [2, 2]"), "{error}");
}

#[test]
fn shapes_that_are_none_cannot_be_written() {
    assert!(Idx::new(vec![2, 2], IdxValues::U8(vec![0; 3])).is_err());
    assert!(Idx::new(vec![1; 256], IdxValues::U8(vec![0])).is_err());
    assert!(Idx::new(vec![0, 1 << 33], IdxValues::U8(vec![])).is_err());
    assert!(Idx::new(vec![], IdxValues::F32(vec![1.5])).is_ok());
}

fn values(n: usize) -> impl Strategy<Value = IdxValues> {
    use prop::collection::vec;
    prop_oneof![
        vec(any::<u8>(), n).prop_map(IdxValues::U8),
        vec(any::<i8>(), n).prop_map(IdxValues::I8),
        vec(any::<i16>(), n).prop_map(IdxValues::I16),
        vec(any::<i32>(), n).prop_map(IdxValues::I32),
        vec(prop::num::f32::NORMAL | prop::num::f32::ZERO | prop::num::f32::INFINITE, n).prop_map(IdxValues::F32),
        vec(prop::num::f64::NORMAL | prop::num::f64::ZERO | prop::num::f64::INFINITE, n).prop_map(IdxValues::F64),
    ]
}

fn array() -> impl Strategy<Value = Idx> {
    prop::collection::vec(0_usize..5, 0..4).prop_flat_map(|shape| {
        values(shape.iter().product()).prop_map(move |values| Idx::new(shape.clone(), values).unwrap())
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read(array in array(), packed in any::<bool>()) {
        let bytes = if packed { gz(&array.to_bytes()) } else { array.to_bytes() };
        for read in [Idx::from_bytes(&bytes, "f").unwrap(), Idx::from_reader(&bytes[..], "f").unwrap()] {
            prop_assert_eq!(read.shape(), array.shape());
            prop_assert_eq!(read.values(), array.values());
        }
        let numbers = array.to_array::<f64>().unwrap();
        prop_assert_eq!(numbers.shape(), array.shape());
    }

    #[test]
    fn no_prefix_is_taken_for_the_whole(array in array()) {
        let bytes = array.to_bytes();
        for cut in 0..bytes.len() {
            prop_assert!(Idx::from_bytes(&bytes[..cut], "f").is_err());
        }
    }

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..64), kind in 0_u8..20, axes in 0_u8..5) {
        let _ = Idx::from_bytes(&bytes, "f");
        let mut likely = vec![0, 0, kind, axes];
        likely.extend(&bytes);
        for bytes in [likely.clone(), gz(&likely), [vec![0x1f, 0x8b], bytes].concat()] {
            if let Ok(array) = Idx::from_bytes(&bytes, "f") {
                let _ = (array.to_labels(), array.to_array::<f32>(), idx::labelled::<f32>(&array, &array, 3));
            }
            let _ = Idx::from_reader(&bytes[..], "f");
        }
    }

    #[test]
    fn mutated_bytes_never_panic(array in array(), packed in any::<bool>(), at in any::<prop::sample::Index>(), flip in 1_u8..) {
        let mut bytes = if packed { gz(&array.to_bytes()) } else { array.to_bytes() };
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        if let Ok(array) = Idx::from_bytes(&bytes, "f") {
            let _ = (array.to_labels(), array.to_array::<f64>());
        }
    }
}
