//! The scores and targets that a ranking is made of, kept until its value is asked for.

use super::CurvePoint;
use super::curve::{Answer, curve};
use crate::Average;
use crate::batch::{Weights, scores};
use crate::binary::{of_numbers, yes_or_no};
use gradwise_core::{ArrayRefD, Error, Real, Result};

/// All answers so far: of one question, or of one for each class ("is it this one?").
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ranked {
    op: &'static str,
    classes: Option<(usize, Average)>,
    /// For each class, one answer a sample; a single list for one question.
    answers: Vec<Vec<Answer>>,
}

impl Ranked {
    pub(super) fn binary(op: &'static str) -> Self {
        Ranked { op, classes: None, answers: vec![Vec::new()] }
    }

    pub(super) fn one_vs_rest(op: &'static str, n_classes: usize, average: Average) -> Result<Self> {
        if n_classes < 2 {
            return Err(Error::value(op, "at least 2 classes", n_classes));
        }
        Ok(Ranked { op, classes: Some((n_classes, average)), answers: vec![Vec::new(); n_classes] })
    }

    pub(super) fn reset(&mut self) {
        self.answers.iter_mut().for_each(Vec::clear);
    }

    pub(super) fn update_labels<T: Real>(
        &mut self,
        predictions: &ArrayRefD<T>,
        targets: &[usize],
        weights: Option<&[f64]>,
    ) -> Result<()> {
        let (op, n) = (self.op, targets.len());
        let weights = Weights::new(op, n, weights)?;
        if let Some((n_classes, _)) = self.classes {
            let scores = scores(op, predictions, targets)?;
            if scores.ncols() != n_classes {
                return Err(Error::shape(op, format!("[{n}, {n_classes}]"), predictions.shape()));
            }
            for (i, (row, &target)) in scores.outer_iter().zip(targets).enumerate() {
                for (class, score) in row.iter().enumerate() {
                    add(&mut self.answers[class], score.as_f64(), class == target, weights.of(i));
                }
            }
            return Ok(());
        }
        yes_or_no(op, targets)?;
        let answers = &mut self.answers[0];
        match predictions.shape() {
            [rows] | [rows, 1] if *rows == n => {
                for (i, (score, &target)) in predictions.iter().zip(targets).enumerate() {
                    add(answers, score.as_f64(), target == 1, weights.of(i));
                }
                Ok(())
            }
            [rows, 2] if *rows == n => {
                for (i, (row, &target)) in predictions.outer_iter().zip(targets).enumerate() {
                    // Of logits this is the log-odds, of probabilities 2p − 1: either way it ranks as the probability does.
                    add(answers, row[[1]].as_f64() - row[[0]].as_f64(), target == 1, weights.of(i));
                }
                Ok(())
            }
            shape => Err(Error::shape(op, format!("[{n}], [{n}, 1] or [{n}, 2]"), shape)),
        }
    }

    pub(super) fn update_numbers<T: Real>(
        &mut self,
        predictions: &ArrayRefD<T>,
        targets: &ArrayRefD<T>,
        weights: Option<&[f64]>,
    ) -> Result<()> {
        let Some((n_classes, _)) = self.classes else {
            let answers = &mut self.answers[0];
            return of_numbers(self.op, predictions, targets, weights, |score, positive, weight| {
                add(answers, score, positive, weight);
            });
        };
        if predictions.ndim() != 2 || predictions.shape()[1] != n_classes {
            return Err(Error::shape(self.op, format!("[N, {n_classes}]"), predictions.shape()));
        }
        let (mut class, answers) = (0, &mut self.answers);
        of_numbers(self.op, predictions, targets, weights, |score, positive, weight| {
            add(&mut answers[class], score, positive, weight);
            class = (class + 1) % n_classes;
        })
    }

    /// The curve of all answers of one question, or of those of a class.
    pub(super) fn curve(&self, class: usize) -> Vec<CurvePoint> {
        self.answers.get(class).map_or(Vec::new(), |answers| curve(answers.clone()))
    }

    /// What `area` makes of the curve, averaged over classes.
    pub(super) fn value(&self, area: impl Fn(&[CurvePoint]) -> f64) -> f64 {
        if self.answers.iter().flatten().any(|answer| answer.score.is_nan()) {
            return f64::NAN;
        }
        let average = match self.classes {
            None => return area(&self.curve(0)),
            Some((_, Average::Micro)) => return area(&curve(self.answers.concat())),
            Some((_, average)) => average,
        };
        let (mut sum, mut weights) = (0.0, 0.0);
        for class in 0..self.answers.len() {
            let points = self.curve(class);
            let value = area(&points);
            if !value.is_nan() {
                let size = points.last().map_or(0.0, |last| last.true_positives);
                let weight = if average == Average::Weighted { size } else { 1.0 };
                sum += weight * value;
                weights += weight;
            }
        }
        sum / weights
    }
}

fn add(answers: &mut Vec<Answer>, score: f64, positive: bool, weight: f64) {
    if weight != 0.0 {
        answers.push(Answer { score, positive, weight });
    }
}
