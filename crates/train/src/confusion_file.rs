//! Which class was taken for which, kept with a run.

use crate::evaluate::Measures;
use crate::run_folder::write_json;
use crate::{Result, RunFolder};
use gradwise_core::{ArrayViewD, Metric, Real};
use gradwise_data::{Batch, Targets};
use gradwise_metrics::Confusion;
use serde_json::json;

/// A confusion matrix is measured like a list of metrics, and stays there to be looked at; its value is the accuracy.
///
/// ```
/// use gradwise_data::{Samples, digits};
/// use gradwise_layers::{Chain, CrossEntropyLoss, Flatten, Linear, core::Key};
/// use gradwise_metrics::Confusion;
/// use gradwise_train::{Supervised, evaluate};
///
/// let digits = digits::<f32>();
/// let model = Chain::new().with(Flatten).with(Linear::new(64, 10, Key::new(0))?);
/// let mut confusion = Confusion::new(10)?;
/// let objective = Supervised(CrossEntropyLoss::default());
/// let measured = evaluate(&model, &digits, 256, &objective, &mut confusion, &mut Default::default())?;
/// assert_eq!(confusion.weight(), digits.len() as f64);
/// assert_eq!(measured.get("accuracy"), Some(confusion.value()));
/// # Ok::<(), gradwise_train::TrainError>(())
/// ```
impl<T: Real, Y: Targets<View = [usize]>> Measures<T, Batch<T, Y>> for Confusion {
    fn reset(&mut self) {
        Confusion::reset(self);
    }
    fn update(&mut self, predictions: ArrayViewD<'_, T>, batch: &Batch<T, Y>) -> gradwise_core::Result<()> {
        Metric::<T, [usize]>::update(self, &predictions, batch.targets.view(), None)
    }
    fn values(&self) -> Vec<(String, f64)> {
        vec![(self.name().to_owned(), self.value())]
    }
}

impl RunFolder {
    /// Writes `confusion.json`: which class was taken for which, on whatever data the run was tested on in the end. Classes without a name
    /// in `classes` get their number.
    ///
    /// ```
    /// use gradwise_metrics::Confusion;
    /// use gradwise_train::RunFolder;
    ///
    /// # let parent = tempfile::tempdir().unwrap();
    /// # let path = parent.path().join("run");
    /// let folder = RunFolder::create(&path, &"a test")?;
    /// let mut confusion = Confusion::new(2)?;
    /// confusion.update_classes(&[0, 1, 1], &[0, 0, 1], None)?;
    /// folder.save_confusion(&confusion, &["cat", "dog"])?;
    /// assert!(path.join("confusion.json").is_file());
    /// # Ok::<(), gradwise_train::TrainError>(())
    /// ```
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save_confusion<S: AsRef<str>>(&self, confusion: &Confusion, classes: &[S]) -> Result<()> {
        let matrix = confusion.matrix();
        let name =
            |class: usize| classes.get(class).map_or_else(|| class.to_string(), |name: &S| name.as_ref().to_owned());
        let classes: Vec<String> = (0..matrix.nrows()).map(name).collect();
        let rows: Vec<Vec<f64>> = matrix.rows().into_iter().map(|row| row.to_vec()).collect();
        let value = json!({"classes": classes, "matrix": rows, "undecided": confusion.undecided()});
        write_json(&self.path().join("confusion.json"), &value)
    }
}
