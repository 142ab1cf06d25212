use gradwise_core::Param;
use std::mem::ManuallyDrop;

#[derive(gradwise_derive::Params)]
union Either<T> {
    one: ManuallyDrop<Param<T>>,
    other: usize,
}

fn main() {}
