//! Images of other crates, seen where they lie, and images of ours handed to them with their memory.

#[cfg(feature = "image")]
mod buffers;

#[cfg(feature = "ndarray")]
mod arrays;
