//! A model with a layer of its own, trained on the digits, by someone who depends on `gradwise` and nothing else.

use gradwise::ndarray::Array1;
use gradwise::prelude::*;

/// Each feature by a factor that is learned.
#[derive(Params)]
struct Scaled<T> {
    factor: Param<T>,
}

impl<T: Real> Scaled<T> {
    fn new(features: usize) -> Self {
        Scaled { factor: Param::new(Array1::from_elem(features, T::one())) }
    }
}

impl<T: Real> Module<T> for Scaled<T> {
    fn forward<'p>(&'p self, tape: &mut Tape<'p, T>, x: Var) -> Result<Var, Error> {
        let factor = tape.param(&self.factor);
        tape.mul(x, factor)
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let input = gradwise::ndarray::array![[0.5, -1.0, 2.0], [1.5, 0.0, -0.5]].into_dyn();
    check::module(&mut Scaled::new(3), &input)?;

    let digits = digits::<f32>();
    let mut parts = digits.train_test(&stratified_split(digits.labels(), 0.2, 0)?)?;
    let scaler = StandardScaler::fit(Per::All, parts.train.inputs())?;
    scaler.transform(parts.train.inputs_mut())?;
    scaler.transform(parts.test.inputs_mut())?;

    let mut model: Chain<f32> = Chain::seeded(Key::new(0))
        .then(Flatten)
        .then(Linear::config(64, 64).activation(Activation::Relu))
        .named("scaled", Scaled::new(64))
        .then(Linear::config(64, 10))
        .build()?;
    let optimizer = Optimizer::new(Adam::default(), Constant::new(3e-3)?);
    let mut trainer = Trainer::new(Supervised(CrossEntropyLoss::default()), optimizer, 0);
    let batches = Batches::new(parts.train.len(), 64)?.shuffled(0);
    let accuracy: Metrics<f32, [usize]> = vec![Box::new(Accuracy::new())];
    let summary = Fit::new(5).validate(&parts.test, 256).metrics(accuracy).run(
        &mut trainer,
        &mut model,
        &parts.train,
        batches,
        &mut [],
    )?;

    let accuracy = summary.validation.and_then(|measures| measures.get("accuracy")).ok_or("it was measured")?;
    println!("{:.1} % of the held-out digits recognized", 100.0 * accuracy);
    assert!(model.paths().contains(&"scaled.factor".to_owned()));
    assert!(accuracy > 0.9, "the digits were not learned");
    Ok(())
}
