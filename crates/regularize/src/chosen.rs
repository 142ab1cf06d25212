//! Parts of a model, chosen by patterns over paths.

use gradwise_core::{Error, Params, ParamsExt, PathPattern, Real, Result};

/// Which entries apply to which parameter, in the parameters' order: found out when the model is first seen.
///
/// `what` names the owner, and the owner's number of parameters.
pub(crate) fn resolve<'c, E, T: Real, M: Params<T> + ?Sized>(
    what: [&'static str; 2],
    known: &'c mut Option<Vec<Vec<usize>>>,
    entries: &[(PathPattern, E)],
    model: &M,
) -> Result<&'c [Vec<usize>]> {
    if known.is_none() {
        let paths = model.paths();
        let unmatched = entries.iter().find(|(pattern, _)| !paths.iter().any(|path| pattern.matches(path)));
        if let Some((pattern, _)) = unmatched {
            let expected = format!("a pattern that matches one of the model's parameters ({})", paths.join(", "));
            return Err(Error::value(what[0], expected, format!("`{pattern}`")));
        }
        let of_path = |path: &String| (0..entries.len()).filter(|&i| entries[i].0.matches(path)).collect();
        *known = Some(paths.iter().map(of_path).collect());
    }
    let known = known.as_deref().unwrap_or_default();
    let n = model.n_params();
    if n != known.len() {
        let expected = format!("the {} that the model had before", known.len());
        return Err(Error::value(what[1], expected, n));
    }
    Ok(known)
}
