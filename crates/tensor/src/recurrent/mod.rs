//! Recurrent layers as one operation over whole sequences.
//!
//! What the inputs contribute is one product for all steps, and so are the gradients of the weights; only the product of the last hidden state and its
//! weight has to wait for its step. Inside, steps are the first axis, so that a step is one piece of memory.
//!
//! The three cells differ in a few lines; [`Recurrent`] does the rest.

mod cell;
mod gru;
mod lstm;
mod op;
mod simple;

pub use gru::GruCell;
pub use lstm::LstmCell;
pub use op::Recurrent;
pub use simple::SimpleCell;

/// Long short-term memory over sequences; see [`LstmCell`] and [`Recurrent`].
pub type Lstm = Recurrent<LstmCell>;
/// Gated recurrent units over sequences; see [`GruCell`] and [`Recurrent`].
pub type Gru = Recurrent<GruCell>;
/// The simple (Elman) recurrent layer over sequences; see [`SimpleCell`] and [`Recurrent`].
pub type SimpleRnn = Recurrent<SimpleCell>;
