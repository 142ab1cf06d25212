//! Memory whose size others say: an error where there is not so much, in place of an end of the program.

use crate::{Error, Result};

/// Makes room for as many elements in all, so that what is added up to there allocates nothing.
///
/// # Errors
/// [`Error::Image`] with the name of what needs it.
pub(crate) fn reserve<T>(memory: &mut Vec<T>, len: usize, place: &str) -> Result<()> {
    memory.try_reserve(len.saturating_sub(memory.len())).map_err(|_| {
        let bytes = (len as u128).saturating_mul(size_of::<T>() as u128);
        Error::image(place, "an image that can be worked on in memory", format!("one that takes {bytes} bytes more"))
    })
}

/// Gives memory a length. What was there stays, up to it.
///
/// # Errors
/// As [`reserve`].
pub(crate) fn resize<T: Clone + Default>(memory: &mut Vec<T>, len: usize, place: &str) -> Result<()> {
    reserve(memory, len, place)?;
    memory.resize(len, T::default());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_there_is_is_refused() {
        let mut memory = vec![1_u32, 2, 3];
        for len in [usize::MAX, usize::MAX / 4, usize::MAX / 8] {
            let error = resize(&mut memory, len, "resize").unwrap_err().to_string();
            assert!(
                error.starts_with("resize: expected an image that can be worked on in memory, got one that"),
                "{error}"
            );
        }
        resize(&mut memory, 5, "resize").unwrap();
        assert_eq!(memory, [1, 2, 3, 0, 0]);
        resize(&mut memory, 2, "resize").unwrap();
        assert_eq!(memory, [1, 2]);
    }
}
