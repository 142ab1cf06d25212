//! A rule of your own: one parameter, one gradient, one state. Schedules, groups, clipping and checkpoints come with the optimizer.

use gradwise::core::ArrayRefD;
use gradwise::optim::{Hyper, State, Stored, sweep};
use gradwise::prelude::*;
use ndarray::ArrayD;

/// Signum (Bernstein et al. 2018): `m ← β m + (1 − β) g`, `w ← w − η sign(m)`. Every weight moves by the learning rate.
#[derive(Clone, Copy, Debug)]
struct Signum {
    beta: f64,
}

/// The running mean of the gradients.
struct Mean<T>(ArrayD<T>);

impl<T: Real> State<T> for Mean<T> {
    fn visit(&mut self, f: &mut dyn FnMut(&str, Stored<'_, T>)) {
        f("mean", Stored::Array(&mut self.0));
    }
}

impl<T: Real> Rule<T> for Signum {
    type State = Mean<T>;

    fn name(&self) -> &'static str {
        "signum"
    }

    fn init(&self, param: &ArrayRefD<T>) -> Mean<T> {
        Mean(ArrayD::zeros(param.raw_dim()))
    }

    fn update(&self, hyper: &Hyper, mean: &mut Mean<T>, w: &mut ArrayRefD<T>, g: &ArrayRefD<T>) -> Result<(), Error> {
        let (beta, rate) = (T::of(self.beta), T::of(hyper.learning_rate));
        // `sweep` goes over the arrays together, and refuses shapes that differ.
        sweep("signum", w, g, [&mut mean.0], |w, g, [m]| {
            for ((w, &g), m) in w.iter_mut().zip(g).zip(m) {
                *m = beta * *m + (T::one() - beta) * g;
                if *m != T::zero() {
                    *w -= rate * m.signum();
                }
            }
        })
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let digits = digits::<f32>();
    let mut parts = digits.train_test(&stratified_split(digits.labels(), 0.2, 0)?)?;
    let scaler = StandardScaler::fit(Per::All, parts.train.inputs())?;
    scaler.transform(parts.train.inputs_mut())?;
    scaler.transform(parts.test.inputs_mut())?;

    let mut model: Chain<f32> = models::mlp(&[64, 32, 10], Key::new(0))?;
    let batches = Batches::new(parts.train.len(), 64)?.shuffled(0);
    let epochs = 10;
    // The schedule is not the rule's business; neither is the group that trains the head more slowly.
    let optimizer = Optimizer::new(Signum { beta: 0.9 }, Cosine::new(2e-3, epochs * batches.per_epoch())?)
        .group(Group::matching("head.*")?.learning_rate_times(0.5)?);
    let mut trainer = Trainer::new(Supervised(CrossEntropyLoss::default()), optimizer, 0);
    let metrics: Metrics<f32, [usize]> = vec![Box::new(Accuracy::new())];
    let summary = Fit::new(epochs).validate(&parts.test, 256).metrics(metrics).run(
        &mut trainer,
        &mut model,
        &parts.train,
        batches,
        &mut [],
    )?;
    let accuracy = summary.validation.and_then(|v| v.get("accuracy")).expect("it was measured");
    println!("signum: test accuracy {:.2} % after {epochs} epochs", 100.0 * accuracy);
    assert!(accuracy > 0.9);
    Ok(())
}
