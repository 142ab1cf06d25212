//! Predictions with their spread.

use gradwise_autograd::{Mode, Module, Tape, Workspace};
use gradwise_core::{ArrayRefD, Error, Real, Result};
use ndarray::{ArrayD, Zip};

/// Predictions of many networks that dropout makes of one.
#[derive(Clone, Debug, PartialEq)]
pub struct MonteCarlo<T> {
    /// The mean of their outputs.
    pub mean: ArrayD<T>,
    /// The standard deviation of their outputs, divided by one less than their number: how little they agree.
    pub deviation: ArrayD<T>,
}

/// Monte Carlo dropout: the mean and the spread of `draws` outputs, in each of which dropout drops other parts, while batch norm goes by its running
/// statistics as in evaluation. Where the deviation is large the model does not know.
///
/// The draws depend on the seed and on nothing else.
///
/// Source: Gal and Ghahramani, *Dropout as a Bayesian approximation*, ICML 2016.
///
/// ```
/// use gradwise_layers::{Chain, Dropout, Key, Linear, monte_carlo};
/// use ndarray::Array;
///
/// let model: Chain<f32> = Chain::seeded(Key::new(1)).then(Dropout::new(0.5)?).then(Linear::config(8, 2)).build()?;
/// let outputs = monte_carlo(&model, &Array::ones(vec![3, 8]), 50, 7, &mut Default::default())?;
/// assert!(outputs.deviation.iter().all(|deviation| *deviation > 0.0));
/// # Ok::<(), gradwise_layers::Error>(())
/// ```
///
/// # Errors
/// If there are fewer than two draws, or the input does not fit the model.
pub fn monte_carlo<T: Real, M: Module<T> + ?Sized>(
    model: &M,
    x: &ArrayRefD<T>,
    draws: usize,
    seed: u64,
    workspace: &mut Workspace<T>,
) -> Result<MonteCarlo<T>> {
    if draws < 2 {
        return Err(Error::value("monte_carlo: draws", "at least 2", draws));
    }
    // Mean and sum of squared distances from it, both kept up (Welford, Technometrics 4, 1962).
    let (mut mean, mut squares) = (ArrayD::<f64>::zeros(vec![0]), ArrayD::zeros(vec![0]));
    for draw in 0..draws {
        let mut tape = Tape::new(workspace, Mode::sample(seed, draw as u64));
        tape.watch(model);
        let x = tape.input(x);
        let y = model.forward(&mut tape, x)?;
        let y = tape.try_value(y)?;
        if draw == 0 {
            (mean, squares) = (ArrayD::zeros(y.raw_dim()), ArrayD::zeros(y.raw_dim()));
        }
        Zip::from(&mut mean).and(&mut squares).and(&y).for_each(|mean, squares, y| {
            let away = y.as_f64() - *mean;
            *mean += away / (draw + 1) as f64;
            *squares += away * (y.as_f64() - *mean);
        });
    }
    let deviation = squares.mapv(|squares: f64| T::of((squares / (draws - 1) as f64).sqrt()));
    Ok(MonteCarlo { mean: mean.mapv(T::of), deviation })
}
