#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod attributes;
mod expand;
mod scalar;
mod types;

use proc_macro::TokenStream;

// A procedural macro cannot see through which crate it was reached, so there is one macro for each crate that re-exports it, and
// each writes paths its users have. `cargo doc` shows the text of the first on all of them.

/// Implements `Params`: visits the fields of a struct, or of an enum's variant, in order, under their names.
///
/// The front page of this crate tells what is visited and which attributes there are.
#[proc_macro_derive(Params, attributes(params))]
pub fn params(input: TokenStream) -> TokenStream {
    derive(input, "::gradwise_core")
}

/// The same macro for users of `gradwise-autograd`, which re-exports it as `Params`.
#[proc_macro_derive(ParamsAutograd, attributes(params))]
pub fn params_autograd(input: TokenStream) -> TokenStream {
    derive(input, "::gradwise_autograd::core")
}

/// The same macro for users of `gradwise-layers`, which re-exports it as `Params`.
#[proc_macro_derive(ParamsLayers, attributes(params))]
pub fn params_layers(input: TokenStream) -> TokenStream {
    derive(input, "::gradwise_layers::core")
}

/// The same macro for users of `gradwise`, which re-exports it as `Params`.
#[proc_macro_derive(ParamsGradwise, attributes(params))]
pub fn params_gradwise(input: TokenStream) -> TokenStream {
    derive(input, "::gradwise::core")
}

fn derive(input: TokenStream, core: &str) -> TokenStream {
    syn::parse(input)
        .and_then(|input| expand::expand(&input, &syn::parse_str(core)?))
        .unwrap_or_else(|error| error.to_compile_error())
        .into()
}
