//! What is wrong is told with the line and the key, and what would be right.

use gradwise_recipe::{Recipe, RecipeError, Registry};

/// A recipe that nothing is wrong with, line by line.
const GOOD: &str = "\
[data]
source = { kind = 'moons', samples = 40 }
scale = ['standard']
[model]
activation = 'relu'
[[model.layers]]
kind = 'linear'
units = 4
[[model.layers]]
kind = 'linear'
[optimizer]
rule = 'adam'
rate = 0.01
[train]
epochs = 1
";

fn error(text: &str) -> RecipeError {
    let built = text.parse::<Recipe>().and_then(|recipe| recipe.build(&Registry::new()).map(drop));
    built.err().unwrap_or_else(|| panic!("nothing is wrong with\n{text}"))
}

/// What is replaced by what; the line, the key and some words of the error.
type Case = (&'static str, &'static str, usize, &'static str, &'static str);

#[track_caller]
fn check(cases: &[Case]) {
    let mut wrong = String::new();
    for (replace, by, line, key, words) in cases {
        assert!(GOOD.contains(replace), "{replace}");
        let error = error(&GOOD.replacen(replace, by, 1));
        if (error.line(), error.key()) != (Some(*line), *key) || !error.to_string().contains(words) {
            wrong += &format!("{by}: expected {line}: {key}: {words}, got {error}\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn what_is_misspelt_is_told_with_what_was_meant() {
    assert!(GOOD.parse::<Recipe>().unwrap().build(&Registry::new()).is_ok());
    check(&[
        ("[train]", "[trian]", 14, "trian", "did you mean `train`?"),
        ("scale =", "scail =", 3, "data.scail", "there is no key `scail`; did you mean `scale`?"),
        ("units = 4", "unit = 4", 8, "model.layers[0].unit", "did you mean `units`?"),
        ("'linear'", "'linaer'", 7, "model.layers[0].kind", "there is no layer `linaer`; did you mean `linear`?"),
        ("'relu'", "'rleu'", 5, "model.activation.kind", "did you mean `relu`?"),
        ("'adam'", "'adma'", 12, "optimizer.rule.kind", "there is no rule `adma`; did you mean `adam`?"),
        ("'moons'", "'moon'", 2, "data.source.kind", "did you mean `moons`?"),
        ("samples", "sample", 2, "data.source.sample", "did you mean `samples`?"),
        ("'standard'", "'standart'", 3, "data.scale[0].kind", "did you mean `standard`?"),
        ("'adam'", "'zzz'", 12, "optimizer.rule.kind", "there are adadelta, adafactor"),
    ]);
}

#[test]
fn what_does_not_fit_is_told_where_it_stands() {
    check(&[
        ("units = 4", "units = 'four'", 8, "model.layers[0].units", "expected usize, got string \"four\""),
        ("units = 4", "units = 0", 8, "model.layers[0].units", ""),
        ("units = 4", "activation = 3", 8, "model.layers[0].activation", "expected the name of a kind"),
        ("units = 4", "init = { kind = 'uniform', low = 1.0, high = 0.0 }", 8, "model.layers[0].init.high", "uniform"),
        ("units = 4", "name = 'a.b'", 8, "model.layers[0].name", "without dots"),
        (
            "kind = 'linear'\nunits = 4",
            "kind = 'conv2d'\nchannels = 4\nkernel = 3",
            6,
            "model.layers[0]",
            "images (channels, height, width)",
        ),
        ("kind = 'linear'\nunits = 4", "kind = 'dropout'\nrate = 1.5", 8, "model.layers[0].rate", "[0, 1)"),
        ("kind = 'linear'\nunits = 4\n", "units = 4\n", 6, "model.layers[0].kind", "is missing"),
        (
            "kind = 'linear'\nunits = 4",
            "kind = 'repeat'\ntimes = 2\nlayers = [\n 'relu',\n { kind = 'linear', units = -1 },\n]",
            11,
            "model.layers[0].layers[1].units",
            "-1",
        ),
        (
            "kind = 'linear'\nunits = 4",
            "kind = 'residual'\nlayers = [{ kind = 'linear', units = 3 }]",
            8,
            "model.layers[0].layers",
            "samples of shape [2], to be added",
        ),
        ("rate = 0.01", "rate = -1", 13, "optimizer.rate", ""),
        ("'adam'", "{ kind = 'adam', beta1 = 1.5 }", 12, "optimizer.rule.beta1", "1.5"),
        ("rate = 0.01", "clip = { value = -1.0 }", 13, "optimizer.clip", "-1"),
        ("rate = 0.01", "groups = [{ on = 'nothing.*', frozen = true }]", 13, "optimizer.groups", "nothing.*"),
        ("samples = 40", "samples = 9223372036854775807", 2, "data.source.samples", "at most 100000000"),
        ("'moons', samples = 40", "'blobs', classes = 1, samples = 40", 2, "data.source", "two classes or more, got 1"),
        ("units = 4", "units = 9223372036854775807", 6, "model.layers[0]", "fits into memory"),
        (
            "kind = 'linear'\nunits = 4",
            "kind = 'repeat'\ntimes = 1000000000000000000\nlayers = ['relu']",
            8,
            "model.layers[0].times",
            "at most 10000",
        ),
        (
            "units = 4\n[[model.layers]]\nkind = 'linear'\n[optimizer]\nrule = 'adam'\nrate = 0.01\n[train]",
            "units = 4\n[[model.layers]]\nkind = 'batch-norm'\n[[model.layers]]\nkind = 'linear'\n[train]\nbatch = 1",
            14,
            "train.batch",
            "more than one value",
        ),
        ("epochs = 1", "epochs = 0", 15, "train.epochs", "at least 1"),
        ("epochs = 1", "batch = 0", 15, "train.batch", "at least 1"),
        ("epochs = 1", "threads = 0", 15, "train.threads", ""),
        ("epochs = 1", "epochs = 1\nsteps = 5", 16, "train.steps", "either epochs or steps"),
        ("epochs = 1", "metrics = ['accuracy', 'r2']", 15, "train.metrics[1]", "numbers"),
        ("epochs = 1", "early-stopping = { patience = 2 }", 1, "data.split.validation", "validation = 0.1"),
        ("scale =", "split = { test = 1.5 }\nscale =", 3, "data.split.test", "1.5"),
        ("scale =", "split = { validation = 1.5 }\nscale =", 3, "data.split.validation", "1.5"),
        ("activation = 'relu'", "loss = 'mean-squared-error'\noutput = 'softmaks'", 6, "model.output.kind", "softmax"),
        ("kind = 'linear'\n[optimizer]", "kind = 'linear'\nunits = 1\n[optimizer]", 4, "model.loss", "cross_entropy"),
        (
            "[train]",
            "[regularize]\npenalties = [{ kind = 'l2', strength = 0.1, on = 'no.*' }]\n[train]",
            15,
            "regularize.penalties[0].on",
            "no.*",
        ),
        ("[train]", "[[augment]]\nkind = 'flip'\n[train]", 14, "augment", "images"),
        ("[train]", "[[augment]]\nkind = 'gaussian-noise'\nstd = -1\n[train]", 16, "augment[0].std", "-1"),
    ]);
}

#[test]
fn files_that_are_not_there_are_told() {
    for (source, key) in [
        ("{ kind = 'csv', file = 'nowhere.csv', target = 'y' }", "data.source.file"),
        ("{ kind = 'idx', folder = 'nowhere' }", "data.source.folder"),
        ("{ kind = 'images', folder = 'nowhere' }", "data.source.folder"),
        ("{ kind = 'npz', file = 'nowhere.npz' }", "data.source.file"),
    ] {
        let error = error(&GOOD.replacen("{ kind = 'moons', samples = 40 }", source, 1));
        assert_eq!((error.line(), error.key()), (Some(2), key), "{error}");
        assert!(error.to_string().contains("nowhere"), "{error}");
    }
    let error = Recipe::from_file("nowhere.toml").unwrap_err();
    assert!(error.to_string().starts_with("nowhere.toml: "), "{error}");
}

#[test]
fn tables_are_told_by_column() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plants.csv");
    std::fs::write(&file, "height;colour;name\n1;red;a\n2;blue;b\n3;red;a\n4;blue;b\n5;red;a\n6;red;b\n").unwrap();
    std::fs::write(folder.path().join("one.csv"), "x,y\n1,a\n2,a\n").unwrap();
    let recipe = folder.path().join("recipe.toml");
    let text = |source: &str| {
        format!("[data]\nsource = {{ kind = 'csv', {source} }}\n[model]\nlayers = ['linear']\n[train]\nepochs = 1\n")
    };
    let build = |source: &str| {
        std::fs::write(&recipe, text(source)).unwrap();
        Recipe::from_file(&recipe).and_then(|recipe| recipe.build(&Registry::new()))
    };
    // Paths are relative to the recipe; the delimiter is found out; words are classes, numbers are numbers.
    let run = build("file = 'plants.csv', target = 'name'").unwrap();
    assert_eq!((run.train_set().sample_shape(), run.train_set().n_classes()), (&[3][..], Some(2)));
    let run = build("file = 'plants.csv', target = 'height', without = ['name']").unwrap();
    assert_eq!((run.train_set().sample_shape(), run.train_set().n_classes()), (&[2][..], None));
    let run = build("file = 'plants.csv', target = 'height', task = 'class', columns = ['colour']").unwrap();
    assert_eq!((run.train_set().sample_shape(), run.train_set().n_classes()), (&[2][..], Some(6)));
    // A column of numbers is no share of classes.
    std::fs::write(
        &recipe,
        text("file = 'plants.csv', target = 'height'").replace("[train]", "loss = 'cross-entropy'\n[train]"),
    )
    .unwrap();
    let error = Recipe::from_file(&recipe).and_then(|recipe| recipe.build(&Registry::new())).map(drop).unwrap_err();
    assert_eq!((error.line(), error.key()), (Some(5), "model.loss"), "{error}");
    for (source, key, words) in [
        ("file = 'plants.csv', target = 'nam'", "data.source.target", "there is no column `nam`; did you mean `name`?"),
        (
            "file = 'plants.csv', target = 'name', without = ['hight']",
            "data.source.without[0]",
            "did you mean `height`?",
        ),
        ("file = 'one.csv', target = 'y'", "data.source.target", "two classes or more"),
    ] {
        let error = build(source).unwrap_err();
        assert_eq!((error.line(), error.key()), (Some(2), key), "{error}");
        assert!(error.to_string().contains(words) && error.file().is_some(), "{error}");
    }
}
