use gradwise_core::Param;
use std::mem::ManuallyDrop;

#[derive(gradwise_derive::Params)]
union Either<T> {
//~ error: a union cannot be part of a model: which of its fields is alive is not known
    one: ManuallyDrop<Param<T>>,
    other: usize,
}

fn main() {}
