//! The cases, and by what factor each has to beat the fastest peer.

/// A case with its target.
#[derive(Debug)]
pub(super) struct Target {
    /// The case, as every program names it.
    pub(super) case: &'static str,
    /// What it is.
    pub(super) what: &'static str,
    /// Whether its samples are images.
    pub(super) images: bool,
    /// Whether a step takes so long that ten pairs have to do.
    pub(super) slow: bool,
    /// How many times faster than the fastest peer, on one thread and on two.
    factors: [f64; 2],
}

impl Target {
    /// The factor for a number of threads, where one is set.
    pub(super) fn factor(&self, threads: usize) -> Option<f64> {
        self.factors.get(threads.checked_sub(1)?).copied()
    }
}

const fn target(case: &'static str, what: &'static str, images: bool, slow: bool, factors: [f64; 2]) -> Target {
    Target { case, what, images, slow, factors }
}

/// All of them, in the tables' order.
pub(super) static TARGETS: [Target; 6] = [
    target("digits_b32", "MLP 64-32-10, Adam, batch 32", false, false, [3.0, 3.0]),
    target("mlp_b64", "MLP 784-512-256-10, Adam, batch 64", false, false, [1.3, 1.8]),
    target("mlp_b256", "the same, batch 256", false, false, [1.15, 1.3]),
    target("deep_bn_b64", "784-(128, batch norm, ReLU) x 20-10, SGD with momentum, batch 64", false, false, [2.0, 1.8]),
    target(
        "lenet_b64",
        "LeNet-like on 28x28: two 3x3 convolutions, pooling, dropout, Adam, batch 64",
        true,
        true,
        [1.6, 1.7],
    ),
    target("resnet20_b128", "ResNet-20 on 3x32x32, SGD with momentum, batch 128", true, true, [1.3, 1.4]),
];

/// Their names.
pub(super) fn names() -> Vec<&'static str> {
    TARGETS.iter().map(|target| target.case).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_are_for_one_thread_and_two() {
        let factors = |threads| TARGETS[1].factor(threads);
        assert_eq!([factors(0), factors(1), factors(2), factors(3)], [None, Some(1.3), Some(1.8), None]);
    }
}
