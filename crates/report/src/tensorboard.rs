//! Runs as event files of TensorBoard.
//!
//! An event file is a list of records: the length of each as 64 bits, its checksum, the bytes, and their checksum. The bytes are a message of
//! protocol buffers, `Event`, of which numbers by name need no more than six fields. They are written by hand here: a compiler for the
//! format, and what it generates, would be many times of this.

use crate::Run;
use std::time::UNIX_EPOCH;

/// Writes all numbers of a run, each under its name: the series of [`Run::series_names`], `params/PATH/grad_norm`, `…/weight_norm` and
/// `…/update_norm` of parameters, and `layers/PATH/mean`, `…/std` and `…/zeros` of layers.
///
/// TensorBoard finds files whose names contain `tfevents`, and shows each folder as a run. Times are those of the epochs, counted from when
/// the run's `config.json` was written.
///
/// ```
/// # let folder = tempfile::tempdir().unwrap();
/// # std::fs::write(folder.path().join("config.json"), r#"{"format": "gradwise-run"}"#).unwrap();
/// # std::fs::write(folder.path().join("metrics.jsonl"), "{\"event\": \"step\", \"step\": 0, \"loss\": 2.3}\n").unwrap();
/// use gradwise_report::{Run, event_file};
///
/// let run = Run::read(folder.path())?;
/// let bytes = event_file(&run);
/// std::fs::write(folder.path().join("events.out.tfevents.0.gradwise"), bytes).unwrap();
/// # Ok::<(), gradwise_report::ReportError>(())
/// ```
pub fn event_file(run: &Run) -> Vec<u8> {
    let written = std::fs::metadata(run.path.join("config.json")).and_then(|file| file.modified()).ok();
    let start = written.and_then(|time| time.duration_since(UNIX_EPOCH).ok()).map_or(0.0, |time| time.as_secs_f64());
    let clock = Clock::new(run, start);
    let mut file = Vec::new();
    let mut version = Message::default();
    version.double(1, start);
    version.bytes(3, b"brain.Event:2");
    record(&mut file, &version.0);
    let mut scalar = |name: &str, step: f64, value: f64| {
        let mut number = Message::default();
        number.bytes(1, name.as_bytes());
        number.float(2, value as f32);
        let mut summary = Message::default();
        summary.bytes(1, &number.0);
        let mut event = Message::default();
        event.double(1, clock.at(step));
        event.int(2, step as u64);
        event.bytes(5, &summary.0);
        record(&mut file, &event.0);
    };
    for name in run.series_names() {
        for [step, value] in run.series(&name) {
            scalar(&name, step, value);
        }
    }
    for at in &run.norms {
        for norms in &at.values {
            let mut of =
                |kind: &str, value: f64| scalar(&format!("params/{}/{kind}", norms.path), at.step as f64, value);
            of("grad_norm", norms.grad_norm);
            of("weight_norm", norms.weight_norm);
            if let Some(update) = norms.update_norm {
                of("update_norm", update);
            }
        }
    }
    for at in &run.readings {
        for layer in &at.values {
            for (kind, value) in [("mean", layer.mean), ("std", layer.std), ("zeros", layer.zeros)] {
                scalar(&format!("layers/{}/{kind}", layer.path), at.step as f64, value);
            }
        }
    }
    file
}

/// When each step was done.
struct Clock {
    /// Steps done, and the time then, from epoch to epoch.
    ends: Vec<[f64; 2]>,
}

impl Clock {
    fn new(run: &Run, start: f64) -> Self {
        let mut ends = vec![[0.0, start]];
        let mut now = start;
        for (epoch, end) in run.epochs.iter().zip(run.epoch_ends()) {
            now += if epoch.seconds > 0.0 { epoch.seconds } else { 0.0 };
            ends.push([end, now]);
        }
        Clock { ends }
    }

    /// The time of a step, as if those of an epoch took the same time each.
    fn at(&self, step: f64) -> f64 {
        let next = self.ends.partition_point(|[end, _]| *end < step);
        match (next.checked_sub(1).map(|i| self.ends[i]), self.ends.get(next).copied()) {
            (Some([from, then]), Some([to, now])) => then + (now - then) * (step - from) / (to - from),
            (Some([_, time]), None) | (None, Some([_, time])) => time,
            (None, None) => 0.0,
        }
    }
}

/// Adds a record to a file.
fn record(file: &mut Vec<u8>, bytes: &[u8]) {
    let length = (bytes.len() as u64).to_le_bytes();
    file.extend(length);
    file.extend(checksum(&length).to_le_bytes());
    file.extend(bytes);
    file.extend(checksum(bytes).to_le_bytes());
}

/// A CRC-32C, turned and moved, so that a checksum of bytes that hold checksums is a sound one.
fn checksum(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// A message of protocol buffers: fields, each a key of its number and kind, and its value.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut x: u64) {
        while x >= 0x80 {
            self.0.push(x as u8 | 0x80);
            x >>= 7;
        }
        self.0.push(x as u8);
    }

    fn int(&mut self, field: u64, x: u64) {
        self.varint(field << 3);
        self.varint(x);
    }

    fn double(&mut self, field: u64, x: f64) {
        self.varint(field << 3 | 1);
        self.0.extend(x.to_le_bytes());
    }

    fn float(&mut self, field: u64, x: f32) {
        self.varint(field << 3 | 5);
        self.0.extend(x.to_le_bytes());
    }

    fn bytes(&mut self, field: u64, bytes: &[u8]) {
        self.varint(field << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_as_the_format_says() {
        let mut file = Vec::new();
        record(&mut file, b"");
        // The sum of nothing is 0, and the mask alone is left.
        assert_eq!((file.len(), &file[..8], &file[12..]), (16, &[0; 8][..], &0xa282_ead8_u32.to_le_bytes()[..]));
        // The sum that RFC 3720 gives for 32 zero bytes.
        assert_eq!(checksum(&[0; 32]), 0x8a91_36aa_u32.rotate_right(15).wrapping_add(0xa282_ead8));
        let mut message = Message::default();
        message.int(2, 300);
        message.bytes(1, b"ab");
        assert_eq!(message.0, [0x10, 0xac, 0x02, 0x0a, 2, b'a', b'b']);
    }

    #[test]
    fn time_passes_with_epochs() {
        let clock = Clock { ends: vec![[0.0, 100.0], [4.0, 102.0], [8.0, 106.0]] };
        assert_eq!(
            [0.0, 2.0, 4.0, 6.0, 8.0, 9.0].map(|step| clock.at(step)),
            [100.0, 101.0, 102.0, 104.0, 106.0, 106.0]
        );
    }
}
