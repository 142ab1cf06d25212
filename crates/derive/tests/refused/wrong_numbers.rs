use gradwise_core::Param;

#[derive(gradwise_derive::Params)]
#[params(scalar = f32)]
struct Layer {
    weight: Param<f64>,
}

fn main() {}
