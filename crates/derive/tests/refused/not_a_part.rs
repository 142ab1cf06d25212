use gradwise_core::Param;
use std::collections::HashMap;

#[derive(gradwise_derive::Params)]
struct Layer<T> {
    weight: Param<T>,
    cache: HashMap<String, T>,
}

fn main() {}
