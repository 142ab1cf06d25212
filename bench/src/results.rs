//! Two nets trained on real images from beginning to end, as a user would: what comes out is compared with what PyTorch makes of the same.
//!
//! | net | data | recipe |
//! |---|---|---|
//! | ResNet-20 | CIFAR-10 as folders of pictures, one a class | crops of 32 x 32 with a margin of 4, flips of every second one |
//! | the compact convolutional net | MNIST | images as they are, dropout of a quarter before the head |
//!
//! Both: values shifted and scaled by the training set's channels, batches of 128 without the incomplete last one, cross-entropy, gradient
//! descent with Nesterov's momentum 0.9 and weight decay 5e-4 on everything, and one cycle of the learning rate up to 0.1.
//! `bench/results.py` says the same in PyTorch.

use gradwise_augment::{Batches as Augmenter, Fill, Flip, Key as Draws, Layout, RandomCrop, Sequence, Serial};
use gradwise_core::{Key, Observer};
use gradwise_data::{
    Batch, BatchPosition, Batches, DataError, ImageFolder, Labelled, Per, Samples, StandardScaler, TrainTest,
    read_folder,
};
use gradwise_layers::models::{ConvNetConfig, ResNetConfig};
use gradwise_layers::{Chain, CrossEntropyLoss};
use gradwise_metrics::Accuracy;
use gradwise_optim::{OneCycle, Optimizer, Sgd};
use gradwise_train::{Evaluation, Fit, Metrics, Summary, Supervised, Trainer, evaluate, load_weights, save_weights};
use ndarray::ArrayD;
use std::path::Path;

/// What can go wrong on the way: in any of the crates, and here.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

const BATCH: usize = 128;
const LEARNING_RATE: f64 = 0.1;
const MOMENTUM: f64 = 0.9;
const WEIGHT_DECAY: f64 = 5e-4;
/// Samples in a batch of measuring.
const TEST_BATCH: usize = 250;

/// A net with its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Net {
    /// ResNet-20 on folders `train` and `test` of pictures, a folder a class.
    Resnet20,
    /// The compact convolutional net on MNIST's four files.
    Mnist,
}

/// How a net is trained.
#[derive(Clone, Copy, Debug)]
pub struct Training {
    /// Which.
    pub net: Net,
    /// The seed of first weights, order, augmentation and dropout.
    pub seed: u64,
    /// How often each image is seen.
    pub epochs: u64,
    /// Threads of a step. With more than one, augmentation has another.
    pub threads: usize,
}

impl Net {
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Net::Resnet20 => "resnet20",
            Net::Mnist => "mnist",
        }
    }

    /// The net, with its first weights.
    ///
    /// # Errors
    /// What its layers refuse; none does.
    pub fn model(self, seed: u64) -> gradwise_core::Result<Chain<f32>> {
        match self {
            Net::Resnet20 => ResNetConfig::resnet20(10).build(Key::new(seed)),
            Net::Mnist => ConvNetConfig::new([1, 28, 28], 10).build(Key::new(seed)),
        }
    }

    /// Its images, shifted and scaled so that each channel of those to train on has mean 0 and standard deviation 1. With `images`, only
    /// so many of those, evenly spread.
    ///
    /// # Errors
    /// If the folder does not hold them.
    pub fn data(
        self,
        folder: &Path,
        images: Option<usize>,
        threads: usize,
    ) -> Result<TrainTest<Labelled<f32>>, Failure> {
        let mut parts = match self {
            Net::Mnist => read_folder::<f32>(folder)?,
            Net::Resnet20 => {
                let train = ImageFolder::open(folder.join("train"))?;
                let test = ImageFolder::open(folder.join("test"))?.with_classes(train.classes())?;
                TrainTest { train: train.read(threads)?.0, test: test.read(threads)?.0 }
            }
        };
        let scaler = StandardScaler::fit(Per::Channel, parts.train.inputs())?;
        scaler.transform(parts.train.inputs_mut())?;
        scaler.transform(parts.test.inputs_mut())?;
        if let Some(images) = images {
            let (n, all) = (images.clamp(1, parts.train.len()), parts.train.len());
            let indices: Vec<usize> = (0..n).map(|i| i * all / n).collect();
            parts.train = parts.train.subset(&indices)?;
        }
        Ok(parts)
    }

    /// What becomes of an image before it is trained on.
    fn augmentation(self) -> gradwise_augment::Result<Option<Sequence>> {
        // The margin is 0, the mean colour: images were scaled before.
        Ok(match self {
            Net::Resnet20 => {
                let crop = RandomCrop::new(32, 32)?.margin(4, Fill::BLACK);
                Some(Sequence::new().then(crop).then(Flip::horizontal(0.5)?))
            }
            Net::Mnist => None,
        })
    }
}

/// A change of batches that draws anew for each image in each epoch.
fn augmented(
    pipeline: Sequence,
    seed: u64,
) -> impl FnMut(&mut Batch<f32, Vec<usize>>, BatchPosition) -> Result<(), DataError> + Send {
    let (mut augmenter, mut images, mut keys) = (Augmenter::default(), ArrayD::default(vec![0]), Vec::new());
    move |batch, position| {
        let epoch = Draws::new(seed).epoch(position.epoch);
        keys.clear();
        keys.extend(batch.indices.iter().map(|&index| epoch.sample(index as u64)));
        images.clone_from(&batch.inputs);
        let done = augmenter.run_arrays(&pipeline, &images, &keys, &mut batch.inputs, Layout::Planar, &Serial);
        done.map_err(|error| DataError::Other(error.to_string()))
    }
}

/// Trains a net, measuring it after each epoch, and returns it with what was measured last.
///
/// # Errors
/// If there are fewer images than a batch has, or training fails.
pub fn train(
    training: Training,
    parts: &TrainTest<Labelled<f32>>,
    observer: &mut dyn Observer<f32>,
) -> Result<(Chain<f32>, Summary), Failure> {
    let Training { net, seed, epochs, threads } = training;
    let mut model = net.model(seed)?;
    let batches = Batches::new(parts.train.len(), BATCH)?.shuffled(seed).drop_last()?;
    let schedule = OneCycle::new(LEARNING_RATE, epochs * batches.per_epoch())?;
    let optimizer = Optimizer::new(Sgd::with_momentum(MOMENTUM)?.nesterov()?, schedule).weight_decay(WEIGHT_DECAY)?;
    let mut trainer = Trainer::new(Supervised(CrossEntropyLoss::default()), optimizer, seed).threads(threads)?;
    let mut fit = Fit::new(epochs).validate(&parts.test, TEST_BATCH).metrics(accuracy());
    if let Some(pipeline) = net.augmentation()? {
        fit = fit.transform(augmented(pipeline, seed));
    }
    let summary = fit.run(&mut trainer, &mut model, &parts.train, batches, &mut [observer])?;
    Ok((model, summary))
}

/// Saves a net, and measures what is loaded from there.
///
/// # Errors
/// If the file cannot be written or read.
pub fn measured_again(net: Net, model: &Chain<f32>, path: &Path, test: &Labelled<f32>) -> Result<Evaluation, Failure> {
    save_weights(model, path, &[("net", net.name().to_owned())])?;
    // Other first weights, so that a parameter that is not in the file would show.
    let mut loaded = net.model(u64::MAX)?;
    load_weights(&mut loaded, path)?;
    let objective = Supervised(CrossEntropyLoss::default());
    Ok(evaluate(&loaded, test, TEST_BATCH, &objective, &mut accuracy(), &mut Default::default())?)
}

fn accuracy() -> Metrics<f32, [usize]> {
    vec![Box::new(Accuracy::new())]
}
