//! Reads the cases that `make.py` has written; included by the tests of several crates, each of which uses a part of it.
#![allow(dead_code)]

use gradwise_core::Real;
use gradwise_core::ndarray::{ArrayD, Dimension, IxDyn};
use safetensors::{Dtype, SafeTensors};
use std::collections::BTreeMap;
use std::path::Path;

/// One case: its options, and its arrays by their roles.
#[derive(Default)]
pub(crate) struct Case {
    pub(crate) name: String,
    options: BTreeMap<String, String>,
    arrays: BTreeMap<String, ArrayD<f64>>,
    indices: BTreeMap<String, (Vec<usize>, Vec<usize>)>,
}

/// Calls `test` with each case of a file, and fails unless there are as many as expected.
///
/// Without the folder of stored numbers, as in a published crate, it says so and does nothing.
pub(crate) fn for_each(file: &str, expected: usize, test: impl Fn(&Case)) {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../oracle"));
    if !folder.exists() {
        #[expect(clippy::print_stderr, reason = "a test that is skipped must say so")]
        {
            eprintln!("skipped: the numbers from PyTorch are not part of this package ({})", folder.display());
        }
        return;
    }
    let path = folder.join(file);
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}; run oracle/make.py", path.display()));
    let cases = parse(&bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let names: Vec<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(cases.len(), expected, "cases in {file}: {names:?}");
    cases.iter().for_each(test);
}

fn parse(bytes: &[u8]) -> Result<Vec<Case>, safetensors::SafeTensorError> {
    let mut cases = BTreeMap::<String, Case>::new();
    let (_, header) = SafeTensors::read_metadata(bytes)?;
    for (name, options) in header.metadata().iter().flatten().filter(|(name, _)| *name != "made by") {
        let options = options.split_whitespace().filter_map(|option| option.split_once('='));
        let options = options.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        cases.insert(name.clone(), Case { name: name.clone(), options, ..Case::default() });
    }
    for (name, tensor) in SafeTensors::deserialize(bytes)?.tensors() {
        let (case, role) = name.split_once('/').unwrap_or_else(|| panic!("{name}: expected case/role"));
        let case = cases.get_mut(case).unwrap_or_else(|| panic!("{name}: its case has no options"));
        let (shape, data) = (tensor.shape().to_vec(), tensor.data());
        let numbers: Vec<f64> = match tensor.dtype() {
            Dtype::F64 => words(data).map(f64::from_le_bytes).collect(),
            Dtype::F32 => words(data).map(|word| f64::from(f32::from_le_bytes(word))).collect(),
            Dtype::I64 => {
                let indices = words(data).map(|word| i64::from_le_bytes(word) as usize).collect();
                case.indices.insert(role.to_owned(), (shape, indices));
                continue;
            }
            other => panic!("{name}: expected numbers or indices, got {other:?}"),
        };
        let array = ArrayD::from_shape_vec(IxDyn(&shape), numbers).unwrap_or_else(|error| panic!("{name}: {error}"));
        case.arrays.insert(role.to_owned(), array);
    }
    Ok(cases.into_values().collect())
}

fn words<const N: usize>(data: &[u8]) -> impl Iterator<Item = [u8; N]> {
    data.as_chunks().0.iter().copied()
}

impl Case {
    /// What comes before the first dot of the name.
    pub(crate) fn kind(&self) -> &str {
        self.name.split('.').next().unwrap_or_default()
    }

    fn missing(&self, what: &str) -> ! {
        panic!("{}: the case has no {what}", self.name)
    }

    /// An option, if it was given.
    pub(crate) fn option(&self, key: &str) -> Option<&str> {
        self.options.get(key).map(String::as_str)
    }

    /// An option's list of numbers, if it was given.
    pub(crate) fn list<N: std::str::FromStr>(&self, key: &str) -> Option<Vec<N>> {
        let list = self.option(key)?.split(',').map(str::parse).collect::<Result<_, _>>();
        Some(list.unwrap_or_else(|_| panic!("{}: {key}: expected numbers", self.name)))
    }

    /// An option's number, if it was given.
    pub(crate) fn number(&self, key: &str) -> Option<f64> {
        self.list(key).map(|list| list[0])
    }

    /// An option's number, which must be there.
    pub(crate) fn required(&self, key: &str) -> f64 {
        self.number(key).unwrap_or_else(|| self.missing(key))
    }

    /// An option's whole numbers, as many as there are axes.
    pub(crate) fn sizes<const N: usize>(&self, key: &str, default: usize) -> [usize; N] {
        let list = self.list(key).unwrap_or_else(|| vec![default; N]);
        list.try_into().unwrap_or_else(|_| panic!("{}: {key}: expected {N} numbers", self.name))
    }

    /// Whether an option is given as true.
    pub(crate) fn flag(&self, key: &str) -> bool {
        self.option(key) == Some("true")
    }

    /// Whether there is an array of this role.
    pub(crate) fn has(&self, role: &str) -> bool {
        self.arrays.contains_key(role)
    }

    /// An array.
    pub(crate) fn array<T: Real>(&self, role: &str) -> ArrayD<T> {
        self.arrays.get(role).unwrap_or_else(|| self.missing(role)).mapv(T::of)
    }

    /// The arrays `role.0`, `role.1`, …, as many as there are.
    pub(crate) fn arrays<T: Real>(&self, role: &str) -> Vec<ArrayD<T>> {
        let roles = (0..).map(|i| format!("{role}.{i}"));
        roles.take_while(|role| self.has(role)).map(|role| self.array(&role)).collect()
    }

    /// The arrays whose role begins with a prefix and a dot, by the rest of the role.
    pub(crate) fn named<T: Real>(&self, prefix: &str) -> BTreeMap<&str, ArrayD<T>> {
        let named =
            self.arrays.iter().filter_map(|(role, array)| Some((role.strip_prefix(prefix)?.strip_prefix('.')?, array)));
        named.map(|(name, array)| (name, array.mapv(T::of))).collect()
    }

    /// Indices, with their shape first.
    pub(crate) fn indices(&self, role: &str) -> (&[usize], &[usize]) {
        let (shape, indices) = self.indices.get(role).unwrap_or_else(|| self.missing(role));
        (shape, indices)
    }

    /// Fails unless an array is that of a role: each number within `tolerance` of it, relative to the larger of 1 and itself.
    #[track_caller]
    pub(crate) fn check<T: Real>(&self, role: &str, got: &ArrayD<T>, tolerance: f64) {
        self.check_against(role, got, &self.array(role), tolerance);
    }

    /// The same for an array that was made of the stored ones.
    #[track_caller]
    pub(crate) fn check_against<T: Real>(&self, what: &str, got: &ArrayD<T>, expected: &ArrayD<f64>, tolerance: f64) {
        let name = &self.name;
        assert_eq!(got.shape(), expected.shape(), "{name}: shape of {what}, {}", T::NAME);
        for ((index, got), &expected) in got.indexed_iter().zip(expected) {
            let got: f64 = got.as_f64();
            let limit: f64 = tolerance * f64::max(expected.abs(), 1.0);
            // Written so that a NaN fails.
            let close = (got - expected).abs() <= limit;
            assert!(close, "{name}: {what}{:?}: expected {expected:e}, got {got:e} ({})", index.slice(), T::NAME);
        }
    }
}

/// Rounding that a few hundred operations may add up to.
pub(crate) fn tolerance<T: Real>() -> f64 {
    if T::NAME == "f64" { 1e-12 } else { 2e-5 }
}
