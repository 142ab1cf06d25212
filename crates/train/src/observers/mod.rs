//! Observers that write down what a loop tells.

mod json_lines;
mod lines;
mod profile;
#[cfg(feature = "progress")]
mod progress;

pub use json_lines::JsonLines;
pub use lines::Lines;
pub use profile::LayerProfile;
#[cfg(feature = "progress")]
pub use progress::Progress;

/// `name value` pairs in words: `loss 0.0312, accuracy 99.17 %`.
fn words(values: &[(String, f64)]) -> String {
    let word = |(name, value): &(String, f64)| {
        if name.ends_with("accuracy") { format!("{name} {:.2} %", 100.0 * value) } else { format!("{name} {value:.4}") }
    };
    values.iter().map(word).collect::<Vec<_>>().join(", ")
}
