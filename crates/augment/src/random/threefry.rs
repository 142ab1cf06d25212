//! Threefry-4x32 with 13 rounds: a block of 128 bits, scrambled under a key of 128 bits.
//!
//! Additions, rotations and exclusive ors of 32-bit words: what vector units do well. That is why it is here and not a library's generator:
//! noise needs a random word for every value of every image, and one generator that is called for each would cost more than everything
//! else.

/// Rounds. Twelve withstand every test of BigCrush (Salmon et al., 2011, table 2); thirteen are published with known answers.
pub(super) const ROUNDS: usize = 13;

/// The rotations of eight successive rounds, for words 0, 1 and for words 2, 3 of a pair (Salmon et al., table 3).
pub(super) const ROTATIONS: [[u32; 2]; 8] =
    [[10, 26], [11, 21], [13, 27], [23, 5], [6, 20], [17, 11], [25, 10], [18, 20]];

/// The constant of the key schedule (Skein's, for 32-bit words).
pub(super) const PARITY: u32 = 0x1bd1_1bda;

/// How many blocks [`group`] scrambles together: as many as a vector of 256 bits has words.
pub(crate) const LANES: usize = 8;

#[inline(always)]
fn schedule(key: [u32; 4]) -> [u32; 5] {
    [key[0], key[1], key[2], key[3], PARITY ^ key[0] ^ key[1] ^ key[2] ^ key[3]]
}

/// One block.
pub(super) fn threefry(counter: [u32; 4], key: [u32; 4]) -> [u32; 4] {
    let words = many::<1>(counter.map(|word| [word]), key);
    words.map(|word| word[0])
}

/// The words of blocks `LANES · index ..`: all first words, then all second ones, and so on.
#[inline(always)]
pub(super) fn group(index: u64, key: [u32; 4]) -> [[u32; LANES]; 4] {
    let block: [u64; LANES] = std::array::from_fn(|lane| index.wrapping_mul(LANES as u64).wrapping_add(lane as u64));
    many([block.map(|block| block as u32), block.map(|block| (block >> 32) as u32), [0; LANES], [0; LANES]], key)
}

/// `N` blocks at once. Every operation is on `N` words side by side, and every round is written out, so that the compiler makes vectors of
/// them.
#[inline(always)]
fn many<const N: usize>(mut x: [[u32; N]; 4], key: [u32; 4]) -> [[u32; N]; 4] {
    let schedule = schedule(key);
    inject(&mut x, &schedule, 0);
    let mut round = 0;
    // Four rounds and an injection: in odd rounds words 1 and 3 have changed places.
    while round + 4 <= ROUNDS {
        let rotations = &ROTATIONS[round % 8..][..4];
        mix(&mut x, [1, 3], rotations[0]);
        mix(&mut x, [3, 1], rotations[1]);
        mix(&mut x, [1, 3], rotations[2]);
        mix(&mut x, [3, 1], rotations[3]);
        round += 4;
        inject(&mut x, &schedule, round / 4);
    }
    const { assert!(ROUNDS % 4 == 1, "one round is left") };
    mix(&mut x, [1, 3], ROTATIONS[round % 8]);
    x
}

/// A round: words 0 and 2 each with a partner.
#[inline(always)]
fn mix<const N: usize>(x: &mut [[u32; N]; 4], partners: [usize; 2], rotations: [u32; 2]) {
    for half in 0..2 {
        let (word, partner, rotation) = (2 * half, partners[half], rotations[half]);
        for lane in 0..N {
            x[word][lane] = x[word][lane].wrapping_add(x[partner][lane]);
        }
        for lane in 0..N {
            x[partner][lane] = x[partner][lane].rotate_left(rotation) ^ x[word][lane];
        }
    }
}

/// Adds the key for the `n`-th time.
#[inline(always)]
fn inject<const N: usize>(x: &mut [[u32; N]; 4], schedule: &[u32; 5], n: usize) {
    for word in 0..4 {
        let key = schedule[(n + word) % 5].wrapping_add(if word == 3 { n as u32 } else { 0 });
        for lane in 0..N {
            x[word][lane] = x[word][lane].wrapping_add(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the authors' known-answer tests: counter, key, result.
    #[test]
    fn known_answers() {
        let ones = u32::MAX;
        let cases = [
            ([0; 4], [0; 4], [0x531c_7e4f, 0x3949_1ee5, 0x2c85_5a92, 0x3d6a_bf9a]),
            ([ones; 4], [ones; 4], [0xc418_9358, 0x1c9c_c83a, 0xd588_1c67, 0x6a0a_89e0]),
            (
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0, 0x082e_fa98, 0xec4e_6c89],
                [0x4aa7_1d8f, 0x7347_38c2, 0x431f_c6a8, 0xae6d_ebf1],
            ),
        ];
        for (counter, key, expected) in cases {
            assert_eq!(threefry(counter, key), expected);
        }
    }

    #[test]
    fn a_group_is_eight_blocks() {
        let key = [1, 2, 3, 4];
        for index in [0, 5, u64::from(u32::MAX)] {
            let words = group(index, key);
            for lane in 0..LANES {
                let block = index * LANES as u64 + lane as u64;
                let expected = threefry([block as u32, (block >> 32) as u32, 0, 0], key);
                assert_eq!(words.map(|word| word[lane]), expected);
            }
        }
    }
}
