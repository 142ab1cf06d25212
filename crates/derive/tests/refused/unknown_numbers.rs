#[derive(gradwise_derive::Params)]
struct Net {
    block: Block,
}

#[derive(gradwise_derive::Params)]
struct Block {
    wide: gradwise_core::Param<f64>,
    narrow: gradwise_core::Param<f32>,
}

fn main() {}
