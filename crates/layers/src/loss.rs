//! The losses of `gradwise_tensor`, where a model is made: see there for their formulas.
//!
//! ```
//! use gradwise_layers::{CrossEntropyLoss, Reduction, Tape, TapeExt, Mode, Workspace};
//! use ndarray::array;
//!
//! let loss = CrossEntropyLoss::default().label_smoothing(0.1)?;
//! let (logits, labels) = (array![[2.0, -1.0], [0.5, 0.5]].into_dyn(), [0, 1]);
//! let mut workspace = Workspace::<f64>::new();
//! let mut tape = Tape::new(&mut workspace, Mode::evaluate());
//! let x = tape.input(&logits);
//! let y = tape.loss(&loss, x, &labels[..], Reduction::Mean)?;
//! assert!(tape.value(y).first().is_some_and(|loss| *loss > 0.0));
//! # Ok::<(), gradwise_layers::Error>(())
//! ```

pub use gradwise_tensor::loss::{
    BceWithLogitsLoss, BinaryFocalLoss, CosineEmbedding, CosineSimilarityLoss, CrossEntropyLoss, FocalLoss, HingeError,
    HingeLoss, HuberLoss, KlDivLoss, MaeLoss, MseLoss, MultiMarginLoss, TripletMargin,
};
