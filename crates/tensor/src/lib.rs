#![doc = include_str!("../README.md")]

pub mod parallel;
pub mod simd;

// Product-shaped kernels.

// Elementwise, reductions, shapes, normalization, pooling, losses.
