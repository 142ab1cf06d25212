//! Tails of the distributions that the tests' statistics have.

/// `P(K > x)` of Kolmogorov's distribution: `2 Σ_k (−1)^(k−1) exp(−2 k² x²)`, or for small `x`, where that converges slowly, the theta
/// function's other series, `1 − √(2π)/x Σ_k exp(−(2k−1)² π² / 8x²)`.
pub(super) fn kolmogorov(x: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    let tail = if x < 1.0 {
        let factor = -(std::f64::consts::PI / x).powi(2) / 8.0;
        let sum: f64 = (1..=20).map(|k| (f64::from(2 * k - 1).powi(2) * factor).exp()).sum();
        1.0 - (2.0 * std::f64::consts::PI).sqrt() / x * sum
    } else {
        let term = |k: i32| (-2.0 * (f64::from(k) * x).powi(2)).exp() * if k % 2 == 1 { 2.0 } else { -2.0 };
        (1..=20).map(term).sum()
    };
    tail.clamp(0.0, 1.0)
}

/// `P(X > x)` of the χ² distribution with `k` degrees of freedom.
pub(super) fn chi_square(x: f64, k: f64) -> f64 {
    if x <= 0.0 { 1.0 } else { upper_gamma(0.5 * k, 0.5 * x).clamp(0.0, 1.0) }
}

/// The regularized upper incomplete gamma function, `Γ(a, x) / Γ(a)`: by its power series below the mean, by its continued fraction
/// (evaluated from the front: Lentz 1976) above. Source: Abramowitz and Stegun, 6.5.29 and 6.5.31.
fn upper_gamma(a: f64, x: f64) -> f64 {
    // x^a e^(-x) / Γ(a)
    let factor = (a * x.ln() - x - ln_gamma(a)).exp();
    if x < a + 1.0 {
        let (mut term, mut sum, mut n) = (1.0 / a, 1.0 / a, a);
        while term > sum * 1e-17 {
            n += 1.0;
            term *= x / n;
            sum += term;
        }
        return 1.0 - factor * sum;
    }
    const TINY: f64 = 1e-300;
    let mut b = x + 1.0 - a;
    let mut c = TINY.recip();
    let mut d = b.recip();
    let mut fraction = d;
    for i in 1..10_000 {
        let n = f64::from(i);
        let an = -n * (n - a);
        b += 2.0;
        let next = an * d + b;
        d = if next.abs() < TINY { TINY } else { next }.recip();
        let next = b + an / c;
        c = if next.abs() < TINY { TINY } else { next };
        let change = c * d;
        fraction *= change;
        if (change - 1.0).abs() < 1e-15 {
            break;
        }
    }
    factor * fraction
}

/// `ln Γ(x)` for `x > 0`: Stirling's series, after the argument was raised to where it is accurate to the last digits.
fn ln_gamma(x: f64) -> f64 {
    let (mut x, mut product) = (x, 1.0_f64);
    while x < 15.0 {
        product *= x;
        x += 1.0;
    }
    let square = (x * x).recip();
    // B₂ₖ / (2k (2k − 1)) for k = 1, 2, …
    const SERIES: [f64; 6] = [1.0 / 12.0, -1.0 / 360.0, 1.0 / 1260.0, -1.0 / 1680.0, 1.0 / 1188.0, -691.0 / 360_360.0];
    let series = SERIES.iter().rev().fold(0.0, |sum, c| sum * square + c) / x;
    (x - 0.5) * x.ln() - x + 0.5 * (2.0 * std::f64::consts::PI).ln() + series - product.ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From scipy.stats: kstwobign.sf, chi2.sf, and scipy.special.gammaln.
    #[test]
    fn tails_are_scipys() {
        for (x, expected) in KOLMOGOROV {
            assert!((kolmogorov(x) - expected).abs() < 1e-13 * (1.0 + expected), "{x}: {}", kolmogorov(x));
        }
        for (x, k, expected) in CHI_SQUARE {
            let got = chi_square(x, k);
            assert!((got - expected).abs() < 1e-12 * expected.max(1e-3), "{x} {k}: {got} for {expected}");
        }
        for (x, expected) in LN_GAMMA {
            assert!((ln_gamma(x) - expected).abs() < 1e-13 * (1.0 + expected.abs()), "{x}: {}", ln_gamma(x));
        }
        assert_eq!((kolmogorov(0.0), kolmogorov(-1.0), chi_square(0.0, 3.0)), (1.0, 1.0, 1.0));
    }
    const KOLMOGOROV: [(f64, f64); 8] = [
        (0.2, 0.999999999999495),
        (0.5, 0.9639452436648751),
        (0.8, 0.5441424115741981),
        (0.99, 0.2808738392255489),
        (1.0, 0.26999967167735456),
        (1.2, 0.11224966667072497),
        (2.0, 0.0006709252557796953),
        (3.5, 4.579469691291106e-11),
    ];

    const CHI_SQUARE: [(f64, f64, f64); 9] = [
        (0.5, 1.0, 0.47950012218695337),
        (3.84, 1.0, 0.05004352124870519),
        (2.0, 4.0, 0.7357588823428847),
        (10.0, 4.0, 0.04042768199451279),
        (40.0, 4.0, 4.328422607120966e-08),
        (95.0, 100.0, 0.6225792918781736),
        (130.0, 100.0, 0.02351239780980871),
        (1000.0, 1000.0, 0.49405285382923964),
        (3.0, 2.0, 0.22313016014842982),
    ];

    const LN_GAMMA: [(f64, f64); 7] = [
        (0.5, 0.5723649429247),
        (1.0, 0.0),
        (1.5, -0.12078223763524526),
        (2.0, 0.0),
        (7.3, 7.147892523022249),
        (50.0, 144.56574394634487),
        (500.0, 2605.115850361734),
    ];
}
