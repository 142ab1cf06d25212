//! A run's numbers as series, by name.

use super::Run;
use std::collections::BTreeSet;

impl Run {
    /// The names of everything that was measured again and again, for [`Run::series`].
    ///
    /// `loss`, `learning_rate`, `grad_norm`, `momentum` and `samples` of every step; `train_loss`, `seconds`, `train/NAME` and
    /// `validation/NAME` of every epoch. Names of which there is no finite number are left out.
    pub fn series_names(&self) -> Vec<String> {
        let mut names: Vec<String> =
            ["loss", "learning_rate", "grad_norm", "momentum", "train_loss", "seconds"].map(String::from).into();
        for (part, _) in PARTS {
            names.extend(self.measures(part).into_iter().map(|name| format!("{part}/{name}")));
        }
        names.retain(|name| self.series(name).iter().any(|point| point[1].is_finite()));
        names
    }

    /// A series as points `[step, value]`: of an epoch's numbers, the step is the number of steps done by its end.
    ///
    /// Empty if there is no such series. Values that were not finite are NaN.
    pub fn series(&self, name: &str) -> Vec<[f64; 2]> {
        let step = |value: fn(&super::Step) -> f64| self.steps.iter().map(|s| [s.step as f64, value(s)]).collect();
        let epoch = |value: &dyn Fn(&super::Epoch) -> Option<f64>| {
            let point = |(e, end): (&super::Epoch, f64)| Some([end, value(e)?]);
            self.epochs.iter().zip(self.epoch_ends()).filter_map(point).collect()
        };
        match name {
            "loss" => step(|s| s.loss),
            "learning_rate" => step(|s| s.learning_rate),
            "grad_norm" => step(|s| s.grad_norm),
            "momentum" => self.steps.iter().filter_map(|s| Some([s.step as f64, s.momentum?])).collect(),
            "train_loss" => epoch(&|e| Some(e.train_loss)),
            "seconds" => epoch(&|e| Some(e.seconds)),
            _ => {
                match name.split_once('/').and_then(|(part, name)| Some((PARTS.iter().find(|p| p.0 == part)?.1, name)))
                {
                    Some((values, name)) => {
                        epoch(&|e| values(e).iter().find(|(n, _)| n == name).map(|(_, value)| *value))
                    }
                    None => Vec::new(),
                }
            }
        }
    }

    /// The names of what was measured on a part of the data, `"train"` or `"validation"`.
    pub(crate) fn measures(&self, part: &str) -> Vec<String> {
        let Some((_, values)) = PARTS.iter().find(|(name, _)| *name == part) else { return Vec::new() };
        let names: BTreeSet<&str> = self.epochs.iter().flat_map(values).map(|(name, _)| name.as_str()).collect();
        names.into_iter().map(String::from).collect()
    }

    /// For each epoch, how many steps were done by its end.
    pub(crate) fn epoch_ends(&self) -> Vec<f64> {
        let mut ends = Vec::with_capacity(self.epochs.len());
        let mut at = 0;
        for epoch in &self.epochs {
            while at < self.steps.len() && self.steps[at].epoch <= epoch.epoch {
                at += 1;
            }
            let planned = || self.plan.map_or(epoch.epoch + 1, |[_, steps]| (epoch.epoch + 1) * steps);
            ends.push(if at > 0 { self.steps[at - 1].step + 1 } else { planned() } as f64);
        }
        ends
    }
}

type Values = fn(&super::Epoch) -> &[(String, f64)];

/// The parts of the data, and where their numbers are.
const PARTS: [(&str, Values); 2] = [("train", |e| &e.train), ("validation", |e| &e.validation)];
