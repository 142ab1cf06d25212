//! Products of features.

use super::table;
use crate::{DataError, Result};
use gradwise_core::{ArrayRefD, Real};
use ndarray::{Array2, ArrayD};

/// All products of features up to a degree: `(a, b)` becomes `(1, a, b, a², a b, b²)` for degree 2.
///
/// Use it for a linear model, or a small net, of few features that act together. The order is by degree, then by the features' order, as
/// scikit-learn's `PolynomialFeatures` has it. There are `(d + k choose k)` products of `d` features up to degree `k`, which grows fast:
/// the number is bounded by [`PolynomialFeatures::MOST_FEATURES`]. Scale features first: large powers of large numbers are larger.
///
/// ```
/// use gradwise_data::PolynomialFeatures;
/// use ndarray::array;
///
/// let features = PolynomialFeatures::new(2, 2)?;
/// let x = features.transform(&array![[2.0, 3.0]].into_dyn())?;
/// assert_eq!(x, array![[1.0, 2.0, 3.0, 4.0, 6.0, 9.0]].into_dyn());
/// let products = PolynomialFeatures::new(2, 2)?.interactions_only().without_bias();
/// assert_eq!(products.transform(&array![[2.0, 3.0]].into_dyn())?, array![[2.0, 3.0, 6.0]].into_dyn());
/// assert_eq!(products.name(2, &["height", "width"]), "height width");
/// # Ok::<(), gradwise_data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolynomialFeatures {
    n_inputs: usize,
    /// For each product the features in it, in order.
    products: Vec<Vec<usize>>,
}

impl PolynomialFeatures {
    /// The most products there may be.
    pub const MOST_FEATURES: usize = 1 << 20;

    /// All products of `n_inputs` features up to `degree`.
    ///
    /// # Errors
    /// If there are more than [`PolynomialFeatures::MOST_FEATURES`].
    pub fn new(n_inputs: usize, degree: usize) -> Result<Self> {
        // (n + k choose k), step by step: each division is exact.
        let count = (1..=degree as u128).try_fold(1_u128, |count, k| {
            let next = count.checked_mul(n_inputs as u128 + k)? / k;
            (next <= Self::MOST_FEATURES as u128).then_some(next)
        });
        if count.is_none() {
            let expected = format!("at most {} products", Self::MOST_FEATURES);
            let got = format!("more, of {n_inputs} features up to degree {degree}");
            return Err(DataError::value("polynomial features", expected, got));
        }
        let mut products = vec![vec![]];
        let mut last = 0..1;
        // Each product of one degree more is one of the degree before with a feature that does not come before its last.
        for _ in 0..degree {
            for i in last.clone() {
                let from = products[i].last().copied().unwrap_or(0);
                for feature in from..n_inputs {
                    let product = [&products[i][..], &[feature]].concat();
                    products.push(product);
                }
            }
            last = last.end..products.len();
        }
        Ok(PolynomialFeatures { n_inputs, products })
    }

    /// Without powers: products of different features alone.
    #[must_use]
    pub fn interactions_only(mut self) -> Self {
        self.products.retain(|product| product.windows(2).all(|pair| pair[0] != pair[1]));
        self
    }

    /// Without the constant 1, which a bias makes up for.
    #[must_use]
    pub fn without_bias(mut self) -> Self {
        self.products.retain(|product| !product.is_empty());
        self
    }

    /// How many products there are.
    pub fn n_features(&self) -> usize {
        self.products.len()
    }

    /// The name of a product, from the features' names: those that are in it, `1` for the constant. A feature without a name has its
    /// number.
    pub fn name(&self, product: usize, names: &[&str]) -> String {
        let name = |&feature: &usize| names.get(feature).map_or_else(|| feature.to_string(), |name| (*name).to_owned());
        match self.products.get(product) {
            Some(product) if !product.is_empty() => product.iter().map(name).collect::<Vec<_>>().join(" "),
            _ => "1".to_owned(),
        }
    }

    /// The products of samples `[N, features]`, as `[N, products]`.
    ///
    /// # Errors
    /// If there is another number of features.
    pub fn transform<T: Real>(&self, x: &ArrayRefD<T>) -> Result<ArrayD<T>> {
        let x = table("polynomial features", x, Some(self.n_inputs))?;
        let product = |(i, c): (usize, usize)| {
            self.products[c].iter().fold(T::one(), |product, &feature| product * x[[i, feature]])
        };
        Ok(Array2::from_shape_fn((x.nrows(), self.products.len()), product).into_dyn())
    }
}
