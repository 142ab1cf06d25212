//! Running statistics, gathered anew.

use crate::{Objective, Result};
use gradwise_autograd::{Mode, Tape, Workspace};
use gradwise_core::{Kind, Params, ParamsExt, Real, Updates};
use gradwise_data::{Batches, Samples};

/// Gathers the running statistics of a model anew, those of its batch norms, by an epoch of training data: after its weights were averaged
/// (SWA, EMA), or otherwise set by anything but training, the statistics that it has are of other weights.
///
/// Each batch goes through the model as in training, where batch norm takes the statistics of the batch, and the running ones become the
/// average over all samples, whatever they were before and whatever the layers' momentum is:
///
/// ```text
/// running ← running + n_i / (n_1 + … + n_i) · (batch_i − running)
/// ```
///
/// Parameters do not change. Nothing is dropped and no noise is added, since evaluation, for which the statistics are, does not either;
/// PyTorch's `update_bn` leaves dropout on, and counts each batch the same however large it is. A layer of your own takes part if it
/// heeds [`Mode::batch_weight`]. Batches should be as large as in training, and mixed: shuffle them. A model without buffers is
/// left alone. Source: Izmailov et al., *Averaging weights leads to wider optima and better generalization*, UAI 2018, section 3.2.
///
/// ```
/// use gradwise_autograd::Workspace;
/// use gradwise_data::{Batches, Paired};
/// use gradwise_layers::{BatchNorm1d, Chain, MseLoss, ParamsExt};
/// use gradwise_train::{Supervised, refresh_statistics};
/// use ndarray::array;
///
/// let x = array![[1.0], [3.0], [5.0], [7.0]].into_dyn();
/// let samples = Paired::new(x.clone(), x)?;
/// let mut model = Chain::<f64>::new().with(BatchNorm1d::new(1)?);
/// let batches = Batches::new(4, 2)?.shuffled(0);
/// refresh_statistics(&mut model, &samples, batches, &Supervised(MseLoss), &mut Workspace::new())?;
/// model.visit(|path, p| {
///     if path.to_string() == "0.running_mean" {
///         assert_eq!(p.value[[0]], 4.0);
///     }
/// });
/// # Ok::<(), gradwise_train::TrainError>(())
/// ```
///
/// # Errors
/// If data, model and objective do not fit together, or a batch is too small for a batch norm: see [`Batches::drop_last`].
pub fn refresh_statistics<T, M, D, O>(
    model: &mut M,
    samples: &D,
    mut batches: Batches,
    objective: &O,
    workspace: &mut Workspace<T>,
) -> Result<()>
where
    T: Real,
    M: Params<T> + ?Sized,
    D: Samples + ?Sized,
    O: Objective<T, M, D::Batch>,
{
    let mut has_buffers = false;
    model.visit(|_, p| has_buffers |= p.kind == Kind::Buffer);
    if !has_buffers {
        return Ok(());
    }
    // Times 0, what is not finite would stay.
    model.visit_mut(|_, p| {
        if p.kind == Kind::Buffer {
            p.value.mapv_inplace(|x| if x.is_finite() { x } else { T::zero() });
        }
    });
    let epoch = batches.position().epoch;
    let (mut batch, mut updates, mut seen) = (D::Batch::default(), Updates::new(), 0);
    for indices in batches.epoch(epoch) {
        samples.gather(indices, &mut batch)?;
        seen += indices.len();
        let weight = indices.len() as f64 / seen as f64;
        let mode = Mode { training: true, batch_weight: Some(weight), ..Mode::evaluate() };
        {
            let mut tape = Tape::new(workspace, mode);
            tape.watch(model);
            objective.record(&mut tape, model, &batch)?;
            tape.take_updates(&mut updates);
        }
        updates.apply(model);
    }
    Ok(())
}
