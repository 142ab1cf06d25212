//! What augmentation does for a net that sees few images: digits moved by two pixels, mirrored, and made noisy, against digits as they are.
//!
//! `cargo run --release -p examples --example 11-augmentation FOLDER` trains on the first thousand images of a folder of MNIST's files; without a
//! folder, on the digits that gradwise carries.

use gradwise::augment::{
    Augment, Batches as Augmenter, Flip, GaussianNoise, Key as Draws, Sequence, Serial, Shape, Translate,
};
use gradwise::prelude::*;

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let quick = std::env::var_os("GRADWISE_QUICK").is_some();
    let (seeds, epochs) = if quick { (1, 2) } else { (5, 30) };
    let parts = data(std::env::args().nth(1))?;
    println!(
        "{} training images, {} test images, {seeds} seeds, {epochs} epochs\n",
        parts.train.len(),
        parts.test.len()
    );

    let ways: [(&str, Sequence); 4] = [
        ("as they are", Sequence::new()),
        ("translate by up to 2 pixels", Sequence::new().then(Translate::pixels(2.0, 2.0)?)),
        ("flip horizontally, half of them", Sequence::new().then(Flip::horizontal(0.5)?)),
        ("normal noise of deviation 0.2", Sequence::new().then(GaussianNoise::new(0.0, 0.2)?)),
    ];
    println!("| training images | test accuracy, % | least | most | against as they are |\n|---|---|---|---|---|");
    let mut plain = 0.0;
    for (i, (name, pipeline)) in ways.iter().enumerate() {
        let mut accuracies = Vec::new();
        for seed in 0..seeds {
            accuracies.push(100.0 * accuracy(&parts, pipeline, seed, epochs)?);
        }
        let mean = accuracies.iter().sum::<f64>() / accuracies.len() as f64;
        plain = if i == 0 { mean } else { plain };
        let least = accuracies.iter().copied().fold(f64::INFINITY, f64::min);
        let most = accuracies.iter().copied().fold(0.0, f64::max);
        println!("| {name} | {mean:.2} | {least:.2} | {most:.2} | {:+.2} |", mean - plain);
    }
    Ok(())
}

/// Values become shares of white, which is what augmentation counts in.
fn data(folder: Option<String>) -> Result<TrainTest<Labelled<f32>>, Failure> {
    let (mut parts, white) = match folder {
        Some(folder) => {
            let TrainTest { train, test } = read_folder::<f32>(folder)?;
            let first: Vec<usize> = (0..train.len().min(1000)).collect();
            (TrainTest { train: train.subset(&first)?, test }, 255.0)
        }
        None => {
            println!("no folder was named: the digits that gradwise carries, of 8 x 8 pixels, take its place");
            let digits = digits::<f32>();
            (digits.train_test(&stratified_split(digits.labels(), 0.5, 0)?)?, 16.0)
        }
    };
    for part in [&mut parts.train, &mut parts.test] {
        part.inputs_mut().mapv_inplace(|x| x / white);
    }
    Ok(parts)
}

/// Trains a net on augmented images, and tests it on images as they are.
fn accuracy(parts: &TrainTest<Labelled<f32>>, pipeline: &Sequence, seed: u64, epochs: u64) -> Result<f64, Failure> {
    let &[channels, height, width] = parts.train.sample_shape() else { return Err("images have three axes".into()) };
    let blocks: &[usize] = if height < 16 { &[16, 32] } else { &[16, 32, 64] };
    let mut model: Chain<f32> = models::ConvNetConfig::new([channels, height, width], parts.train.n_classes())
        .channels(blocks)
        .build(Key::new(seed))?;

    let mut batches = Batches::new(parts.train.len(), 64)?.shuffled(seed);
    let schedule = OneCycle::new(3e-3, epochs * batches.per_epoch())?;
    let objective = Supervised(CrossEntropyLoss::default());
    let mut trainer = Trainer::new(objective.clone(), Optimizer::new(AdamW::default(), schedule), seed);

    let shape = Shape::planar(channels, height, width);
    let (mut augmenter, mut batch, mut images, mut keys) =
        (Augmenter::default(), Batch::default(), Vec::new(), Vec::new());
    for epoch in 0..epochs {
        let draws = Draws::new(seed).epoch(epoch);
        for _ in 0..batches.per_epoch() {
            let indices = batches.next_batch();
            // What is drawn for an image depends on the seed, the epoch and the image: not on the batch that it is in.
            keys.clear();
            keys.extend(indices.iter().map(|&index| draws.sample(index as u64)));
            parts.train.gather(indices, &mut batch)?;
            let values = batch.inputs.as_slice_mut().ok_or("batches are in standard layout")?;
            images.clear();
            images.extend_from_slice(values);
            augmenter.run(pipeline as &dyn Augment, shape, &images, &keys, shape, values, &Serial)?;
            trainer.step(&mut model, &batch)?;
        }
    }
    let mut metrics: Metrics<f32, [usize]> = vec![Box::new(Accuracy::new())];
    let found = evaluate(&model, &parts.test, 256, &objective, &mut metrics, trainer.workspace())?;
    Ok(found.get("accuracy").ok_or("it was measured")?)
}
