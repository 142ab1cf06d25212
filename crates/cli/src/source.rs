//! Where the data come from.

use crate::args::TrainArgs;
use crate::failure::Failure;
use gradwise::prelude::*;

/// Data to train and to test on, scaled; and how they are told of.
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) parts: TrainTest<Labelled<f32>>,
    pub(crate) scaler: StandardScaler,
    pub(crate) embedded: bool,
}

impl Source {
    /// Reads the folder that was named, or the embedded digits, a fifth of which is held out.
    pub(crate) fn load(args: &TrainArgs, seed: u64) -> Result<Self, Failure> {
        let (name, mut parts, embedded) = match &args.data {
            Some(folder) => {
                let name = folder.canonicalize().ok().and_then(|path| Some(path.file_name()?.display().to_string()));
                (name.unwrap_or_else(|| String::from("data")), read_folder::<f32>(folder)?, false)
            }
            None => {
                let digits = digits::<f32>();
                let parts = digits.train_test(&stratified_split(digits.labels(), 0.2, seed)?)?;
                (String::from("digits"), parts, true)
            }
        };
        // One mean and one scale for all pixels, from the training part only.
        let scaler = StandardScaler::fit(Per::All, parts.train.inputs())?;
        scaler.transform(parts.train.inputs_mut())?;
        scaler.transform(parts.test.inputs_mut())?;
        Ok(Source { name, parts, scaler, embedded })
    }

    /// The shape of an image: channels, height, width.
    pub(crate) fn image(&self) -> Result<[usize; 3], Failure> {
        <[usize; 3]>::try_from(self.parts.train.sample_shape()).map_err(|_| {
            let got = self.parts.train.sample_shape();
            Failure::Data(format!("{}: expected images (samples of two axes), got samples of shape {got:?}", self.name))
        })
    }
}
