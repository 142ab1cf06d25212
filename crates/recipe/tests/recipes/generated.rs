//! Recipes that were made up: each trains a step, and tells the line of whatever is broken in it.

use gradwise_recipe::{Recipe, Registry};
use proptest::prelude::*;
use proptest::sample::select;

/// A layer of points, a key a line.
fn layer() -> impl Strategy<Value = String> {
    let activation = select(vec!["relu", "tanh", "sigmoid", "gelu", "leaky-relu", "selu", "none", "p-relu"]);
    let init = select(vec!["he-normal", "xavier-uniform", "orthogonal", "lecun-normal", "zeros"]);
    prop_oneof![
        (1_usize..9, activation, init, any::<bool>()).prop_map(|(units, activation, init, bias)| format!(
            "kind = 'linear'\nunits = {units}\nactivation = '{activation}'\ninit = '{init}'\nbias = {bias}\n"
        )),
        (0.0..0.9).prop_map(|rate| format!("kind = 'dropout'\nrate = {rate}\n")),
        (0.0..1.0).prop_map(|momentum| format!("kind = 'batch-norm'\nmomentum = {momentum}\n")),
        Just("kind = 'layer-norm'\nepsilon = 0.01\n".to_owned()),
        (1_usize..3).prop_map(|times| format!(
            "kind = 'repeat'\ntimes = {times}\nlayers = ['tanh', {{ kind = 'linear', units = 3 }}]\n"
        )),
    ]
}

fn optimizer() -> impl Strategy<Value = String> {
    let rules: Vec<String> = Registry::new().rules.names().map(str::to_owned).collect();
    let schedule = select(vec!["constant", "cosine", "one-cycle", "polynomial", "inverse-sqrt"]);
    let clip = select(vec!["global-norm", "norm", "value", "unit"]);
    (select(rules), 1e-4..1e-2, schedule, clip, 0.01..2.0, 0.0..0.1).prop_map(|(rule, rate, schedule, clip, max, decay)| {
        format!(
            "[optimizer]\nrule = '{rule}'\nrate = {rate}\nschedule = '{schedule}'\nweight-decay = {decay}\nclip = {{ {clip} = {max} }}\n"
        )
    })
}

fn recipe() -> impl Strategy<Value = String> {
    let source = prop_oneof![
        (0.0..0.3).prop_map(|noise| format!("[data.source]\nkind = 'moons'\nsamples = 40\nnoise = {noise}\n")),
        (2_usize..5, 1_usize..5).prop_map(|(classes, features)| format!(
            "[data.source]\nkind = 'blobs'\nsamples = 60\nclasses = {classes}\nfeatures = {features}\n"
        )),
    ];
    let scale = select(vec!["standard", "min-max", "robust", "per-sample"]);
    let layers = prop::collection::vec(layer(), 0..4);
    let train = (4_usize..16, 0_u64..100, any::<bool>(), 0.0..0.3);
    (source, scale, layers, optimizer(), train).prop_map(|(source, scale, layers, optimizer, (batch, seed, balanced, smoothing))| {
        let layers: String = layers.iter().map(|layer| format!("[[model.layers]]\n{layer}")).collect();
        format!(
            "[data]\nscale = ['{scale}']\n{source}[model]\nloss = 'cross-entropy'\n{layers}[[model.layers]]\nkind = 'linear'\n\
             {optimizer}[regularize]\nlabel-smoothing = {smoothing}\n\
             [train]\nsteps = 1\nbatch = {batch}\nthreads = 1\nseed = {seed}\nbalanced = {balanced}\ndrop-last = true\n"
        )
    })
}

/// Something that is broken in a line, which is then to be told.
fn breaks(line: &str, how: usize) -> Option<String> {
    let (name, value) = line.split_once(" = ")?;
    Some(match how {
        // Kinds of parts, and of lists, are names.
        0 => format!("{name}x = {value}"),
        1 if value.starts_with('\'') => format!("{name} = 'nothing of the kind'"),
        1 => format!("{name} = 'words'"),
        2 => format!("{name} = 2024-01-01"),
        _ => format!("{name} = {value} = {value}"),
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_valid_recipe_trains_a_step(text in recipe()) {
        let recipe: Recipe = text.parse().unwrap();
        let again = recipe.to_toml().unwrap();
        prop_assert_eq!(&again.parse::<Recipe>().unwrap(), &recipe, "{}", again);
        let mut run = recipe.build(&Registry::new()).unwrap_or_else(|error| panic!("{error} in\n{text}"));
        let trained = run.train(&mut []).unwrap_or_else(|error| panic!("{error} in\n{text}"));
        prop_assert!(trained.summary.steps == 1 && trained.summary.train_loss.is_finite());
    }

    #[test]
    fn every_broken_recipe_tells_the_line(text in recipe(), at in any::<prop::sample::Index>(), how in 0_usize..4) {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let broken: Vec<(usize, String)> =
            lines.iter().enumerate().filter_map(|(i, line)| Some((i, breaks(line, how)?))).collect();
        let (i, line) = at.get(&broken).clone();
        let kind_is_gone = how == 0 && line.starts_with("kindx");
        lines[i] = line;
        let text = lines.join("\n");
        let built = text.parse::<Recipe>().and_then(|recipe| recipe.build(&Registry::new()).map(drop));
        let error = built.expect_err(&text);
        // Without its kind, a table is told where it begins.
        let expected = if kind_is_gone { i } else { i + 1 };
        prop_assert_eq!(error.line(), Some(expected), "{} in\n{}", error, text);
    }
}
