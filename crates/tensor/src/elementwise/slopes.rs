//! How steep activations are.

/// The range of an activation's derivative: the least and the largest number that `f'(x)` comes to, or comes near, for any `x`.
///
/// Back-propagation multiplies a gradient by one such number for each layer. Where the largest one is below 1, as for the sigmoid, the
/// gradient dies away in a deep net unless weights make up for it; where it is above 1, it may grow. Found by the name that operations
/// and readings have; `None` for functions that are not here, among them those whose slope is an option.
///
/// Source of the argument: Hochreiter, *Untersuchungen zu dynamischen neuronalen Netzen*, 1991; Glorot and Bengio, *Understanding the
/// difficulty of training deep feedforward neural networks*, AISTATS 2010.
///
/// ```
/// use gradwise_tensor::elementwise::slopes_of;
///
/// assert_eq!(slopes_of("sigmoid"), Some([0.0, 0.25]));
/// let most = |name: &str| slopes_of(name).map_or(f64::NAN, |[_, most]| most);
/// // What ten layers leave of a gradient, at most.
/// assert!(most("sigmoid").powi(10) < 1e-6 && most("relu").powi(10) == 1.0);
/// ```
#[must_use]
pub fn slopes_of(activation: &str) -> Option<[f64; 2]> {
    SLOPES.iter().find(|(name, _)| *name == activation).map(|(_, slopes)| *slopes)
}

/// Every activation without options, and ELU with α = 1, by the names of their operations, with the range of their derivative.
pub const SLOPES: [(&str, [f64; 2]); 15] = [
    ("sigmoid", [0.0, 0.25]),
    ("log_sigmoid", [0.0, 1.0]),
    ("tanh", [0.0, 1.0]),
    ("relu", [0.0, 1.0]),
    ("elu", [0.0, 1.0]),
    ("selu", [0.0, 1.758_099_340_847_376_7]), // λα, from the left at 0
    ("gelu", [-0.128_904_145_185_154_8, 1.128_904_145_185_154_8]), // at ∓√2
    ("gelu_tanh", [-0.128_993_068_658_771_7, 1.128_993_068_658_771_7]),
    ("silu", [-0.099_839_320_128_866_9, 1.099_839_320_128_867]),
    ("mish", [-0.112_526_122_389_462_5, 1.088_498_161_251_728]),
    ("softplus", [0.0, 1.0]),
    ("softsign", [0.0, 1.0]),
    ("hard_sigmoid", [0.0, 1.0 / 6.0]),
    ("hard_swish", [-0.5, 1.5]),
    ("clamp", [0.0, 1.0]),
];
