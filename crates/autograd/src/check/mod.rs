//! The numerical gradient check, for anyone's gradients.
//!
//! A derivative written by hand is compared with central differences of the function itself, at `f64`:
//!
//! ```text
//! ⟨∇L(x), d⟩  ≈  (L(x + h d) − L(x − h d)) / 2h        L(x) = ⟨v, f(x)⟩
//! ```
//!
//! for random directions `d` and a random cotangent `v`, and, while an input is small, for each entry by itself, so that a failure
//! names the entry. The directions catch every error, as a wrong gradient agrees with the right one only on a set of measure zero; the
//! entries say where it is. (The method is the classical one; see Baydin et al., *Automatic differentiation in machine learning: a
//! survey*, JMLR 2018, section 2.1, for its error terms.)
//!
//! Central differences are meaningless across a kink: choose inputs that stay [`Check::step`] away from it. They drown in rounding where
//! values are large and derivatives are not: [`Failure::Noise`] says so, and a larger step helps.
//!
//! | what is checked | function |
//! |---|---|
//! | an operation, and that it keeps the contract of [`Op`] | [`op`] |
//! | a composition of operations on a tape | [`function`] |
//! | a layer or a model, with its parameters | [`module`] |
//! | a loss, under every reduction | [`loss`] |
//! | a value and a gradient of your own, without a tape | [`gradient`] |
//!
//! ```
//! use gradwise_autograd::check;
//! use ndarray::array;
//!
//! let x = array![0.3, -1.2, 2.0].into_dyn();
//! let value = |x: &ndarray::ArrayD<f64>| x.mapv(|x| x * x).sum();
//! check::gradient(&x, value, |x| x * 2.0)?;
//!
//! let failure = check::gradient(&x, value, |x| x * 3.0).unwrap_err();
//! assert!(failure.to_string().contains("input 0"));
//! # Ok::<(), check::Failure>(())
//! ```

mod numeric;
mod op;
mod report;
mod tape;

pub use report::{Failure, Report};

use gradwise_core::{ArrayRefD, Loss, Op, Result};
use ndarray::ArrayD;

use crate::{Module, Tape, Var};

/// How a check is done. The defaults suit functions of moderate values and curvature.
#[derive(Clone, Debug)]
pub struct Check {
    step: f64,
    tolerance: f64,
    directions: usize,
    entries: usize,
    seed: u64,
    training: bool,
    with_respect_to: Option<Vec<usize>>,
}

impl Default for Check {
    fn default() -> Self {
        Check {
            // The error of a central difference is h² f‴/6 + ε |f|/h; at f64 their sum is least near the cube root of ε.
            step: 1e-5,
            tolerance: 1e-6,
            directions: 3,
            entries: 128,
            seed: 0,
            training: true,
            with_respect_to: None,
        }
    }
}

impl Check {
    /// A check with the default options.
    pub fn new() -> Self {
        Self::default()
    }

    /// The step `h` of the differences; 1e-5 unless said otherwise.
    #[must_use]
    pub fn step(mut self, step: f64) -> Self {
        self.step = step;
        self
    }

    /// The relative difference that passes; 1e-6 unless said otherwise.
    #[must_use]
    pub fn tolerance(mut self, tolerance: f64) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// How many random directions are tried for each input; 3 unless said otherwise, at least 1.
    #[must_use]
    pub fn directions(mut self, directions: usize) -> Self {
        self.directions = directions.max(1);
        self
    }

    /// Inputs of up to this many entries are also checked entry by entry; 128 unless said otherwise.
    #[must_use]
    pub fn entries(mut self, entries: usize) -> Self {
        self.entries = entries;
        self
    }

    /// Seed of directions and cotangents, and of the random key that the operation is given.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Whether the function runs in training mode (the default) or in evaluation.
    #[must_use]
    pub fn training(mut self, training: bool) -> Self {
        self.training = training;
        self
    }

    /// Checks only the gradients of these inputs: the others have none that means something.
    #[must_use]
    pub fn with_respect_to(mut self, inputs: &[usize]) -> Self {
        self.with_respect_to = Some(inputs.to_vec());
        self
    }

    fn checks(&self, input: usize) -> bool {
        self.with_respect_to.as_ref().is_none_or(|list| list.contains(&input))
    }

    /// Checks an operation: see [`op`].
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn op(&self, op: &dyn Op<f64>, inputs: &[ArrayD<f64>]) -> Result<Report, Failure> {
        op::check(self, op, inputs)
    }

    /// Checks a composition of operations: see [`function`].
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn function<F>(&self, inputs: &[ArrayD<f64>], f: F) -> Result<Report, Failure>
    where
        F: for<'p> Fn(&mut Tape<'p, f64>, &[Var]) -> Result<Var>,
    {
        tape::check_function(self, inputs, f)
    }

    /// Checks a layer: see [`module`].
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn module<M>(&self, module: &mut M, input: &ArrayD<f64>) -> Result<Report, Failure>
    where
        M: Module<f64> + ?Sized,
    {
        tape::check_module(self, module, input)
    }

    /// Checks a loss: see [`loss`].
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn loss<Y: ?Sized>(
        &self,
        loss: &dyn Loss<f64, Y>,
        predictions: &ArrayD<f64>,
        targets: &Y,
    ) -> Result<Report, Failure> {
        op::check_loss(self, loss, predictions, targets)
    }

    /// Checks a value and a gradient of your own: see [`gradient`].
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn gradient(
        &self,
        x: &ArrayD<f64>,
        value: impl Fn(&ArrayD<f64>) -> f64,
        gradient: impl Fn(&ArrayD<f64>) -> ArrayD<f64>,
    ) -> Result<Report, Failure> {
        let mut inputs = [x.clone()];
        let given = [Some(gradient(x))];
        numeric::compare(self, &mut inputs, &given, &[], &mut |inputs| {
            let value = value(&inputs[0]);
            Ok((value, value.abs()))
        })
    }
}

/// Checks the gradients of an operation, and that it keeps its contract.
///
/// Beyond the gradients, it is verified that forward writes every element of its output; that backward assigns on the first write and
/// adds afterwards, to whichever slots it is asked for; that neither reads scratch memory before writing it; that backward reads no more
/// than [`Op::needs`] admits; that inputs may come in any layout; and that three threads give the same bits as one, however small the
/// inputs: the pool asks for work to be split that no other would split (see [`Pool::min_work`](gradwise_core::Pool::min_work)).
///
/// # Errors
/// See [`Failure`].
pub fn op(op: &dyn Op<f64>, inputs: &[ArrayD<f64>]) -> Result<Report, Failure> {
    Check::new().op(op, inputs)
}

/// Checks the gradients of a composition of operations on a tape, with respect to each input.
///
/// # Errors
/// See [`Failure`].
pub fn function<F>(inputs: &[ArrayD<f64>], f: F) -> Result<Report, Failure>
where
    F: for<'p> Fn(&mut Tape<'p, f64>, &[Var]) -> Result<Var>,
{
    Check::new().function(inputs, f)
}

/// Checks the gradients of a layer or a model, with respect to its input and each trainable parameter.
///
/// The parameters are moved about during the check and are back at their values afterwards.
///
/// # Errors
/// See [`Failure`].
pub fn module<M>(module: &mut M, input: &ArrayD<f64>) -> Result<Report, Failure>
where
    M: Module<f64> + ?Sized,
{
    Check::new().module(module, input)
}

/// Checks the gradient of a loss with respect to the predictions, under every reduction.
///
/// # Errors
/// See [`Failure`].
pub fn loss<Y: ?Sized>(loss: &dyn Loss<f64, Y>, predictions: &ArrayD<f64>, targets: &Y) -> Result<Report, Failure> {
    Check::new().loss(loss, predictions, targets)
}

/// Checks a gradient against the value it is said to be the gradient of; no tape, no operation.
///
/// # Errors
/// See [`Failure`].
pub fn gradient(
    x: &ArrayD<f64>,
    value: impl Fn(&ArrayD<f64>) -> f64,
    gradient: impl Fn(&ArrayD<f64>) -> ArrayD<f64>,
) -> Result<Report, Failure> {
    Check::new().gradient(x, value, gradient)
}

/// The entries of an array, whatever its layout, for comparing bits.
fn same_bits(a: &ArrayRefD<f64>, b: &ArrayRefD<f64>) -> bool {
    a.shape() == b.shape()
        && a.iter().zip(b.iter()).all(|(a, b)| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()))
}
