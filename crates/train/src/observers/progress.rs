//! A progress bar (feature `progress`).

use super::lines::{epoch_line, unreached_line};
use gradwise_core::{Event, Observer, Real, Stop};
use indicatif::{ProgressBar, ProgressStyle};
use std::ops::ControlFlow;

/// A progress bar on the terminal's error stream, with a line above it for each finished epoch.
///
/// Where the error stream is no terminal, nothing is drawn: use [`Lines`](crate::Lines) there.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    epochs: u64,
    loss: f64,
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}

impl Progress {
    /// A bar that appears when training starts.
    pub fn new() -> Self {
        Progress { bar: ProgressBar::hidden(), epochs: 0, loss: f64::NAN }
    }
}

impl<T: Real> Observer<T> for Progress {
    fn observe(&mut self, event: &Event<'_, T>) -> ControlFlow<Stop> {
        match event {
            Event::Start { epochs, steps_per_epoch, .. } => {
                self.epochs = *epochs;
                self.bar = ProgressBar::new(epochs.saturating_mul(*steps_per_epoch));
                let style = "{bar:32} step {pos}/{len}  {per_sec}  {eta} left  {msg}";
                // The template is a constant that is known to be right.
                self.bar
                    .set_style(ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()));
            }
            Event::Step { loss, .. } => {
                // A running mean of some twenty steps: a single batch's loss only flickers.
                let loss = loss.as_f64();
                self.loss = if self.loss.is_nan() { loss } else { 0.95 * self.loss + 0.05 * loss };
                self.bar.inc(1);
                if self.bar.position().is_multiple_of(8) {
                    self.bar.set_message(format!("loss {:.4}", self.loss));
                }
            }
            Event::Unreached { paths } => self.bar.println(unreached_line(paths)),
            Event::Epoch { epoch, train_loss, train, validation, seconds, .. } => {
                self.bar.println(epoch_line(*epoch, self.epochs, *train_loss, train, validation, *seconds));
            }
            Event::End { stop, .. } => {
                if let Some(stop) = stop {
                    self.bar.println(format!("stopped: {}", stop.reason));
                }
                self.bar.finish_and_clear();
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}
