//! A convolutional network on 1,797 real handwritten digits, with everything around it: a split, a scaler, a schedule, weight decay,
//! metrics, a progress line.

use gradwise::prelude::*;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let epochs = if std::env::var_os("GRADWISE_QUICK").is_some() { 3 } else { 15 };

    // A fifth is held out, stratified. The scaler learns from the training part only.
    let digits = digits::<f32>();
    let mut parts = digits.train_test(&stratified_split(digits.labels(), 0.2, 0)?)?;
    let scaler = StandardScaler::fit(Per::All, parts.train.inputs())?;
    scaler.transform(parts.train.inputs_mut())?;
    scaler.transform(parts.test.inputs_mut())?;

    // Batch norm stands before the nonlinearity and is fused with it.
    let mut model: Chain<f32> = Chain::seeded(Key::new(0))
        .named("conv0", Conv2d::config(1, 32, 3).padding(1).without_bias())
        .named("norm0", BatchNorm2d::new(32)?.with_relu())
        .named("conv1", Conv2d::config(32, 32, 3).padding(1).without_bias())
        .named("norm1", BatchNorm2d::new(32)?.with_relu())
        .named("pool", MaxPool2d::new(2)?)
        .named("flatten", Flatten)
        .named("hidden", gradwise::layers::Linear::config(512, 64).activation(Activation::Relu))
        .named("dropout", Dropout::new(0.25)?)
        .named("head", gradwise::layers::Linear::config(64, 10))
        .build()?;
    println!("{} parameters", model.n_trainable());

    let batches = Batches::new(parts.train.len(), 32)?.shuffled(0);
    let schedule = OneCycle::new(3e-3, epochs * batches.per_epoch())?;
    let optimizer = Optimizer::new(AdamW::default(), schedule).weight_decay(0.01)?.group(no_decay_on_vectors());
    let mut trainer =
        Trainer::new(Supervised(CrossEntropyLoss::default()), optimizer, 0).threads(available_threads())?;
    let metrics: Metrics<f32, [usize]> = vec![Box::new(Accuracy::new())];
    let mut lines = Lines::new(std::io::stdout());
    let summary = Fit::new(epochs).validate(&parts.test, 256).metrics(metrics).run(
        &mut trainer,
        &mut model,
        &parts.train,
        batches,
        &mut [&mut lines],
    )?;

    let accuracy = summary.validation.as_ref().and_then(|v| v.get("accuracy")).expect("it was measured");
    println!("{:.0} samples per second, test accuracy {:.2} %", summary.samples_per_second(), 100.0 * accuracy);
    assert!(accuracy > 0.95);
    Ok(())
}
