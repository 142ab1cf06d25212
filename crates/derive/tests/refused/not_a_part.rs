use gradwise_core::Param;
use std::collections::HashMap;

#[derive(gradwise_derive::Params)]
struct Layer<T> {
    weight: Param<T>,
    cache: HashMap<String, T>,
    //~ error: `HashMap<String, T>` is no part of a model: it does not implement `Params<T>`
    //~ label: neither a parameter nor a layer
    //~ note: derive or implement `Params` for it; a field that holds no parameters is left out with `#[params(skip)]`
}

fn main() {}
