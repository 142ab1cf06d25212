//! A part of any set.

use super::{Samples, not_empty};
use crate::{DataError, Result, gather_values};
use std::sync::Mutex;

/// Some samples of another set, by reference or by value, without copying them.
///
/// A batch of it tells the indices in the whole set.
#[derive(Debug)]
pub struct Subset<S> {
    samples: S,
    indices: Vec<usize>,
    /// Memory for a batch's indices in the whole set.
    translated: Mutex<Vec<usize>>,
}

impl<S: Samples> Subset<S> {
    /// The samples `indices` of `samples`.
    ///
    /// # Errors
    /// If there are none, or an index is not below the number of samples.
    pub fn new(samples: S, indices: Vec<usize>) -> Result<Self> {
        not_empty("subset", &indices)?;
        let bound = samples.len();
        match indices.iter().position(|&i| i >= bound) {
            Some(position) => Err(DataError::Index { what: "subset", index: indices[position], bound, position }),
            None => Ok(Subset { samples, indices, translated: Mutex::default() }),
        }
    }

    /// Which samples of the whole set these are.
    pub fn indices(&self) -> &[usize] {
        &self.indices
    }
}

impl<S: Samples> Samples for Subset<S> {
    type Batch = S::Batch;

    fn len(&self) -> usize {
        self.indices.len()
    }

    fn gather(&self, indices: &[usize], batch: &mut Self::Batch) -> Result<()> {
        // The translated list is kept for the next batch. Whoever finds it in use, on another thread, makes a list of their own.
        let mut kept = self.translated.try_lock();
        let mut own = Vec::new();
        let translated = kept.as_deref_mut().unwrap_or(&mut own);
        gather_values(&self.indices, indices, translated)?;
        self.samples.gather(translated, batch)
    }
}

impl<S: Clone> Clone for Subset<S> {
    fn clone(&self) -> Self {
        Subset { samples: self.samples.clone(), indices: self.indices.clone(), translated: Mutex::default() }
    }
}
