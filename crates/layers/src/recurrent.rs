//! Recurrent layers over sequences.

use crate::Dropout;
use crate::build::{at_least_one, configuration};
use gradwise_autograd::{Module, Tape, Var};
use gradwise_core::{Error, Key, Op, Param, Params, Path, Real, Result};
use gradwise_derive::Params;
use gradwise_init::{Init, InitExt, LecunUniform, Zeros};
use gradwise_tensor::Flip;
use gradwise_tensor::recurrent::{self, GruCell, LstmCell, SimpleCell};
use std::marker::PhantomData;

/// Long short-term memory: `[samples, steps, inputs]` to the hidden states after every step, `[samples, steps, units]`. For sequences in which what
/// matters may lie far back; formulas with [`LstmCell`].
///
/// - Parameters are `input_weight` `[4 · units, inputs]`, `hidden_weight` `[4 · units, units]` and the biases `input_bias` and `hidden_bias`
///   `[4 · units]`, gates in the order input, forget, cell, output: PyTorch's `weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0`, `bias_hh_l0`.
/// - Weights begin uniform with variance 1 / inputs and 1 / units, biases at zero but for the forget gate's, which begins at 1, so that memory lasts
///   (Jozefowicz, Zaremba and Sutskever, *An empirical exploration of recurrent network architectures*, ICML 2015; Keras does so, PyTorch does not).
///
/// ```
/// use gradwise_layers::{Chain, Key, LastStep, Linear, Lstm, ParamsExt};
///
/// let model: Chain<f32> = Chain::seeded(Key::new(1))
///     .then(Lstm::config(3, 16))
///     .then(LastStep)
///     .then(Linear::config(16, 2))
///     .build()?;
/// assert_eq!(model.n_trainable(), 4 * 16 * (3 + 16 + 2) + 16 * 2 + 2);
/// # Ok::<(), gradwise_layers::Error>(())
/// ```
pub type Lstm<T> = Recurrent<T, LstmCell>;

/// Gated recurrent units: as [`Lstm`] with three gates, reset, update and new, and no memory but the hidden state. A quarter cheaper than that, and
/// often as good; formulas with [`GruCell`].
pub type Gru<T> = Recurrent<T, GruCell>;

/// Elman's simple recurrent layer, `h' = tanh(W x + b + U h + c)`: for short sequences, and to see gradients vanish.
pub type SimpleRnn<T> = Recurrent<T, SimpleCell>;

/// The layer of a recurrent cell `C`: [`Lstm`], [`Gru`] or [`SimpleRnn`].
#[derive(Clone, Debug, PartialEq, Params)]
pub struct Recurrent<T, C> {
    input_weight: Param<T>,
    hidden_weight: Param<T>,
    input_bias: Option<Param<T>>,
    hidden_bias: Option<Param<T>>,
    #[params(skip)]
    cell: PhantomData<C>,
}

/// A cell that a [`Recurrent`] layer can run.
pub trait RecurrentCell<T: Real>: Copy + Send + Sync + 'static {
    /// The operation of a layer of such cells.
    type Op: Op<T> + Default + Copy + 'static;
    /// Rows of the weights for each unit.
    const GATES: usize;
    /// The gate whose bias begins at 1, if there is one.
    const FORGET: Option<usize>;
    /// What refusals call inputs and units.
    const NAMES: [&'static str; 2];
}

impl<T: Real> RecurrentCell<T> for LstmCell {
    type Op = recurrent::Lstm;
    const GATES: usize = 4;
    const FORGET: Option<usize> = Some(1);
    const NAMES: [&'static str; 2] = ["lstm: inputs", "lstm: units"];
}

impl<T: Real> RecurrentCell<T> for GruCell {
    type Op = recurrent::Gru;
    const GATES: usize = 3;
    const FORGET: Option<usize> = None;
    const NAMES: [&'static str; 2] = ["gru: inputs", "gru: units"];
}

impl<T: Real> RecurrentCell<T> for SimpleCell {
    type Op = recurrent::SimpleRnn;
    const GATES: usize = 1;
    const FORGET: Option<usize> = None;
    const NAMES: [&'static str; 2] = ["simple_rnn: inputs", "simple_rnn: units"];
}

impl<T: Real, C: RecurrentCell<T>> Recurrent<T, C> {
    /// A layer of so many hidden units, with biases.
    ///
    /// # Errors
    /// If there are no inputs or no units.
    pub fn new(inputs: usize, units: usize, key: Key) -> Result<Self> {
        Self::config(inputs, units).build(key)
    }

    /// A layer whose options are still to be said.
    pub fn config(inputs: usize, units: usize) -> RecurrentConfig<T, C> {
        RecurrentConfig { inputs, units, bias: true, init: None, hidden_init: None, cell: PhantomData }
    }

    /// The weight of the inputs.
    pub fn input_weight(&self) -> &Param<T> {
        &self.input_weight
    }

    /// The weight of the hidden state.
    pub fn hidden_weight(&self) -> &Param<T> {
        &self.hidden_weight
    }
}

impl<T: Real, C: RecurrentCell<T>> Module<T> for Recurrent<T, C> {
    fn forward<'p>(&'p self, tape: &mut Tape<'p, T>, x: Var) -> Result<Var> {
        let op = C::Op::default();
        tape.layer(&self.input_weight, op.name(), |tape| {
            let [weight, hidden] = [tape.param(&self.input_weight), tape.param(&self.hidden_weight)];
            match (&self.input_bias, &self.hidden_bias) {
                (Some(input), Some(hidden_bias)) => {
                    let [input, hidden_bias] = [tape.param(input), tape.param(hidden_bias)];
                    tape.apply(op, &[x, weight, hidden, input, hidden_bias])
                }
                _ => tape.apply(op, &[x, weight, hidden]),
            }
        })
    }
}

/// A [`Recurrent`] layer in the making.
pub struct RecurrentConfig<T, C> {
    inputs: usize,
    units: usize,
    bias: bool,
    init: Option<Box<dyn Init<T>>>,
    hidden_init: Option<Box<dyn Init<T>>>,
    cell: PhantomData<C>,
}

impl<T: Real, C: RecurrentCell<T>> RecurrentConfig<T, C> {
    /// Without biases.
    #[must_use]
    pub fn without_bias(self) -> Self {
        RecurrentConfig { bias: false, ..self }
    }

    /// With this initializer for the weight of the inputs, a gate at a time.
    #[must_use]
    pub fn init(self, init: impl Init<T> + 'static) -> Self {
        RecurrentConfig { init: Some(Box::new(init)), ..self }
    }

    /// With this initializer for the weight of the hidden state, a gate at a time: orthogonal ones keep its length.
    #[must_use]
    pub fn hidden_init(self, init: impl Init<T> + 'static) -> Self {
        RecurrentConfig { hidden_init: Some(Box::new(init)), ..self }
    }

    /// So many of these layers on top of each other, each but the first over the outputs of the one below.
    #[must_use]
    pub fn stacked(self, layers: usize) -> RecurrentStackConfig<T, C> {
        RecurrentStackConfig { layer: self, layers, dropout: 0.0 }
    }

    /// Draws the first weights.
    ///
    /// # Errors
    /// If there are no inputs or no units.
    pub fn build(self, key: Key) -> Result<Recurrent<T, C>> {
        self.draw(key)
    }

    fn draw(&self, key: Key) -> Result<Recurrent<T, C>> {
        let inputs = at_least_one(C::NAMES[0], self.inputs)?;
        let units = at_least_one(C::NAMES[1], self.units)?;
        let weight = |init: &Option<Box<dyn Init<T>>>, columns: usize, key: Key| -> Result<Param<T>> {
            let gates = (0..C::GATES).map(|gate| {
                let (shape, key) = ([units, columns], key.with(gate as u64));
                init.as_ref().map_or_else(|| LecunUniform::new().array(&shape, key), |init| init.array(&shape, key))
            });
            let gates = gates.collect::<Result<Vec<_>>>()?;
            let views: Vec<_> = gates.iter().map(|gate| gate.view()).collect();
            let joined = ndarray::concatenate(ndarray::Axis(0), &views);
            Ok(Param::new(joined.map_err(|error| Error::Other(error.to_string()))?))
        };
        let input_weight = weight(&self.init, inputs, key.with_str("input_weight"))?;
        let hidden_weight = weight(&self.hidden_init, units, key.with_str("hidden_weight"))?;
        let bias = |forget: Option<usize>| -> Result<Option<Param<T>>> {
            if !self.bias {
                return Ok(None);
            }
            let mut bias = Zeros.param(&[C::GATES * units], key)?;
            if let (Some(gate), Some(bias)) = (forget, bias.value.as_slice_mut()) {
                bias[gate * units..][..units].fill(T::one());
            }
            Ok(Some(bias))
        };
        Ok(Recurrent {
            input_weight,
            hidden_weight,
            input_bias: bias(C::FORGET)?,
            hidden_bias: bias(None)?,
            cell: PhantomData,
        })
    }
}

configuration!(RecurrentConfig<T, C> => Recurrent<T, C>, for C: RecurrentCell<T>);

impl<T, C> std::fmt::Debug for RecurrentConfig<T, C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RecurrentConfig")
            .field("inputs", &self.inputs)
            .field("units", &self.units)
            .finish_non_exhaustive()
    }
}

/// Recurrent layers on top of each other, each over what the one below puts out, `[samples, steps, inputs]` to `[samples, steps, units]`;
/// between them dropout, if it is asked for.
///
/// Use it where one layer does not fit the training data; two or three are usual. Dropout stands behind each layer but the last, on the
/// outputs and not on the states that go from step to step, which would forget: Zaremba, Sutskever and Vinyals, *Recurrent neural network
/// regularization*, 2014. So does PyTorch with `num_layers` and `dropout`. The parameters are the layers', under their number.
///
/// ```
/// use gradwise_layers::{Chain, Key, LastStep, Linear, Lstm, ParamsExt};
///
/// let model: Chain<f32> = Chain::seeded(Key::new(1))
///     .named("memory", Lstm::config(3, 16).stacked(2).dropout(0.2))
///     .then(LastStep)
///     .then(Linear::config(16, 2))
///     .build()?;
/// assert_eq!(model.paths()[4], "memory.1.input_weight");
/// # Ok::<(), gradwise_layers::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct RecurrentStack<T, C> {
    layers: Vec<Recurrent<T, C>>,
    dropout: Dropout,
}

impl<T: Real, C> RecurrentStack<T, C> {
    /// The layers, from the input on.
    pub fn layers(&self) -> &[Recurrent<T, C>] {
        &self.layers
    }
}

// By hand, so that layers go by their number alone.
impl<T: Real, C> Params<T> for RecurrentStack<T, C> {
    fn each<'a>(&'a self, path: Path<'_>, f: &mut dyn FnMut(Path<'_>, &'a Param<T>)) {
        self.layers.each(path, f);
    }

    fn each_mut(&mut self, path: Path<'_>, f: &mut dyn FnMut(Path<'_>, &mut Param<T>)) {
        self.layers.each_mut(path, f);
    }
}

impl<T: Real, C: RecurrentCell<T>> Module<T> for RecurrentStack<T, C> {
    fn forward<'p>(&'p self, tape: &mut Tape<'p, T>, x: Var) -> Result<Var> {
        tape.block(self, |tape| {
            let mut y = x;
            for (i, layer) in self.layers.iter().enumerate() {
                if i > 0 {
                    y = tape.scope("dropout", |tape| self.dropout.forward(tape, y))?;
                }
                y = layer.forward(tape, y)?;
            }
            Ok(y)
        })
    }
}

/// A [`RecurrentStack`] in the making.
pub struct RecurrentStackConfig<T, C> {
    layer: RecurrentConfig<T, C>,
    layers: usize,
    dropout: f64,
}

impl<T: Real, C: RecurrentCell<T>> RecurrentStackConfig<T, C> {
    /// With dropout of this rate between the layers.
    #[must_use]
    pub fn dropout(self, rate: f64) -> Self {
        RecurrentStackConfig { dropout: rate, ..self }
    }

    /// Draws the first weights.
    ///
    /// # Errors
    /// If there are no inputs, no units or no layers, or the rate of dropout is not in `[0, 1)`.
    pub fn build(self, key: Key) -> Result<RecurrentStack<T, C>> {
        let RecurrentStackConfig { mut layer, layers, dropout } = self;
        at_least_one("recurrent stack: layers", layers)?;
        let dropout = Dropout::new(dropout)?;
        let mut stack = Vec::with_capacity(layers);
        for i in 0..layers {
            stack.push(layer.draw(key.with(i as u64))?);
            layer.inputs = layer.units;
        }
        Ok(RecurrentStack { layers: stack, dropout })
    }
}

configuration!(RecurrentStackConfig<T, C> => RecurrentStack<T, C>, for C: RecurrentCell<T>);

impl<T, C> std::fmt::Debug for RecurrentStackConfig<T, C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RecurrentStackConfig")
            .field("layer", &self.layer)
            .field("layers", &self.layers)
            .field("dropout", &self.dropout)
            .finish()
    }
}

/// Two layers over the same sequence, one from each end: `[samples, steps, …]` to the features of both side by side.
///
/// Source: Schuster and Paliwal, *Bidirectional recurrent neural networks*, IEEE Transactions on Signal Processing 45, 1997.
///
/// ```
/// use gradwise_layers::{Bidirectional, Gru, Key, predict};
///
/// let both = Bidirectional::new(Gru::<f32>::new(3, 4, Key::new(1))?, Gru::new(3, 4, Key::new(2))?);
/// let y = predict(&both, &ndarray::Array::ones(vec![2, 5, 3]), &mut Default::default())?;
/// assert_eq!(y.shape(), &[2, 5, 8]);
/// # Ok::<(), gradwise_layers::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Params)]
pub struct Bidirectional<M> {
    forward: M,
    backward: M,
}

impl<M> Bidirectional<M> {
    /// A layer that begins at the first step, and one that begins at the last.
    pub const fn new(forward: M, backward: M) -> Self {
        Bidirectional { forward, backward }
    }
}

impl<T: Real, M: Module<T>> Module<T> for Bidirectional<M> {
    fn forward<'p>(&'p self, tape: &mut Tape<'p, T>, x: Var) -> Result<Var> {
        tape.block(self, |tape| {
            let ahead = tape.scope("forward", |tape| self.forward.forward(tape, x))?;
            let back = tape.scope("backward", |tape| {
                let reversed = tape.apply(Flip::new(&[1]), &[x])?;
                let y = self.backward.forward(tape, reversed)?;
                tape.apply(Flip::new(&[1]), &[y])
            })?;
            let last = tape.shape(ahead)?.len() - 1;
            tape.apply(gradwise_tensor::Concat { axis: last }, &[ahead, back])
        })
    }
}

/// The last step of sequences `[samples, steps, …]`: `[samples, …]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Params)]
pub struct LastStep;

impl<T: Real> Module<T> for LastStep {
    fn forward<'p>(&'p self, tape: &mut Tape<'p, T>, x: Var) -> Result<Var> {
        let shape = tape.shape(x)?;
        let (&[samples, steps, ref rest @ ..], true) = (&*shape, shape.get(1) > Some(&0)) else {
            let expected = "[samples, steps, …] of at least one step";
            return Err(Error::shape("last_step", expected, &shape).at(tape.path()));
        };
        let last = tape.slice(x, 1, steps - 1..steps)?;
        tape.reshape(last, &[&[samples], rest].concat())
    }
}
