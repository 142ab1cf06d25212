//! What the program says on its standard output.

use crate::failure::Failure;
use std::io::{ErrorKind, Result, Write};

/// A standard output that may go away before the program is done, as `gradwise | head -1` lets it.
///
/// What cannot be said does not end training, which may have hours behind it. A reader that went has heard what it wanted; any other
/// reason, such as a full disk, is told when the run is safe on disk, by [`Words::finish`].
#[derive(Debug)]
pub(crate) struct Words<W> {
    out: W,
    error: Option<std::io::Error>,
}

impl<W: Write> Words<W> {
    pub(crate) fn new(out: W) -> Self {
        Words { out, error: None }
    }

    /// Says a line.
    pub(crate) fn line(&mut self, text: impl std::fmt::Display) {
        // The error is kept by `write`.
        let _ = writeln!(self, "{text}");
    }

    /// Whether everything was said that anyone still listened to.
    pub(crate) fn finish(mut self) -> std::result::Result<(), Failure> {
        let _ = self.flush();
        match self.error {
            Some(error) if error.kind() != ErrorKind::BrokenPipe => {
                Err(Failure::Output(format!("standard output: {error}")))
            }
            _ => Ok(()),
        }
    }

    /// Keeps the first error, and hands its kind on.
    fn keep<T>(&mut self, result: Result<T>) -> Result<T> {
        result.map_err(|error| {
            let kind = error.kind();
            self.error.get_or_insert(error);
            kind.into()
        })
    }
}

impl<W: Write> Write for Words<W> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        let result = self.out.write(bytes);
        self.keep(result)
    }

    fn flush(&mut self) -> Result<()> {
        let result = self.out.flush();
        self.keep(result)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An output that takes a number of bytes and then fails.
    struct Full(usize, ErrorKind);

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> Result<usize> {
            if self.0 == 0 {
                return Err(self.1.into());
            }
            let n = bytes.len().min(self.0);
            self.0 -= n;
            Ok(n)
        }
        fn flush(&mut self) -> Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_went_is_no_failure_and_a_full_disk_is_one() {
        let mut words = Words::new(Full(3, ErrorKind::BrokenPipe));
        words.line("many words");
        words.line("more words");
        assert_eq!(words.finish(), Ok(()));
        let mut words = Words::new(Full(3, ErrorKind::StorageFull));
        words.line("many words");
        let Err(Failure::Output(told)) = words.finish() else { panic!("it was not told") };
        assert!(told.starts_with("standard output: "), "{told}");
        let mut words = Words::new(Vec::new());
        words.line(1);
        assert_eq!(words.out, b"1\n");
    }
}
