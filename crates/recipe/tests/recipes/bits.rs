//! A recipe and the same run in Rust end with the same weights.

use gradwise_core::{Key, Param, ParamsExt};
use gradwise_data::{Batches, Per, StandardScaler, digits, stratified_split};
use gradwise_layers::{Activation, Chain, Conv2d, CrossEntropyLoss, Dropout, Flatten, Linear, MaxPool2d, Residual};
use gradwise_optim::{AdamW, Clip, OneCycle, Optimizer, no_decay_on_vectors};
use gradwise_recipe::{Recipe, Registry};
use gradwise_train::{Fit, Supervised, Trainer};

const RECIPE: &str = "
[data]
source = 'digits'
scale = [{ kind = 'standard', per = 'all' }]
[model]
layers = [
  { kind = 'conv2d', channels = 4, kernel = 3, padding = 1, activation = 'relu' },
  { kind = 'max-pool', kernel = 2 },
  'flatten',
  { kind = 'residual', layers = [{ kind = 'linear', units = 64, activation = 'tanh' }] },
  { kind = 'dropout', rate = 0.2 },
  { kind = 'linear', name = 'head' },
]
[optimizer]
rule = 'adamw'
rate = 0.01
schedule = 'one-cycle'
groups = [{ on = 'vectors', decay-times = 0 }]
clip = { global-norm = 1.0 }
[regularize]
label-smoothing = 0.1
[train]
epochs = 1
batch = 128
seed = 5
";

fn bits(values: impl Iterator<Item = f32>) -> Vec<u32> {
    values.map(f32::to_bits).collect()
}

#[test]
fn the_same_weights_to_the_bit() {
    let by_recipe = |threads: usize| {
        let mut recipe: Recipe = RECIPE.parse().unwrap();
        recipe.train.threads = Some(threads);
        let mut run = recipe.build(&Registry::new()).unwrap();
        let trained = run.train(&mut []).unwrap();
        let mut all = Vec::new();
        run.model().visit(|path, p: &Param<f32>| all.push((path.to_string(), bits(p.value.iter().copied()))));
        (all, trained.test.unwrap().loss)
    };

    let seed = 5;
    let digits = digits::<f32>();
    let mut parts = digits.train_test(&stratified_split(digits.labels(), 0.2, seed).unwrap()).unwrap();
    let scaler = StandardScaler::fit(Per::All, parts.train.inputs()).unwrap();
    scaler.transform(parts.train.inputs_mut()).unwrap();
    let key = Key::new(seed).with_str("first weights");
    let body = Chain::seeded(key.with(3).with_str("body"))
        .then(Linear::config(64, 64).activation(Activation::Tanh))
        .build()
        .unwrap();
    let mut model: Chain<f32> = Chain::seeded(key)
        .then(Conv2d::config(1, 4, 3).padding(1).activation(Activation::Relu))
        .then(MaxPool2d::new(2).unwrap())
        .then(Flatten)
        .then(Residual::new(body))
        .then(Dropout::new(0.2).unwrap())
        .named("head", Linear::config(64, 10))
        .build()
        .unwrap();
    let batches = Batches::new(parts.train.labels().len(), 128).unwrap().shuffled(seed);
    let optimizer = Optimizer::new(AdamW::default(), OneCycle::new(0.01, batches.per_epoch()).unwrap())
        .group(no_decay_on_vectors())
        .clip(Clip::global_norm(1.0).unwrap());
    let loss = CrossEntropyLoss::default().label_smoothing(0.1).unwrap();
    let mut trainer = Trainer::new(Supervised(loss), optimizer, seed);
    Fit::new(1).run(&mut trainer, &mut model, &parts.train, batches, &mut []).unwrap();
    let mut expected = Vec::new();
    model.visit(|path, p: &Param<f32>| expected.push((path.to_string(), bits(p.value.iter().copied()))));

    let (got, loss) = by_recipe(1);
    assert_eq!(got, expected);
    let (again, same_loss) = by_recipe(2);
    assert_eq!((again, same_loss), (got, loss), "on two threads");
}
