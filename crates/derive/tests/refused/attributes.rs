use gradwise_core::Param;

#[derive(gradwise_derive::Params)]
struct Unknown<T> {
    #[params(frozen)]
    weight: Param<T>,
}

#[derive(gradwise_derive::Params)]
#[params(skip)]
struct OnTheType<T> {
    weight: Param<T>,
}

#[derive(gradwise_derive::Params)]
struct OnAField<T> {
    #[params(scalar = f32)]
    weight: Param<T>,
}

#[derive(gradwise_derive::Params)]
#[params(scalar = f32, scalar = f64)]
struct Twice {
    weight: Param<f32>,
}

#[derive(gradwise_derive::Params)]
struct Contradiction<T> {
    #[params(skip, name = "gamma")]
    weight: Param<T>,
}

#[derive(gradwise_derive::Params)]
struct Dotted<T> {
    #[params(name = "layer.weight")]
    weight: Param<T>,
}

fn main() {}
