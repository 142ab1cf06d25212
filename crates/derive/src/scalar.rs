//! Which numbers the parameters of a type are made of.

use crate::types::mentions;
use proc_macro2::Span;
use quote::format_ident;
use syn::{DeriveInput, Error, Ident, Result, Type, parse_quote};

/// The `T` of `Params<T>`.
pub(crate) enum Scalar {
    /// A type parameter of the type, which is then bound to be a `Real`.
    Parameter(Ident),
    /// A type such as `f32`.
    Concrete(Box<Type>),
    /// Any number type: the type itself fixes none, its parts may.
    Any,
}

impl Scalar {
    /// What the type's own declaration says, before its fields are looked at: an attribute, or a type parameter `T`.
    pub(crate) fn declared(input: &DeriveInput, attribute: Option<Type>) -> Option<Self> {
        if let Some(ty) = attribute {
            let parameter = input.generics.type_params().find(|p| is_ident(&ty, &p.ident));
            return Some(
                parameter.map_or(Scalar::Concrete(Box::new(ty.clone())), |p| Scalar::Parameter(p.ident.clone())),
            );
        }
        input.generics.type_params().find(|p| p.ident == "T").map(|p| Scalar::Parameter(p.ident.clone()))
    }

    /// What the types of the visited fields say: the one of `f32` and `f64` that occurs in them, or any number type if every
    /// field's type depends on a type parameter (or there is no field).
    pub(crate) fn inferred(input: &DeriveInput, fields: &[&Type]) -> Result<Self> {
        let occurs = |name: &str| {
            let name = Ident::new(name, Span::call_site());
            fields.iter().any(|ty| mentions(ty, &name))
        };
        match (occurs("f32"), occurs("f64")) {
            (true, false) => return Ok(Scalar::Concrete(Box::new(parse_quote!(f32)))),
            (false, true) => return Ok(Scalar::Concrete(Box::new(parse_quote!(f64)))),
            (false, false) if fields.iter().all(|ty| input.generics.type_params().any(|p| mentions(ty, &p.ident))) => {
                return Ok(Scalar::Any);
            }
            _ => {}
        }
        Err(Error::new(
            input.ident.span(),
            format!(
                "cannot tell which numbers the parameters of `{}` are: name its number type `T`, or add \
                 `#[params(scalar = f32)]` (or `f64`, or the name of a type parameter)",
                input.ident
            ),
        ))
    }

    /// As a type.
    pub(crate) fn ty(&self) -> Type {
        match self {
            Scalar::Parameter(ident) => parse_quote!(#ident),
            Scalar::Concrete(ty) => (**ty).clone(),
            Scalar::Any => {
                let ident = Self::any_ident();
                parse_quote!(#ident)
            }
        }
    }

    /// The name of the parameter that is added for [`Scalar::Any`].
    pub(crate) fn any_ident() -> Ident {
        format_ident!("__T")
    }
}

fn is_ident(ty: &Type, ident: &Ident) -> bool {
    matches!(ty, Type::Path(path) if path.qself.is_none() && path.path.is_ident(ident))
}
