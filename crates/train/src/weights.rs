//! Weights on disk, as safetensors.
//!
//! Every parameter of a model, buffers included, is a tensor under its path. The format is read by PyTorch, JAX and others; weights
//! trained elsewhere are loaded if names and shapes agree.

use crate::{Result, TrainError};
use gradwise_core::{Floats, FloatsMut, Params, ParamsExt, Real};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use std::collections::HashMap;
use std::path::Path;

/// Saves a model's parameters, buffers included, with some words about them.
///
/// The file appears whole or not at all: it is written beside its place and moved there.
///
/// # Errors
/// If the file cannot be written.
pub fn save_weights<T: Real, M: Params<T> + ?Sized>(model: &M, path: &Path, metadata: &[(&str, String)]) -> Result<()> {
    let mut tensors: Vec<(String, Vec<usize>, Vec<u8>)> = Vec::new();
    model.visit(|name, p| {
        let bytes = match p.value.as_slice() {
            Some(values) => little_endian(values),
            None => little_endian(&p.value.iter().copied().collect::<Vec<T>>()),
        };
        tensors.push((name.to_string(), p.value.shape().to_vec(), bytes));
    });
    let views = tensors
        .iter()
        .map(|(name, shape, bytes)| Ok((name.clone(), TensorView::new(dtype::<T>(), shape.clone(), bytes)?)))
        .collect::<Result<Vec<_>, safetensors::SafeTensorError>>();
    let metadata: HashMap<String, String> = metadata.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect();
    let bytes = views
        .and_then(|views| safetensors::serialize(views, Some(metadata)))
        .map_err(|error| TrainError::io(path)(std::io::Error::other(error)))?;
    write_whole(path, &bytes)
}

/// Loads a model's parameters, buffers included. All of them or, if anything does not fit, none.
///
/// # Errors
/// If the file cannot be read or is not one; if a parameter is missing in it, is of another shape or of another type than `f32` and
/// `f64`; if it holds tensors that the model has no place for.
pub fn load_weights<T: Real, M: Params<T> + ?Sized>(model: &mut M, path: &Path) -> Result<()> {
    let bytes = std::fs::read(path).map_err(TrainError::io(path))?;
    let misfit = |expected: String, got: String| TrainError::Weights { path: path.to_owned(), expected, got };
    let file = SafeTensors::deserialize(&bytes)
        .map_err(|error| misfit("a safetensors file".to_owned(), format!("another: {error}")))?;

    let mut values: Vec<Vec<T>> = Vec::new();
    let mut problem = None;
    let mut known = 0;
    model.visit(|name, p| {
        if problem.is_some() {
            return;
        }
        let name = name.to_string();
        match file.tensor(&name) {
            Err(_) => problem = Some(misfit(format!("a tensor {name}"), "none of that name".to_owned())),
            Ok(tensor) if tensor.shape() != p.value.shape() => {
                let expected = format!("{name} of shape {:?}", p.value.shape());
                problem = Some(misfit(expected, format!("shape {:?}", tensor.shape())));
            }
            Ok(tensor) => match numbers(&tensor) {
                Some(numbers) => values.push(numbers),
                None => {
                    problem = Some(misfit(format!("{name} as F32 or F64"), format!("{:?}", tensor.dtype())));
                }
            },
        }
        known += 1;
    });
    if let Some(problem) = problem {
        return Err(problem);
    }
    if file.len() != known {
        let paths = model.paths();
        let extra = file.names().into_iter().find(|name| !paths.iter().any(|p| p == name)).unwrap_or_default();
        return Err(misfit(format!("the model's {known} tensors"), format!("{} with {extra}", file.len())));
    }
    let mut values = values.into_iter();
    model.visit_mut(|_, p| {
        for (place, value) in p.value.iter_mut().zip(values.next().unwrap_or_default()) {
            *place = value;
        }
    });
    Ok(())
}

fn dtype<T: Real>() -> Dtype {
    match T::floats(&[]) {
        Floats::F32(_) => Dtype::F32,
        Floats::F64(_) => Dtype::F64,
    }
}

fn little_endian<T: Real>(values: &[T]) -> Vec<u8> {
    match T::floats(values) {
        Floats::F32(values) => values.iter().flat_map(|x| x.to_le_bytes()).collect(),
        Floats::F64(values) => values.iter().flat_map(|x| x.to_le_bytes()).collect(),
    }
}

/// The numbers of a tensor of either type. Those of the model's own type are taken bit for bit, NaN and all.
fn numbers<T: Real>(tensor: &TensorView<'_>) -> Option<Vec<T>> {
    let bytes = tensor.data();
    let mut values = vec![T::zero(); tensor.shape().iter().product()];
    match (tensor.dtype(), T::floats_mut(&mut values)) {
        (Dtype::F32, FloatsMut::F32(values)) => {
            values.iter_mut().zip(bytes.as_chunks().0).for_each(|(x, b)| *x = f32::from_le_bytes(*b));
        }
        (Dtype::F64, FloatsMut::F64(values)) => {
            values.iter_mut().zip(bytes.as_chunks().0).for_each(|(x, b)| *x = f64::from_le_bytes(*b));
        }
        (Dtype::F32, FloatsMut::F64(values)) => {
            values.iter_mut().zip(bytes.as_chunks().0).for_each(|(x, b)| *x = f32::from_le_bytes(*b).into());
        }
        (Dtype::F64, FloatsMut::F32(values)) => {
            values.iter_mut().zip(bytes.as_chunks().0).for_each(|(x, b)| *x = f64::from_le_bytes(*b) as f32);
        }
        _ => return None,
    }
    Some(values)
}

/// Writes a file beside its place and moves it there.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".part");
    let beside = Path::new(&beside);
    std::fs::write(beside, bytes).map_err(TrainError::io(beside))?;
    std::fs::rename(beside, path).map_err(TrainError::io(path))
}
