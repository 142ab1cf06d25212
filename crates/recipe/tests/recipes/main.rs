//! Recipes as a user writes them.

mod bits;
mod errors;
mod generated;
mod kinds;
mod saved;
