//! Sequences: padding, masks and buckets; and the binary format of CIFAR.

use gradwise_data::{
    DataError, PadSide, Samples, SequenceBatch, Sequences, cifar10_from_bytes, length_buckets, pad, pad_tokens,
    read_cifar10, read_cifar100,
};
use ndarray::{ArrayD, Axis, IxDyn, array};
use proptest::prelude::*;

fn told<X>(result: Result<X, DataError>) -> String {
    result.map(drop).unwrap_err().to_string()
}

fn steps(length: usize, start: usize) -> ArrayD<f64> {
    ArrayD::from_shape_fn(IxDyn(&[length, 2]), |at| (start * 100 + at[0] * 2 + at[1] + 1) as f64)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn padded_sequences_hold_theirs_and_nothing_else(
        lengths in prop::collection::vec(0_usize..6, 1..8), cut in prop::option::of(1_usize..7), before: bool,
    ) {
        let side = if before { PadSide::Before } else { PadSide::After };
        let sequences: Vec<ArrayD<f64>> = lengths.iter().enumerate().map(|(i, &n)| steps(n, i)).collect();
        let padded = pad(&sequences, -1.0, cut, side).unwrap();
        let length = cut.unwrap_or_else(|| lengths.iter().copied().max().unwrap());
        prop_assert_eq!(padded.values.shape(), &[lengths.len(), length, 2]);
        let tokens: Vec<Vec<usize>> = lengths.iter().map(|&n| (10..10 + n).collect()).collect();
        let words = pad_tokens::<f64, _>(&tokens, 0, cut, side).unwrap();
        prop_assert_eq!((&words.mask, &words.lengths), (&padded.mask, &padded.lengths));
        let mut set = Sequences::new(sequences.clone(), vec![0_usize; lengths.len()]).unwrap().padded_with(-1.0, side);
        if let Some(cut) = cut {
            set = set.cut_to(cut).unwrap();
        }
        let mut batch = SequenceBatch::default();
        set.gather(&(0..lengths.len()).collect::<Vec<_>>(), &mut batch).unwrap();
        prop_assert_eq!(&batch.lengths, &padded.lengths);
        for (i, &n) in lengths.iter().enumerate() {
            let kept = n.min(length);
            prop_assert_eq!(padded.lengths[i], kept);
            for at in 0..length {
                // Which step of the sequence stands here, if any.
                let step = if before { (at + n).checked_sub(length) } else { Some(at).filter(|&at| at < kept) };
                prop_assert_eq!(padded.mask[[i, at]] == 1.0, step.is_some());
                prop_assert_eq!(padded.values[[i, at, 1]], step.map_or(-1.0, |step| sequences[i][[step, 1]]));
                prop_assert_eq!(words.values[[i, at]], step.map_or(0, |step| 10 + step));
            }
            // A batch is as long as its longest, which may be shorter than a given length.
            let offset = if before { length - batch.inputs.shape()[1] } else { 0 };
            for at in 0..batch.inputs.shape()[1] {
                prop_assert_eq!(batch.inputs[[i, at, 0]], padded.values[[i, at + offset, 0]]);
                prop_assert_eq!(batch.mask[[i, at]], padded.mask[[i, at + offset]]);
            }
        }
    }

    #[test]
    fn buckets_hold_each_sequence_once(
        lengths in prop::collection::vec(0_usize..50, 1..60), size in 1_usize..9, pool in 1_usize..9, seed: u64,
    ) {
        let batches = length_buckets(&lengths, size, pool, seed, 0).unwrap();
        prop_assert_eq!(&batches, &length_buckets(&lengths, size, pool, seed, 0).unwrap());
        let mut all = batches.concat();
        all.sort_unstable();
        prop_assert_eq!(all, (0..lengths.len()).collect::<Vec<_>>());
        prop_assert!(batches.iter().filter(|batch| batch.len() != size).count() <= 1);
        if size * pool >= lengths.len() {
            // One pool: batches do not overlap in length.
            let mut spans: Vec<(usize, usize)> = batches.iter()
                .map(|batch| (batch.iter().map(|&i| lengths[i]).min().unwrap(), batch.iter().map(|&i| lengths[i]).max().unwrap()))
                .collect();
            spans.sort_unstable();
            prop_assert!(spans.windows(2).all(|pair| pair[0].1 <= pair[1].0));
        }
    }
}

#[test]
fn buckets_save_padding() {
    let lengths: Vec<usize> = (0..1000).map(|i| 1 + (i * 7919) % 100).collect();
    let padded = |pool| {
        let batches = length_buckets(&lengths, 20, pool, 1, 0).unwrap();
        batches.iter().map(|b| b.len() * b.iter().map(|&i| lengths[i]).max().unwrap()).sum::<usize>()
    };
    let real: usize = lengths.iter().sum();
    assert!(padded(25) as f64 / (real as f64) < 1.1 && padded(1) as f64 / real as f64 > 1.7);
    assert_ne!(length_buckets(&lengths, 20, 5, 1, 0).unwrap(), length_buckets(&lengths, 20, 5, 1, 1).unwrap());
}

#[test]
fn what_is_refused() {
    assert_eq!(told(pad::<f32>(&[], 0.0, None, PadSide::After)), "pad: expected at least one sequence, got none");
    let odd = [steps(2, 0), array![[1.0]].into_dyn()];
    assert_eq!(
        told(pad(&odd, 0.0, None, PadSide::After)),
        "pad: expected steps of shape [2], as in the first sequence, got shape [1, 1]"
    );
    assert_eq!(
        told(Sequences::new(odd.to_vec(), vec![0, 1])),
        "sequences: expected [steps, …] with steps of shape [2], as in the first, got shape [1, 1]"
    );
    assert_eq!(
        told(Sequences::new(vec![steps(1, 0)], vec![0.5, 1.0])),
        "sequences: expected 1 targets, one a sequence, got shape [2]"
    );
    assert!(Sequences::<f32, usize>::new(vec![], vec![]).is_err());
    assert!(Sequences::new(vec![ArrayD::<f32>::zeros(IxDyn(&[]))], vec![0]).is_err());
    let set = Sequences::new(vec![steps(1, 0)], vec![0]).unwrap();
    assert!(set.clone().cut_to(0).is_err());
    let mut batch = SequenceBatch::default();
    assert_eq!(told(set.gather(&[1], &mut batch)), "gather: expected an index below 1, got 1 at position 0");
    assert!(pad_tokens::<f32, Vec<usize>>(&[], 0, None, PadSide::After).is_err());
    assert!(
        length_buckets(&[], 1, 1, 0, 0).is_err()
            && length_buckets(&[1], 0, 1, 0, 0).is_err()
            && length_buckets(&[1], 1, 0, 0, 0).is_err()
    );
}

#[test]
fn cifar_is_read_from_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let sample = |label: &[u8], value: u8| {
        [label, &(0..3072).map(|i| value.wrapping_add((i / 1024) as u8)).collect::<Vec<_>>()].concat()
    };
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    for i in 1..=5_u8 {
        write(&format!("data_batch_{i}.bin"), &[sample(&[i], 10 * i), sample(&[0], i)].concat());
    }
    assert!(told(read_cifar10::<f32>(folder.path())).contains("test_batch.bin: "));
    write("test_batch.bin", &sample(&[9], 7));
    let cifar = read_cifar10::<f32>(folder.path()).unwrap();
    assert_eq!((cifar.train.labels(), cifar.test.labels()), (&[1, 0, 2, 0, 3, 0, 4, 0, 5, 0][..], &[9][..]));
    let third = cifar.train.inputs().index_axis(Axis(0), 2).to_owned();
    assert_eq!((third.shape(), third[[0, 0, 0]], third[[2, 31, 31]]), (&[3, 32, 32][..], 20.0, 22.0));
    write("batches.meta.txt", b"a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n\n");
    assert_eq!(read_cifar10::<f32>(folder.path()).unwrap().test.class_name(9), "j");
    write("batches.meta.txt", b"a\n");
    assert!(told(read_cifar10::<f32>(folder.path())).ends_with("expected 10 names, got 1"));
    write("train.bin", &[sample(&[3, 99], 1), sample(&[0, 5], 2)].concat());
    write("test.bin", &sample(&[3, 8], 1));
    assert_eq!(read_cifar100::<f32>(folder.path()).unwrap().train.labels(), [99, 5]);

    let two = [sample(&[1], 0), sample(&[10], 0)].concat();
    assert_eq!(
        told(cifar10_from_bytes::<f32>(&two, "x.bin")),
        "x.bin: at byte 3073: expected a label below 10, got 10"
    );
    assert_eq!(
        told(cifar10_from_bytes::<f32>(&two[..6000], "x.bin")),
        "x.bin: at byte 6000: expected samples of 3073 bytes, got the end after 2927 of them"
    );
    assert!(cifar10_from_bytes::<f32>(&[], "x.bin").is_err());
}
