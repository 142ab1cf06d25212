use gradwise_core::Param;

#[derive(gradwise_derive::Params)]
struct Unknown<T> {
    #[params(frozen)]
    //~ error: expected `skip`, `flatten` or `name = "…"`
    weight: Param<T>,
}

#[derive(gradwise_derive::Params)]
#[params(skip)]
//~ error: this option belongs to a field, not to the type
struct OnTheType<T> {
    weight: Param<T>,
}

#[derive(gradwise_derive::Params)]
struct OnAField<T> {
    #[params(scalar = f32)]
    //~ error: this option belongs to the type, not to a field
    weight: Param<T>,
}

#[derive(gradwise_derive::Params)]
#[params(scalar = f32, scalar = f64)]
//~ error: this option is given twice
struct Twice {
    weight: Param<f32>,
}

#[derive(gradwise_derive::Params)]
struct Contradiction<T> {
    #[params(skip, name = "gamma")]
    //~ error: `skip`, `flatten` and `name` exclude each other
    weight: Param<T>,
}

#[derive(gradwise_derive::Params)]
struct Dotted<T> {
    #[params(name = "layer.weight")]
    //~ error: expected a name that is not empty and has no dot
    weight: Param<T>,
}

fn main() {}
