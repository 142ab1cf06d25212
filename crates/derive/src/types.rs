//! What the spelling of a type tells: a macro sees no more of it.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{GenericArgument, Ident, PathArguments, Type};

/// Types that hold options, not parameters.
const PLAIN: &[&str] = &[
    "bool",
    "char",
    "str",
    "String",
    "f32",
    "f64",
    "u8",
    "u16",
    "u32",
    "u64",
    "u128",
    "usize",
    "i8",
    "i16",
    "i32",
    "i64",
    "i128",
    "isize",
    "NonZeroU32",
    "NonZeroU64",
    "NonZeroUsize",
    "Duration",
    "PathBuf",
    "PhantomData",
];

/// Types that hold nothing but what their arguments say.
const WRAPPERS: &[&str] = &["Option", "Vec", "Box", "Rc", "Arc", "Cow", "Range", "RangeInclusive"];

/// Whether a type is a plain option, such as `usize`, `Option<f32>`, `[usize; 2]` or `&'static str`, that need not say `skip`.
///
/// `scalar` is the type of the numbers: a lone number is an option too (a slope, a rate), because a parameter is a `Param`.
pub(crate) fn is_plain(ty: &Type, scalar: Option<&Type>) -> bool {
    if scalar.is_some_and(|scalar| same(scalar, ty)) {
        return true;
    }
    match ty {
        Type::Array(array) => is_plain(&array.elem, scalar),
        Type::Slice(slice) => is_plain(&slice.elem, scalar),
        Type::Paren(inner) => is_plain(&inner.elem, scalar),
        Type::Group(inner) => is_plain(&inner.elem, scalar),
        Type::Reference(reference) => is_plain(&reference.elem, scalar),
        Type::Tuple(tuple) => tuple.elems.iter().all(|ty| is_plain(ty, scalar)),
        Type::Path(path) => path.path.segments.last().is_some_and(|last| {
            let name = last.ident.to_string();
            PLAIN.contains(&name.as_str())
                || (WRAPPERS.contains(&name.as_str()) && arguments_plain(&last.arguments, scalar))
        }),
        _ => matches!(ty, Type::Never(_)) || is_function_pointer(ty),
    }
}

/// Whether two types are spelled alike.
fn same(a: &Type, b: &Type) -> bool {
    a.to_token_stream().to_string() == b.to_token_stream().to_string()
}

fn is_function_pointer(ty: &Type) -> bool {
    ty.to_token_stream().into_iter().any(|token| matches!(token, TokenTree::Ident(name) if name == "fn"))
}

fn arguments_plain(arguments: &PathArguments, scalar: Option<&Type>) -> bool {
    let PathArguments::AngleBracketed(arguments) = arguments else { return false };
    arguments.args.iter().all(|argument| match argument {
        GenericArgument::Type(ty) => is_plain(ty, scalar),
        GenericArgument::Lifetime(_) => true,
        _ => false,
    })
}

/// Whether a name occurs anywhere in a type.
pub(crate) fn mentions(ty: &Type, name: &Ident) -> bool {
    fn within(tokens: TokenStream, name: &Ident) -> bool {
        tokens.into_iter().any(|token| match token {
            TokenTree::Ident(ident) => ident == *name,
            TokenTree::Group(group) => within(group.stream(), name),
            _ => false,
        })
    }
    within(ty.to_token_stream(), name)
}

/// Whether a type is one that belongs to a type parameter, as `M::Inner` does: a bound on `M` says nothing of it.
pub(crate) fn is_projection_of(ty: &Type, parameter: &Ident) -> bool {
    match ty {
        Type::Path(path) => match &path.qself {
            Some(of) => mentions(&of.ty, parameter),
            None => path.path.segments.len() > 1 && path.path.segments[0].ident == *parameter,
        },
        _ => false,
    }
}
