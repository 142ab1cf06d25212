//! One line an epoch.

use super::words;
use gradwise_core::{Event, Observer, Real, Stop};
use std::io::Write;
use std::ops::ControlFlow;

/// Writes a plain line after each epoch, for logs and wherever there is no terminal.
///
/// ```text
/// epoch  1/10  train loss 0.8112, accuracy 75.16 %  test loss 0.2203, accuracy 94.17 %  0.4 s
/// ```
///
/// A line that cannot be written is left out: a full disk or a closed pipe does not end training.
#[derive(Debug)]
pub struct Lines<W> {
    out: W,
    epochs: u64,
}

impl<W: Write> Lines<W> {
    /// Lines to a writer.
    pub fn new(out: W) -> Self {
        Lines { out, epochs: 0 }
    }
}

impl<T: Real, W: Write> Observer<T> for Lines<W> {
    fn observe(&mut self, event: &Event<'_, T>) -> ControlFlow<Stop> {
        match event {
            Event::Start { epochs, .. } => self.epochs = *epochs,
            Event::Unreached { paths } => {
                let _ = writeln!(self.out, "{}", unreached_line(paths));
            }
            Event::Epoch { epoch, train_loss, train, validation, seconds, .. } => {
                let line = epoch_line(*epoch, self.epochs, *train_loss, train, validation, *seconds);
                let _ = writeln!(self.out, "{line}");
            }
            Event::End { stop: Some(stop), .. } => {
                let _ = writeln!(self.out, "stopped: {}", stop.reason);
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

pub(super) fn unreached_line(paths: &[String]) -> String {
    format!("the loss does not depend on {}", paths.join(", "))
}

pub(super) fn epoch_line(
    epoch: u64,
    epochs: u64,
    train_loss: f64,
    train: &[(String, f64)],
    validation: &[(String, f64)],
    seconds: f64,
) -> String {
    let width = epochs.to_string().len();
    let mut line = format!("epoch {:>width$}/{epochs}  train loss {train_loss:.4}", epoch + 1);
    if !train.is_empty() {
        line += &format!(", {}", words(train));
    }
    if !validation.is_empty() {
        line += &format!("  test {}", words(validation));
    }
    line + &format!("  {seconds:.1} s")
}
