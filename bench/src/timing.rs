//! Repeating something until its time is known.

use std::time::{Duration, Instant};

/// What one call takes, in seconds.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// The median of the samples.
    pub median: f64,
    /// A tenth of the samples is below it.
    pub p10: f64,
    /// A tenth of the samples is above it.
    pub p90: f64,
    /// What all threads of the process spent on a processor for one call, where the system tells it.
    pub processor: Option<f64>,
    /// Calls that were timed.
    pub calls: usize,
}

/// How long a sample is: long enough for the clock, short enough for many of them.
const SAMPLE: f64 = 0.1;

/// Times calls of `f` for about as long as `budget`, after a warm-up of 0.4 s.
///
/// A sample is the average of as many calls as fit into a tenth of a second. There are at least 5 samples, or 3 of what takes longer than
/// 0.4 s a call.
pub fn measure(budget: Duration, mut f: impl FnMut()) -> Timing {
    let begin = Instant::now();
    let mut n = 0;
    while n < 3 || begin.elapsed().as_secs_f64() < 0.4 {
        f();
        n += 1;
        if n >= 2 && begin.elapsed().as_secs_f64() > 2.0 {
            break;
        }
    }
    let average = begin.elapsed().as_secs_f64() / f64::from(n);
    let last = Instant::now();
    f();
    let once = last.elapsed().as_secs_f64().min(average).max(1e-9);
    let calls = (SAMPLE / once).clamp(1.0, 1e8) as usize;
    let least = if once < 0.4 { 5 } else { 3 };

    let mut samples = Vec::new();
    let (begin, processor) = (Instant::now(), processor_seconds());
    while samples.len() < least || begin.elapsed() < budget {
        let begin = Instant::now();
        (0..calls).for_each(|_| f());
        samples.push(begin.elapsed().as_secs_f64() / calls as f64);
    }
    let n_calls = calls * samples.len();
    let processor = processor_seconds().zip(processor).map(|(end, begin)| (end - begin) / n_calls as f64);
    samples.sort_by(f64::total_cmp);
    let at = |tenths: usize| samples[samples.len() * tenths / 10];
    Timing { median: at(5), p10: at(1), p90: at(9), processor, calls: n_calls }
}

/// Seconds that all threads of this process have been on a processor. Other programs do not count.
pub fn processor_seconds() -> Option<f64> {
    clock::seconds(clock::PROCESS)
}

/// Seconds that the calling thread has been on a processor.
pub fn thread_seconds() -> Option<f64> {
    clock::seconds(clock::THREAD)
}

#[cfg(unix)]
mod clock {
    use rustix::time::{ClockId, clock_gettime};

    pub(super) const PROCESS: ClockId = ClockId::ProcessCPUTime;
    pub(super) const THREAD: ClockId = ClockId::ThreadCPUTime;

    pub(super) fn seconds(clock: ClockId) -> Option<f64> {
        let time = clock_gettime(clock);
        Some(time.tv_sec as f64 + time.tv_nsec as f64 / 1e9)
    }
}

#[cfg(not(unix))]
mod clock {
    pub(super) const PROCESS: () = ();
    pub(super) const THREAD: () = ();

    pub(super) fn seconds(_: ()) -> Option<f64> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_sleeps_takes_time_and_no_processor() {
        let timing = measure(Duration::from_millis(50), || std::thread::sleep(Duration::from_millis(20)));
        assert!(timing.p10 >= 0.020 && timing.p10 <= timing.median && timing.median <= timing.p90, "{timing:?}");
        assert!(timing.calls >= 5, "{timing:?}");
        assert!(timing.processor.is_none_or(|seconds| seconds < timing.median / 2.0), "{timing:?}");
    }
}
