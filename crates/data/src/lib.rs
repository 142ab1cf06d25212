#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod balance;
mod batches;
mod cifar;
#[cfg(feature = "csv")]
mod csv;
mod digits;
mod draw;
mod error;
mod features;
mod gather;
pub mod idx;
#[cfg(feature = "images")]
mod image_folder;
mod learning_curve;
mod loader;
mod npy;
mod one_hot;
mod scaler;
mod sequences;
mod set;
mod shift;
mod shuffle;
mod split;
mod synthetic;
mod whitening;

pub use balance::{ClassWeighting, balanced_order, class_weights, sample_weights};
pub use batches::{BatchPosition, Batches};
pub use cifar::{cifar10_from_bytes, read_cifar10, read_cifar100};
#[cfg(feature = "csv")]
pub use csv::{Column, ColumnKind, CsvReader, Missing, Table, TableEncoder, Unknown, read_csv};
pub use digits::digits;
pub use error::{DataError, Result};
pub use features::{FourierFeatures, PolynomialFeatures, RadialBasis, positional_encoding, with_coordinates};
pub use gather::{gather_rows, gather_values};
pub use idx::{Idx, IdxValues, read_folder, read_labelled};
#[cfg(feature = "images")]
pub use image_folder::{BadFile, BadFiles, ImageFolder, Pixels};
pub use learning_curve::{LearningCurve, Prediction};
pub use loader::Loader;
pub use npy::{Npy, npy_bytes, read_npy, write_npy};
#[cfg(feature = "npz")]
pub use npy::{Npz, write_npz};
pub use one_hot::{one_hot, one_hot_into};
pub use scaler::{MinMaxScaler, Per, RobustScaler, SampleScaler, StandardScaler};
pub use sequences::{PadSide, Padded, SequenceBatch, Sequences, length_buckets, pad, pad_tokens};
pub use set::{Batch, Labelled, Paired, Samples, Subset, Targets, TrainTest};
pub use shift::{
    Correction, ShiftReport, ShiftTest, TwoSample, benjamini_hochberg, chi_square_test, classifier_test,
    classifier_test_with, holm, ks_test, mmd_test,
};
pub use shuffle::shuffle;
pub use split::{Fold, k_folds, split, stratified_k_folds, stratified_split};
pub use synthetic::{blobs, circles, moons, multilabel, spirals};
pub use whitening::{Covariance, Whitener, Whitening};
