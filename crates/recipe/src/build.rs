//! From a recipe to a run: everything is built and checked before anything is trained.

use crate::augmented::Augmented;
use crate::data::{Parts, SourceSite, load};
use crate::layers::{Activated, AnyModule, LayerLine, LayerSite, Layers, layers, network_lines, output};
use crate::losses::{AnyLoss, LossSite, Takes};
use crate::metrics::MetricSite;
use crate::objective::RecipeObjective;
use crate::optimizer::{ScheduleSite, stepper};
use crate::run::Run;
use crate::set::Set;
use crate::{ModelSection, Part, Recipe, RecipeError, Registry, Result, SetBatch};
use gradwise_augment::spec::Pipeline;
use gradwise_autograd::{Mode, Tape, Workspace};
use gradwise_core::{Error as CoreError, Key, Metric};
use gradwise_data::{Batches, Samples};
use gradwise_optim::Stepper;
use gradwise_regularize::{EarlyStopping, Mode as Better, Patience, Penalties};
use gradwise_train::{Objective, Trainer, available_threads};
use ndarray::{ArrayD, IxDyn};

impl Recipe {
    /// Loads the data, builds everything, and checks that all of it fits together: a batch of two samples goes through the model and the loss.
    ///
    /// # Errors
    /// Whatever is wrong, with the key and, if the recipe was read from a text, the line.
    pub fn build(&self, registry: &Registry) -> Result<Run> {
        self.assemble(registry).map_err(|error| self.lines.locate(error))
    }

    fn assemble(&self, registry: &Registry) -> Result<Run> {
        let train = &self.train;
        let threads = train.threads.unwrap_or_else(available_threads);
        let pipeline = registry.augment.pipeline("augment", &self.augment)?;
        let augmented = !self.augment.is_empty();
        let site = SourceSite { folder: &self.folder, split: &self.data.split, seed: train.seed, threads };
        let parts = load(&self.data, registry, site, augmented).map_err(|error| error.at("data"))?;
        if let Some(n @ ..2) = parts.train.n_classes() {
            return Err(RecipeError::value("targets of two classes or more", n).at("data.source"));
        }
        let (model, lines, outputs) =
            model(&self.model, registry, &parts, train.seed).map_err(|error| error.at("model"))?;
        let Parts { train: mut set, mut validation, mut test, later, white, .. } = parts;
        let n_outputs: usize = outputs.iter().product();

        let (loss, measuring) = self.losses(registry, &set)?;
        for set in [Some(&mut set), validation.as_mut(), test.as_mut()].into_iter().flatten() {
            prepare_targets(set, loss.takes, n_outputs);
        }
        let mut augmented =
            if augmented { Some(self.augmented(pipeline, later, &set, white, loss.takes)?) } else { None };
        let objective = RecipeObjective { training: loss.loss, measuring: measuring.loss };
        let mut metrics = self.metrics(registry, &set, n_outputs)?;
        let (batches, epochs, steps) = self.length(&set)?;
        self.try_out(&model, &objective, &set, augmented.as_mut(), &mut metrics)?;
        self.try_training(&model, &objective, &set, augmented.as_mut())?;

        let penalties = self.penalties(registry, &model)?;
        let site = ScheduleSite { rate: self.optimizer.rate, steps, per_epoch: batches.per_epoch() };
        let stepper = stepper(&self.optimizer, registry, &model, site, train.seed).and_then(|mut stepper| {
            // A group whose pattern matches nothing is refused here.
            stepper.prepare(&model).map_err(|error| RecipeError::from(error).at("groups"))?;
            Ok(stepper)
        });
        let stepper = stepper.map_err(|error| error.at("optimizer"))?;
        let look_every = train.look_every.unwrap_or_else(|| batches.per_epoch());
        let mut trainer = Trainer::new(objective, stepper, train.seed)
            .threads(threads)
            .map_err(|error| RecipeError::from(error).at("train.threads"))?
            .measure_every(look_every)
            .probe_every(look_every);
        if let Some(penalties) = penalties {
            trainer = trainer.penalties(penalties);
        }
        let stopping = self.stopping(validation.is_some(), &metrics)?;
        let limit = train.steps.filter(|steps| !steps.is_multiple_of(batches.per_epoch()));
        Ok(Run {
            model,
            lines,
            set,
            validation,
            test,
            augmented,
            trainer,
            batches,
            epochs,
            limit,
            metrics,
            stopping,
            averaged: false,
        })
    }

    /// The loss to train by, and the one to measure by.
    fn losses(&self, registry: &Registry, set: &Set) -> Result<(AnyLoss, AnyLoss)> {
        let usual = Part::named(if set.n_classes().is_some() { "cross-entropy" } else { "mean-squared-error" });
        let part = self.model.loss.as_ref().unwrap_or(&usual);
        let smoothing = self.regularize.label_smoothing;
        let classes = set.targets().classes.as_deref();
        let site = LossSite { smoothing, classes, n_classes: set.n_classes().unwrap_or(0) };
        // What is no loss at all is told as that.
        let is_known = registry.losses.names().any(|name| name == part.kind());
        if smoothing != 0.0 && is_known && part.kind() != "cross-entropy" {
            let error = RecipeError::value("0, since only `cross-entropy` knows it", smoothing);
            return Err(error.at("regularize.label-smoothing"));
        }
        let here = |error: RecipeError| match (error.problem(), smoothing != 0.0) {
            (crate::Problem::Core(CoreError::Value { what, .. }), true) if what.contains("smoothing") => {
                error.at("regularize.label-smoothing")
            }
            _ => error.at("model.loss"),
        };
        let loss = registry.losses.build(part, &site).map_err(here)?;
        let takes_classes = matches!(loss.takes, Takes::Classes | Takes::Shares);
        // A share for each class, of two or more.
        let shares = |y: &ArrayD<f32>| y.ndim() == 2 && y.shape()[1] > 1;
        if takes_classes && set.n_classes().is_none() && !set.targets().numbers.as_ref().is_some_and(shares) {
            return Err(
                RecipeError::value("a loss of numbers", format!("`{}`, of classes", part.kind())).at("model.loss")
            );
        }
        let measuring = registry.losses.build(part, &LossSite { smoothing: 0.0, ..site }).map_err(here)?;
        Ok((loss, measuring))
    }

    fn augmented(
        &self,
        pipeline: Pipeline,
        later: Vec<Box<dyn crate::Transform>>,
        set: &Set,
        white: f32,
        takes: Takes,
    ) -> Result<Augmented> {
        let mixes = pipeline.batch.is_some();
        let n_classes = set.n_classes().unwrap_or(0);
        let rows = set.targets().numbers.as_ref().is_none_or(|numbers| numbers.shape()[1..] == [n_classes]);
        if mixes && !(n_classes > 0 && rows && matches!(takes, Takes::Shares | Takes::Numbers)) {
            let at = format!("augment[{}]", self.augment.len() - 1);
            let expected = "a loss that takes a share for each class, as `cross-entropy`, behind a mix of samples";
            return Err(RecipeError::value(expected, "another").at(&at));
        }
        Augmented::new(pipeline, later, set.sample_shape(), white, self.train.seed, n_classes)
            .map_err(|error| error.at("augment"))
    }

    fn metrics(
        &self,
        registry: &Registry,
        set: &Set,
        outputs: usize,
    ) -> Result<Vec<Box<dyn Metric<f32, crate::Target>>>> {
        let usual = [Part::named(if set.n_classes().is_some() { "accuracy" } else { "r2" })];
        let is_one_of =
            |part: &Option<Part>, kinds: &[&str]| part.as_ref().is_some_and(|part| kinds.contains(&part.kind()));
        let loss = &self.model.loss;
        let probabilities = is_one_of(&self.model.output, &["sigmoid", "softmax", "hard-sigmoid"])
            || is_one_of(loss, &["probability-bce", "probability-cross-entropy"])
            // One output that comes near the number of the class, 0 or 1: the middle is between them.
            || outputs == 1 && is_one_of(loss, &["mean-squared-error", "mean-absolute-error", "huber"]);
        let site = MetricSite { n_classes: set.n_classes(), outputs, probabilities };
        let parts = match &self.train.metrics {
            Some(parts) => &parts[..],
            // Several outputs for two classes or more are what these measures are for.
            None if outputs > 0 && (set.n_classes().is_none() || outputs == 1 || Some(outputs) == set.n_classes()) => {
                &usual
            }
            None => &[],
        };
        let build = |(i, part)| {
            let metric = registry.metrics.build(part, &site);
            metric.map_err(|error| error.at_index(i).at("train.metrics"))
        };
        parts.iter().enumerate().map(build).collect()
    }

    /// Sends two samples through augmentation, model, loss and metrics.
    fn try_out(
        &self,
        model: &AnyModule,
        objective: &RecipeObjective,
        set: &Set,
        augmented: Option<&mut Augmented>,
        metrics: &mut [Box<dyn Metric<f32, crate::Target>>],
    ) -> Result<()> {
        let mut batch = SetBatch::default();
        let indices: Vec<usize> = (0..set.len().min(2)).collect();
        set.gather(&indices, &mut batch)?;
        if let Some(augmented) = augmented {
            let result = augmented.apply(&mut batch, gradwise_data::BatchPosition::default());
            result.map_err(|error| RecipeError::from(error).at("augment"))?;
        }
        let mut workspace = Workspace::new();
        let mut tape = Tape::new(&mut workspace, Mode::evaluate());
        tape.watch(model);
        let outcome = objective.record(&mut tape, model, &batch).map_err(|error| {
            let own = error.path().is_none_or(|path| path == "loss");
            RecipeError::from(error).at(if own { "model.loss" } else { "model" })
        })?;
        if let Some(predictions) = outcome.predictions {
            let predictions = tape.try_value(predictions)?;
            for (i, metric) in metrics.iter_mut().enumerate() {
                let result = metric.update(&predictions, &batch.targets, None);
                result.map_err(|error| RecipeError::from(error).at_index(i).at("train.metrics"))?;
                metric.reset();
            }
        }
        Ok(())
    }

    /// Sends the smallest batch of an epoch through model and loss as in training: batch norm cannot do with one value a channel, and an
    /// epoch should not end with such a batch.
    fn try_training(
        &self,
        model: &AnyModule,
        objective: &RecipeObjective,
        set: &Set,
        augmented: Option<&mut Augmented>,
    ) -> Result<()> {
        let (n, size) = (set.len(), self.train.batch);
        let ends = self.train.steps.is_none_or(|steps| steps >= n.div_ceil(size) as u64);
        let smallest = if self.train.drop_last || n % size == 0 || !ends { size } else { n % size };
        // More than two tell nothing more.
        let smallest = smallest.min(n).min(2);
        let mut batch = SetBatch::default();
        set.gather(&(0..smallest).collect::<Vec<_>>(), &mut batch)?;
        if let Some(augmented) = augmented {
            augmented.apply(&mut batch, gradwise_data::BatchPosition::default())?;
        }
        let mut workspace = Workspace::new();
        let mut tape = Tape::new(&mut workspace, Mode::train(self.train.seed, 0));
        tape.watch(model);
        let place = if smallest == 1 { "train.batch" } else { "model" };
        objective.record(&mut tape, model, &batch).map(drop).map_err(|error| RecipeError::from(error).at(place))
    }

    /// The batches, the epochs, and the steps in all.
    fn length(&self, set: &Set) -> Result<(Batches, u64, u64)> {
        let train = &self.train;
        let here = |field: &'static str| move |error| RecipeError::from(error).at(field).at("train");
        let mut batches = Batches::new(set.len(), train.batch).map_err(here("batch"))?;
        if train.balanced {
            let classes = set.targets().classes.as_deref();
            let (Some(classes), Some(n_classes)) = (classes, set.n_classes()) else {
                return Err(RecipeError::value("targets that are classes", "numbers").at("train.balanced"));
            };
            batches = batches.balanced(classes, n_classes, train.seed).map_err(here("balanced"))?;
        } else if train.shuffle {
            batches = batches.shuffled(train.seed);
        }
        if train.drop_last {
            batches = batches.drop_last().map_err(here("drop-last"))?;
        }
        let per_epoch = batches.per_epoch();
        let (epochs, steps) = match (train.epochs, train.steps) {
            (Some(_), Some(_)) => {
                return Err(RecipeError::value("either epochs or steps", "both").at("train.steps"));
            }
            (_, Some(0)) => return Err(RecipeError::value("at least 1", 0).at("train.steps")),
            (Some(0), _) => return Err(RecipeError::value("at least 1", 0).at("train.epochs")),
            (None, Some(steps)) => (steps.div_ceil(per_epoch), steps),
            (epochs, None) => (epochs.unwrap_or(10), epochs.unwrap_or(10).saturating_mul(per_epoch)),
        };
        Ok((batches, epochs, steps))
    }

    fn penalties(&self, registry: &Registry, model: &AnyModule) -> Result<Option<Penalties<f32>>> {
        let mut all = Penalties::new();
        for (i, part) in self.regularize.penalties.iter().enumerate() {
            let here = |error: RecipeError| error.at_index(i).at("regularize.penalties");
            let mut part = part.clone();
            let on = part.take_text("on").map_err(here)?.unwrap_or_else(|| "**.weight".to_owned());
            let build = || registry.penalties.build(&part, &()).map_err(here);
            // By itself first, so that a pattern that matches nothing is told where it stands.
            let alone = Penalties::new().on(&on, build()?).and_then(|mut alone| alone.value(model));
            alone.map_err(|error| here(RecipeError::from(error).at("on")))?;
            all = all.on(&on, build()?).map_err(|error| here(error.into()))?;
        }
        Ok(if all.is_empty() { None } else { Some(all) })
    }

    fn stopping(
        &self,
        validates: bool,
        metrics: &[Box<dyn Metric<f32, crate::Target>>],
    ) -> Result<Option<(String, EarlyStopping<f32>)>> {
        let Some(options) = &self.train.early_stopping else { return Ok(None) };
        let here = |error: RecipeError| error.at("train.early-stopping");
        if !validates {
            let hint = "early stopping needs a validation part, as `validation = 0.1`";
            return Err(RecipeError::missing(hint).at("data.split.validation"));
        }
        let names: Vec<&str> = std::iter::once("loss").chain(metrics.iter().map(|metric| metric.name())).collect();
        if !names.contains(&options.monitor.as_str()) {
            return Err(here(RecipeError::unknown("measure", &options.monitor, names).at("monitor")));
        }
        // What measures call themselves.
        let falls = |name: &str| name == "loss" || name.contains("error") || ["mse", "rmse", "mae"].contains(&name);
        let maximize = options.maximize.unwrap_or(!falls(&options.monitor));
        let mode = if maximize { Better::Max } else { Better::Min };
        let patience =
            Patience::new(mode, options.patience).map_err(|error| here(RecipeError::from(error).at("patience")))?;
        let patience = patience.min_delta(options.min_delta);
        let patience = patience.map_err(|error| here(RecipeError::from(error).at("min-delta")))?;
        Ok(Some((options.monitor.clone(), EarlyStopping::from(patience))))
    }
}

/// The model, its lines, and the shape of a sample of its outputs.
fn model(
    section: &ModelSection,
    registry: &Registry,
    parts: &Parts,
    seed: u64,
) -> Result<(AnyModule, Vec<LayerLine>, Vec<usize>)> {
    // What holds for all layers is tried by itself, so that what is wrong with it is told where it stands.
    for (field, part) in [("init", &section.init), ("bias-init", &section.bias_init)] {
        part.as_ref()
            .map(|part| registry.initializers.build(part, &()).map_err(|error| error.at(field)))
            .transpose()?;
    }
    if let Some(part) = &section.activation {
        registry.activations.build(part, &[1]).map_err(|error| error.at("activation"))?;
    }
    let site = LayerSite {
        registry,
        model: section,
        input: &parts.sample_shape,
        outputs: parts.train.n_outputs(),
        key: Key::new(seed).with_str("first weights"),
        last: true,
    };
    let (model, lines, shape): (AnyModule, _, _) = match (&section.network, section.layers.is_empty()) {
        (Some(_), false) => return Err(RecipeError::value("either a network or layers", "both").at("network")),
        (None, true) => return Err(RecipeError::missing("the model has neither `layers` nor a `network`").at("layers")),
        (None, false) => {
            let (chain, lines) = layers(&site, &section.layers).map_err(|error| error.at("layers"))?;
            let shape = lines.last().map_or_else(Vec::new, |line| line.output.clone());
            (Box::new(chain), lines, shape)
        }
        (Some(part), true) => {
            let here = |error: RecipeError| error.at("network");
            let network: <Layers as crate::Family>::Built = registry.layers.build(part, &site).map_err(here)?;
            let shape = output(&*network, &parts.sample_shape).map_err(here)?;
            let lines = network_lines(part.kind(), &network, &shape);
            (network, lines, shape)
        }
    };
    let Some(part) = &section.output else { return Ok((model, lines, shape)) };
    let activation = registry.activations.build(part, &shape).map_err(|error| error.at("output"))?;
    Ok((Box::new(Activated { module: model, activation }), lines, shape))
}

/// Makes numbers of classes, where the loss takes numbers.
fn prepare_targets(set: &mut Set, takes: Takes, outputs: usize) {
    let (Some(n_classes), Some(classes)) = (set.n_classes(), &set.targets().classes) else { return };
    let (no, yes) = match takes {
        Takes::Classes | Takes::Shares => return,
        Takes::Numbers => (0.0, 1.0),
        Takes::Signs => (-1.0, 1.0),
    };
    let columns = if n_classes == 2 && outputs == 1 { 1 } else { n_classes };
    let numbers = ArrayD::from_shape_fn(IxDyn(&[classes.len(), columns]), |index| {
        let class = if columns == 1 { 1 } else { index[1] };
        if classes[index[0]] == class { yes } else { no }
    });
    set.targets_mut().numbers = Some(numbers);
}
