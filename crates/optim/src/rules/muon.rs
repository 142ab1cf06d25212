//! Muon.

use super::state::update_on_one_thread;
use crate::product::{product, transpose};
use crate::sweep::split;
use crate::{AdamState, AdamW, Hyper, Rule, State, Stored, check, settle::settle, sweep_each};
use gradwise_core::ndarray::{ArrayD, aview1};
use gradwise_core::{ArrayRefD, Error, Pool, Real, Result, flip, simd, sum_of_squares};

/// Coefficients of the polynomial `a x + b x³ + c x⁵`, which brings every number in (0, 1] close to 1 in few applications (Jordan 2024).
const POLYNOMIAL: [f64; 3] = [3.4445, -4.775, 2.0315];

/// Muon: momentum for matrices, of which the singular values are all brought to about 1.
///
/// With learning rate η, momentum μ and weight decay λ (decoupled), for a matrix of `p` rows and `q` columns:
///
/// ```text
/// m ← μ m + (1 − μ) g
/// X ← (1 − μ) g + μ m                 Nesterov's step; X ← m without
/// X ← X / max(‖X‖, ε)
/// X ← a X + (b X Xᵀ + c (X Xᵀ)²) X    five times: Newton-Schulz
/// w ← (1 − η λ) w − η √max(1, p/q) X
/// ```
///
/// For the hidden layers of transformers and convolutional nets, where it takes fewer steps than Adam. A parameter with more than two
/// axes is the matrix of its first axis by all others. **Parameters with at most one axis are trained by [`AdamW`]**, at the rate η
/// unless [`Muon::vectors`] says otherwise; input and output layers of a transformer should be, too ([`BoxRule`](crate::BoxRule) and two
/// optimizers). μ = 0.95 with Nesterov's step, ε = 10⁻⁷, λ = 0.1 unless an optimizer is told another, and the usual rate 0.02, or Adam's
/// with [`Muon::match_adamw`]. All is computed in the type of the parameter, where PyTorch takes 16-bit numbers. Each matrix has about
/// three times its size of working memory. Source: Jordan et al., *Muon: an optimizer for hidden layers in neural networks*, 2024.
///
/// ```
/// use gradwise_optim::{AdamW, Constant, Muon, Optimizer};
///
/// let optimizer = Optimizer::<f32, _>::new(Muon::default().vectors(AdamW::default(), 0.015)?, Constant::new(0.02)?);
/// let like_adamw = Muon::new(0.95)?.match_adamw();
/// # Ok::<(), gradwise_optim::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Muon {
    momentum: f64,
    nesterov: bool,
    steps: usize,
    epsilon: f64,
    match_adamw: bool,
    vectors: AdamW,
    vector_rate: f64,
}

impl Default for Muon {
    /// μ = 0.95, Nesterov's step, five iterations.
    fn default() -> Self {
        Muon {
            momentum: 0.95,
            nesterov: true,
            steps: 5,
            epsilon: 1e-7,
            match_adamw: false,
            vectors: AdamW::default(),
            vector_rate: 1.0,
        }
    }
}

impl Muon {
    /// With momentum μ.
    ///
    /// # Errors
    /// If it is not in `[0, 1)`.
    pub fn new(momentum: f64) -> Result<Self> {
        Ok(Muon { momentum: check::below_one("muon: momentum", momentum)?, ..Muon::default() })
    }

    /// Steps along the momentum itself.
    #[must_use]
    pub fn without_nesterov(self) -> Self {
        Muon { nesterov: false, ..self }
    }

    /// Iterates another number of times than 5: the fewer, the less equal the singular values.
    ///
    /// # Errors
    /// Unless it is between 1 and 99.
    pub fn iterations(self, steps: usize) -> Result<Self> {
        if !(1..100).contains(&steps) {
            return Err(Error::value("muon: iterations", "between 1 and 99", steps));
        }
        Ok(Muon { steps, ..self })
    }

    /// Multiplies the rate by `0.2 √max(p, q)` in the place of `√max(1, p/q)`: numbers move as far as by AdamW, whose rates and decay then
    /// serve (Liu et al., *Muon is scalable for LLM training*, 2025).
    #[must_use]
    pub fn match_adamw(self) -> Self {
        Muon { match_adamw: true, ..self }
    }

    /// Sets the rule for parameters with at most one axis, and the factor of the learning rate it gets.
    ///
    /// # Errors
    /// If the factor is negative or not finite.
    pub fn vectors(self, rule: AdamW, factor: f64) -> Result<Self> {
        Ok(Muon { vectors: rule, vector_rate: check::not_negative("muon: rate factor of vectors", factor)?, ..self })
    }

    fn ratio(&self, [rows, columns]: [usize; 2]) -> f64 {
        let (rows, columns) = (rows as f64, columns as f64);
        if self.match_adamw { 0.2 * rows.max(columns).sqrt() } else { (rows / columns).max(1.0).sqrt() }
    }
}

/// What [`Muon`] remembers of a parameter: the momentum of a matrix, or what [`AdamW`] remembers of anything else.
#[derive(Clone, Debug)]
pub struct MuonState<T>(Kind<T>);

#[derive(Clone, Debug)]
enum Kind<T> {
    Matrix(Box<Matrix<T>>),
    Vector(Box<AdamState<T>>),
}

#[derive(Clone, Debug)]
struct Matrix<T> {
    updates: u64,
    momentum: ArrayD<T>,
    size: [usize; 2],
    work: Work<T>,
}

/// Working memory, with nothing in it between updates; made in the first one.
#[derive(Clone, Debug, Default)]
struct Work<T> {
    step: Vec<T>,
    next: Vec<T>,
    turned: Vec<T>,
    gram: Vec<T>,
    polynomial: Vec<T>,
}

impl<T: Real> State<T> for MuonState<T> {
    fn visit(&mut self, f: &mut dyn FnMut(&str, Stored<'_, T>)) {
        match &mut self.0 {
            Kind::Matrix(matrix) => {
                f("updates", Stored::Counter(&mut matrix.updates));
                f("momentum", Stored::Array(&mut matrix.momentum));
            }
            Kind::Vector(state) => state.visit(f),
        }
    }
}

impl<T: Real> Rule<T> for Muon {
    type State = MuonState<T>;

    fn name(&self) -> &'static str {
        "muon"
    }

    fn init(&self, param: &ArrayRefD<T>) -> MuonState<T> {
        if param.ndim() < 2 {
            return MuonState(Kind::Vector(Box::new(Rule::init(&self.vectors, param))));
        }
        let rows = param.shape()[0];
        let size = [rows, param.len() / rows.max(1)];
        let momentum = ArrayD::zeros(param.raw_dim());
        MuonState(Kind::Matrix(Box::new(Matrix { updates: 0, momentum, size, work: Work::default() })))
    }

    update_on_one_thread!(MuonState<T>);

    fn update_on(
        &self,
        pool: &dyn Pool,
        hyper: &Hyper,
        state: &mut MuonState<T>,
        param: &mut ArrayRefD<T>,
        grad: &ArrayRefD<T>,
    ) -> Result<()> {
        let matrix = match &mut state.0 {
            Kind::Matrix(matrix) => matrix,
            Kind::Vector(state) => {
                let learning_rate = hyper.learning_rate * self.vector_rate;
                // A momentum schedule is the matrices'.
                let hyper = Hyper { learning_rate, momentum: None, ..*hyper };
                return self.vectors.update_on(pool, &hyper, state, param, grad);
            }
        };
        for shape in [grad.shape(), matrix.momentum.shape()] {
            if shape != param.shape() {
                return Err(Error::shape("muon", format!("the parameter's shape {:?}", param.shape()), shape));
            }
        }
        if param.is_empty() {
            matrix.updates += 1;
            return Ok(());
        }
        let Matrix { updates, momentum, size, work } = &mut **matrix;
        let mu = T::of(hyper.momentum.unwrap_or(self.momentum));
        let (new, scale) = (T::one() - mu, T::of(hyper.gradient_scale));
        let (of_gradient, of_mean) = if self.nesterov { (new, mu) } else { (T::zero(), T::one()) };
        work.step.resize(param.len(), T::zero());
        // A copy of a gradient in another layout.
        let grad = grad.as_standard_layout();
        if let (Some(momentum), Some(grad)) = (momentum.as_slice_mut(), grad.as_slice()) {
            split(pool, momentum, grad, [&mut work.step], |mean, grad, [step]| {
                simd::vectorize(
                    #[inline(always)]
                    || {
                        for ((m, &g), x) in mean.iter_mut().zip(grad).zip(step) {
                            let g = g * scale;
                            *m += new * (g - *m);
                            *x = of_gradient * g + flip!("muon/momentum", of_mean * *m);
                        }
                    },
                );
            });
        }
        work.orthogonalize(pool, *size, self.steps, T::of(self.epsilon));
        let rate = T::of(hyper.learning_rate * self.ratio(*size));
        let keep = T::of(1.0 - hyper.learning_rate * hyper.weight_decay);
        let step = aview1(&work.step).into_dyn();
        if let Ok(step) = step.into_shape_with_order(param.raw_dim()) {
            sweep_each(pool, "muon", param, &step, [], move |w, x, []| (keep * w - flip!("muon/step", rate * x), []))?;
        }
        settle(pool, "muon", *updates, momentum, &grad)?;
        *updates += 1;
        Ok(())
    }

    fn momentum(&self) -> Option<f64> {
        Some(self.momentum)
    }

    fn scales_gradients(&self) -> bool {
        true
    }

    fn default_weight_decay(&self) -> f64 {
        0.1
    }
}

impl<T: Real> Work<T> {
    /// Newton-Schulz iterations on the step, with the short side of it as rows: the Gram matrix is as small as can be.
    fn orthogonalize(&mut self, pool: &dyn Pool, [rows, columns]: [usize; 2], steps: usize, epsilon: T) {
        let Work { step, next, turned, gram, polynomial } = self;
        let upright = rows > columns;
        let (short, long) = (rows.min(columns), rows.max(columns));
        next.resize(short * long, T::zero());
        turned.resize(short * long, T::zero());
        gram.resize(short * short, T::zero());
        polynomial.resize(short * short, T::zero());
        let norm = T::of(sum_of_squares(&aview1(step).into_dyn(), pool).sqrt());
        let by = T::one() / if norm > epsilon { norm } else { epsilon };
        step.iter_mut().for_each(|x| *x *= by);
        if upright {
            transpose(pool, [rows, columns], step, next);
            std::mem::swap(step, next);
        }
        let [a, b, c] = POLYNOMIAL.map(T::of);
        let (zero, one) = (T::zero(), T::one());
        for _ in 0..steps {
            transpose(pool, [short, long], step, turned);
            product(pool, [long, short], (one, step), turned, (zero, &[][..]), gram);
            product(pool, [short, short], (c, gram), gram, (flip!("muon/polynomial", b), gram), polynomial);
            product(pool, [short, long], (one, polynomial), step, (a, step), next);
            std::mem::swap(step, next);
        }
        if upright {
            transpose(pool, [short, long], step, next);
            std::mem::swap(step, next);
        }
    }
}
