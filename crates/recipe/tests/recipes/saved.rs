//! Recipes written, read, and described.

use gradwise_recipe::layers::Linear;
use gradwise_recipe::{DataSection, Layers, ModelSection, Part, Recipe, Registry};

const RICH: &str = "
[data]
source = { kind = 'digits' }
split = { test = 0.25, validation = 0.1, seed = 7 }
features = ['coordinates']
scale = [{ kind = 'multiply', by = 0.0625 }, 'standard']

[[augment]]
kind = 'translate'
x = 0.1
[[augment]]
kind = 'mixup'
alpha = 0.2

[model]
activation = { kind = 'leaky-relu', slope = 0.1 }
init = { kind = 'he-normal', fan = 'out' }
bias-init = { kind = 'constant', value = 0.01 }
loss = { kind = 'cross-entropy', class-weights = 'balanced' }
layers = [
  { kind = 'conv2d', channels = 4, kernel = 3, padding = 'same', bias = false, name = 'first' },
  'batch-norm',
  { kind = 'residual', layers = [{ kind = 'conv2d', channels = 4, kernel = [3, 3], padding = 1 }] },
  { kind = 'repeat', times = 2, layers = [{ kind = 'max-pool', kernel = 2 }] },
  'flatten',
  'linear',
]

[optimizer]
rule = { kind = 'sgd', momentum = 0.9, nesterov = true }
rate = 0.05
schedule = 'one-cycle'
warmup = 3
weight-decay = 1e-4
groups = [{ on = 'vectors', decay-times = 0 }, { on = 'first.*', rate-times = 0.5 }]
clip = { global-norm = 1.0 }
sam = { rho = 0.02 }
average = { decay = 0.9 }

[regularize]
penalties = [{ kind = 'l1', strength = 1e-5, on = '**.weight' }]
label-smoothing = 0.1

[train]
steps = 2
batch = 16
threads = 1
seed = 3
metrics = ['accuracy', { kind = 'top-k', k = 3 }]
early-stopping = { patience = 3, monitor = 'accuracy' }
";

#[test]
fn a_recipe_that_is_written_and_read_is_the_same() {
    let recipe: Recipe = RICH.parse().unwrap();
    let text = recipe.to_toml().unwrap();
    assert_eq!(text.parse::<Recipe>().unwrap(), recipe, "{text}");
    let mut run = recipe.build(&Registry::new()).unwrap();
    assert_eq!(run.layers()[0].name, "first");
    let trained = run.train(&mut []).unwrap();
    assert_eq!(trained.summary.steps, 2);
    assert!(trained.test.unwrap().get("accuracy").is_some());
}

#[test]
fn a_recipe_is_made_and_changed_in_rust() {
    let linear = |units| Linear { units, activation: None, init: None, bias_init: None, bias: true };
    let layers = [linear(Some(8)), linear(None)].map(|layer| Part::of::<Layers, _>(&layer).unwrap());
    let source = Part::named("moons").with("samples", 40);
    let mut recipe =
        Recipe::new(DataSection::new(source), ModelSection { layers: layers.to_vec(), ..Default::default() });
    recipe.train.epochs = Some(1);
    recipe.model.layers[0].options_mut().insert("units".to_owned(), 5.into());
    let run = recipe.build(&Registry::new()).unwrap();
    assert_eq!(run.layers()[0].output, [5]);
    assert_eq!(recipe.to_toml().unwrap().parse::<Recipe>().unwrap(), recipe);
    // What is wrong has a key, if no line.
    recipe.model.layers[0].options_mut().insert("units".to_owned(), 0.into());
    let error = recipe.build(&Registry::new()).unwrap_err();
    assert_eq!((error.line(), error.key()), (None, "model.layers[0].units"), "{error}");
}

#[test]
fn the_schema_describes_every_key() {
    let schema = Registry::new().schema();
    let mut described = 0;
    let mut open = vec![(String::new(), &schema)];
    while let Some((place, value)) = open.pop() {
        if let Some(reference) = value.get("$ref").and_then(|r| r.as_str()) {
            let name = reference.strip_prefix("#/$defs/").unwrap();
            assert!(schema["$defs"].get(name).is_some(), "{place}: {reference}");
        }
        if let Some(fields) = value.get("properties").and_then(|fields| fields.as_object()) {
            for (name, field) in fields.iter().filter(|(name, _)| *name != "kind") {
                // The choices of an enum are described as a whole.
                let is_described = field.get("description").or(value.get("description")).is_some();
                assert!(is_described, "{place}.{name} is not described");
                described += 1;
            }
        }
        match value {
            serde_json::Value::Object(fields) => open.extend(fields.iter().map(|(k, v)| (format!("{place}/{k}"), v))),
            serde_json::Value::Array(list) => open.extend(list.iter().map(|v| (place.clone(), v))),
            _ => {}
        }
    }
    assert!(described > 150, "{described}");
}

#[test]
fn a_table_is_seen_through_marks_gaps_and_blank_lines() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("table.csv");
    let suggest = |content: &str| {
        std::fs::write(&file, content).unwrap();
        gradwise_recipe::suggest(&file, "table.csv").unwrap()
    };
    let rows: String = (0..30).map(|i| format!("{i},{}.5\n", i * i)).collect();
    let text = suggest(&format!("\u{feff}x,y\n{rows}30,\n"));
    assert!(text.contains("task = \"number\"") && text.contains("\nmissing = "), "{text}");
    assert!(text.contains("target = \"y\""), "{text}");
    let text = suggest(&format!("\u{feff}y,x\n{rows}\n"));
    assert!(text.contains("target = \"y\"") && text.contains("# missing = "), "{text}");
}

/// All numbers of a model.
fn weights(model: &dyn gradwise_core::Params<f32>) -> Vec<f32> {
    use gradwise_core::ParamsExt;
    let mut all = Vec::new();
    model.visit(|_, p| all.extend(p.value.iter().copied()));
    all
}

#[test]
fn errors_are_watched_for_the_least_and_scores_for_the_most() {
    use gradwise_core::{Event, Observer, Stop};
    // Each run begins well and becomes worse: the weights of the first epoch are the best ones by any measure.
    for (metric, name) in [
        ("root-mean-squared-error", "rmse"),
        ("mean-squared-error", "mse"),
        ("mean-absolute-error", "mae"),
        ("r2", "r2"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let rows: String = (0..60).map(|i| format!("{},{}\n", i % 7, 2 * (i % 7))).collect();
        std::fs::write(folder.path().join("line.csv"), format!("x,y\n{rows}")).unwrap();
        let recipe = folder.path().join("recipe.toml");
        let text = format!(
            "data.source = {{ kind = 'csv', file = 'line.csv', target = 'y' }}
            data.split = {{ validation = 0.5 }}
            model.layers = ['linear']
            optimizer = {{ rule = 'sgd', rate = 0.09 }}
            train = {{ epochs = 6, batch = 30, threads = 1, metrics = ['{metric}'], early-stopping = {{ monitor = '{name}', patience = 3 }} }}\n"
        );
        std::fs::write(&recipe, text).unwrap();
        let mut run = Recipe::from_file(&recipe).unwrap().build(&Registry::new()).unwrap();
        let mut epochs = Vec::new();
        let mut observer = |event: &Event<'_, f32>| -> std::ops::ControlFlow<Stop> {
            if let Event::Epoch { validation, model, .. } = event {
                let loss = validation.iter().find(|(name, _)| name == "loss").unwrap().1;
                epochs.push((loss, weights(*model)));
            }
            std::ops::ControlFlow::Continue(())
        };
        run.train(&mut [&mut observer as &mut dyn Observer<f32>]).unwrap();
        assert!(epochs.len() > 1);
        let best = epochs.iter().min_by(|a, b| a.0.total_cmp(&b.0)).unwrap();
        assert_eq!(weights(run.model()), best.1, "{name}: {epochs:?}");
    }
}

#[test]
fn averages_of_weights_are_what_is_left() {
    use gradwise_core::{Event, Observer, Stop};
    let text = "
        data.source = { kind = 'moons', samples = 40 }
        model.layers = ['linear']
        optimizer = { rule = 'sgd', rate = 0.1, average = {} }
        train = { steps = 4, batch = 8, threads = 1 }
    ";
    let mut run = text.parse::<Recipe>().unwrap().build(&Registry::new()).unwrap();
    let mut seen: Vec<Vec<f32>> = Vec::new();
    let mut observer = |event: &Event<'_, f32>| -> std::ops::ControlFlow<Stop> {
        if let Event::Step { model, .. } = event {
            seen.push(weights(*model));
        }
        std::ops::ControlFlow::Continue(())
    };
    run.train(&mut [&mut observer as &mut dyn Observer<f32>]).unwrap();
    assert_eq!(seen.len(), 4);
    for (i, weight) in weights(run.model()).into_iter().enumerate() {
        let mean = seen.iter().map(|weights| weights[i]).sum::<f32>() / 4.0;
        assert!((weight - mean).abs() < 1e-6, "{weight} is not {mean}, of {seen:?}");
    }
    // It can be trained on, from its own weights.
    run.train(&mut []).unwrap();
}
