//! Folded for evaluation, a model computes the same, with fewer layers.

use gradwise_layers::models::ConvNetConfig;
use gradwise_layers::*;
use ndarray::ArrayD;

fn array(shape: &[usize], key: u64) -> ArrayD<f64> {
    Normal::new(0.3, 1.0).unwrap().array(shape, Key::new(key)).unwrap()
}

/// Gives every parameter numbers that are neither 0 nor 1; all positive, as variances are.
fn scramble(model: &mut dyn Module<f64>) {
    let mut key = 0;
    model.each_mut(Path::root(), &mut |path, p| {
        key += 1;
        let name = path.to_string();
        let (low, high) = if name.ends_with("running_var") { (0.5, 2.0) } else { (-1.0, 1.0) };
        p.value = Uniform::new(low, high).unwrap().array(p.value.shape(), Key::new(key)).unwrap();
    });
}

/// Folds a model and compares what it computes, and which parameters it has left.
#[track_caller]
fn check(mut model: impl Module<f64>, shape: &[usize], expected: &[&str]) -> impl Module<f64> {
    scramble(&mut model);
    let mut workspace = Workspace::new();
    let x = array(shape, 1);
    let before = model.predict(&x, &mut workspace).unwrap();
    let mut folded = model.folded();
    let after = folded.predict(&x, &mut workspace).unwrap();
    assert_eq!(before.shape(), after.shape());
    let scale = before.iter().fold(1.0_f64, |max, x| max.max(x.abs()));
    assert!(before.iter().zip(&after).all(|(a, b)| (a - b).abs() <= 1e-12 * scale), "{before} is not {after}");
    assert_eq!(folded.paths(), expected);
    // There is nothing left to fold.
    folded.fold();
    assert_eq!(folded.predict(&x, &mut workspace).unwrap(), after);
    folded
}

fn norm2<const D: usize>(channels: usize) -> BatchNorm<f64, D> {
    BatchNorm::new(channels).unwrap()
}

#[test]
fn a_norm_goes_into_what_precedes_it() {
    let chain = Chain::seeded(Key::new(1));
    let conv = Conv2d::config(2, 4, 3).padding(1).groups(2);
    check(chain.then(conv).then(norm2::<2>(4).with_relu()).build().unwrap(), &[2, 2, 5, 4], &["0.weight", "0.bias"]);
    let chain = Chain::seeded(Key::new(1)).then(Conv1d::config(3, 4, 3).without_bias());
    check(chain.then(norm2::<1>(4).without_affine()).build().unwrap(), &[2, 3, 7], &["0.weight", "0.bias"]);
    let chain = Chain::seeded(Key::new(1)).then(ConvTranspose2d::config(4, 6, 2).stride(2).groups(2));
    check(chain.then(norm2::<2>(6)).build().unwrap(), &[2, 4, 3, 3], &["0.weight", "0.bias"]);
    let chain = Chain::seeded(Key::new(1)).then(Linear::config(5, 3)).then(norm2::<1>(3).with_relu());
    check(chain.then(Linear::config(3, 2)).build().unwrap(), &[4, 5], &["0.weight", "0.bias", "2.weight", "2.bias"]);
}

#[test]
fn a_norm_goes_into_what_follows_it() {
    let chain = Chain::seeded(Key::new(1)).then(norm2::<1>(5)).then(Linear::config(5, 3).activation(Activation::Tanh));
    check(chain.build().unwrap(), &[4, 5], &["1.weight", "1.bias"]);
    let chain = Chain::seeded(Key::new(1)).then(norm2::<2>(4)).then(Conv2d::config(4, 6, 3).groups(2).without_bias());
    check(chain.build().unwrap(), &[2, 4, 5, 5], &["1.weight", "1.bias"]);
    // And both, on either side of one layer.
    let chain = Chain::seeded(Key::new(1)).then(norm2::<2>(4)).then(Conv2d::config(4, 6, 1)).then(norm2::<2>(6));
    check(chain.build().unwrap(), &[2, 4, 3, 3], &["1.weight", "1.bias"]);
}

#[test]
fn what_cannot_be_folded_stays() {
    let norm = ["0.weight", "0.bias", "0.running_mean", "0.running_var"];
    let layer = ["1.weight", "1.bias"];
    // A rectifier between them; zeros around the image, to which the norm is not applied.
    let chain = Chain::seeded(Key::new(1)).then(norm2::<2>(4).with_relu()).then(Conv2d::config(4, 6, 3));
    check(chain.build().unwrap(), &[2, 4, 5, 5], &[&norm[..], &layer].concat());
    let chain = Chain::seeded(Key::new(1)).then(norm2::<2>(4)).then(Conv2d::config(4, 6, 3).padding(1));
    check(chain.build().unwrap(), &[2, 4, 5, 5], &[&norm[..], &layer].concat());
    // An activation of the layer itself.
    let chain = Chain::seeded(Key::new(1)).then(Linear::config(5, 3).activation(Activation::Tanh)).then(norm2::<1>(3));
    let paths = ["0.weight", "0.bias", "1.weight", "1.bias", "1.running_mean", "1.running_var"];
    check(chain.build().unwrap(), &[4, 5], &paths);
}

#[test]
fn containers_fold_what_they_hold_and_what_is_beside_them() {
    let body = || {
        let chain = Chain::seeded(Key::new(1)).then(Conv2d::config(4, 4, 3).padding(1)).then(norm2::<2>(4).with_relu());
        chain.then(Conv2d::config(4, 4, 3).padding(1)).then(norm2::<2>(4)).build().unwrap()
    };
    let shortcut = Chain::seeded(Key::new(2)).then(Conv2d::config(4, 4, 1)).then(norm2::<2>(4)).build().unwrap();
    let chain = Chain::new().with(Checkpoint::new(Residual::new(body()).with_shortcut(shortcut))).with(Relu);
    let paths =
        ["body.0.weight", "body.0.bias", "body.2.weight", "body.2.bias", "shortcut.0.weight", "shortcut.0.bias"];
    check(chain, &[2, 4, 5, 5], &paths.map(|path| format!("0.{path}")).each_ref().map(String::as_str));

    // The sum is within the norm's pass, before the rectifier, which must not go into the convolution.
    for relu in [false, true] {
        let body = Chain::seeded(Key::new(1)).then(Conv2d::config(4, 4, 3).padding(1)).then(norm2::<2>(4).with_relu());
        let body = body.then(Conv2d::config(4, 4, 3).padding(1)).build().unwrap();
        let shortcut = Chain::seeded(Key::new(2)).then(Conv2d::config(4, 4, 1)).then(norm2::<2>(4)).build().unwrap();
        let norm = if relu { norm2::<2>(4).with_relu() } else { norm2(4) };
        let chain = Chain::new().with(Residual::new(body).with_shortcut(shortcut).normed(norm)).with(norm2::<2>(4));
        // What stands behind the sum stays: a sum is no convolution.
        let behind = ["weight", "bias", "running_mean", "running_var"].map(|name| format!("1.{name}"));
        let paths: Vec<String> = paths.iter().map(|path| format!("0.{path}")).chain(behind).collect();
        check(chain, &[2, 4, 5, 5], &paths.iter().map(String::as_str).collect::<Vec<_>>());
    }

    // Neighbours that are in chains of their own.
    let first = Chain::seeded(Key::new(1)).then(Relu).then(Linear::config(5, 3)).build().unwrap();
    let chain = Chain::new().with(first).with(Chain::new().with(norm2::<1>(3)));
    check(chain, &[4, 5], &["0.1.weight", "0.1.bias"]);
}

#[test]
fn ready_models_fold() {
    let net = ConvNetConfig::new([1, 8, 8], 10).channels(&[4, 6]).hidden(8).build::<f64>(Key::new(1)).unwrap();
    let layers = ["conv0", "conv1", "hidden", "head"];
    let paths: Vec<String> = layers.iter().flat_map(|l| [format!("{l}.weight"), format!("{l}.bias")]).collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    check(net, &[3, 1, 8, 8], &paths);
}

#[test]
fn a_folded_model_is_for_evaluation_and_keeps_what_is_frozen() {
    let chain = Chain::seeded(Key::new(1)).then(Linear::config(5, 3)).then(norm2::<1>(3)).build().unwrap();
    let mut model = check(chain, &[4, 5], &["0.weight", "0.bias"]);
    model.visit_mut(|_, p| p.freeze());
    model.fold();
    let x = array(&[4, 5], 1);
    let mut workspace = Workspace::new();
    {
        let mut tape = Tape::new(&mut workspace, Mode::train(0, 0));
        let x = tape.input(&x);
        let error = model.forward(&mut tape, x).unwrap_err().to_string();
        assert_eq!(error, "1: batch_norm: expected evaluation, got training of a model that was folded for it");
    }
    // Channels would not be the last axis of such an input.
    let error = model.predict(&array(&[2, 3, 5], 1), &mut workspace).unwrap_err().to_string();
    assert!(error.contains("since a batch norm is folded in"), "{error}");
    model.visit(|path, p| assert!(!p.is_trainable(), "{path}"));
}

#[test]
fn a_model_of_ones_own_folds_by_one_line() {
    #[derive(Params)]
    struct Block {
        first: Linear<f64>,
        norm: BatchNorm1d<f64>,
    }
    impl Module<f64> for Block {
        fn forward<'p>(&'p self, tape: &mut Tape<'p, f64>, x: Var) -> Result<Var> {
            let x = self.first.forward(tape, x)?;
            self.norm.forward(tape, x)
        }
        fn fold(&mut self) {
            assert_eq!(fold_pair(&mut self.first, &mut self.norm), Some(Folded::Second));
            assert_eq!(fold_pair(&mut self.first, &mut self.norm), None);
        }
    }
    let mut block = Block { first: Linear::new(4, 3, Key::new(1)).unwrap(), norm: norm2(3) };
    scramble(&mut block);
    let (x, mut workspace) = (array(&[5, 4], 2), Workspace::new());
    let before = predict(&block, &x, &mut workspace).unwrap();
    block.fold();
    let after = predict(&block, &x, &mut workspace).unwrap();
    assert!(before.iter().zip(&after).all(|(a, b)| (a - b).abs() < 1e-12));
}
