#[derive(gradwise_derive::Params)]
struct Net {
//~ error: cannot tell which numbers the parameters of `Net` are: name its number type `T`, or add `#[params(scalar = f32)]` (or `f64`, or the name of a type parameter)
    block: Block,
}

#[derive(gradwise_derive::Params)]
struct Block {
//~ error: cannot tell which numbers the parameters of `Block` are: name its number type `T`, or add `#[params(scalar = f32)]` (or `f64`, or the name of a type parameter)
    wide: gradwise_core::Param<f64>,
    narrow: gradwise_core::Param<f32>,
}

fn main() {}
