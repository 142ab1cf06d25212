use gradwise_core::Param;

#[derive(gradwise_derive::Params)]
#[params(scalar = f32)]
struct Layer {
    weight: Param<f64>,
    //~ error: `Param<f64>` is no part of a model: it does not implement `Params<f32>`
    //~ label: neither a parameter nor a layer
    //~ note: derive or implement `Params` for it; a field that holds no parameters is left out with `#[params(skip)]`
}

fn main() {}
