//! From the definition of a type to its `impl Params`.

use crate::attributes::{FieldOptions, TypeOptions};
use crate::scalar::Scalar;
use crate::types::{is_plain, is_projection_of, mentions};
use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Error, Field, Fields, Generics, Ident, Path, Result, Type, parse_quote};

/// Writes `impl Params<T> for …`, with `core` as the place of gradwise-core's items unless an attribute names another.
pub(crate) fn expand(input: &DeriveInput, core: &Path) -> Result<TokenStream> {
    let options = TypeOptions::read(&input.attrs)?;
    let core = options.core.as_ref().unwrap_or(core);
    let declared = Scalar::declared(input, options.scalar);
    let number = declared.as_ref().map(Scalar::ty);
    let variants = variants(input, number.as_ref())?;

    let visited: Vec<&Type> = variants.iter().flat_map(|v| &v.parts).map(|part| part.ty).collect();
    let scalar = match declared {
        Some(scalar) => scalar,
        None => Scalar::inferred(input, &visited)?,
    };
    let number = scalar.ty();
    let generics = bounded(&input.generics, &scalar, &visited, core);

    let name = &input.ident;
    let (impl_generics, _, where_clause) = generics.split_for_impl();
    let (_, type_generics, _) = input.generics.split_for_impl();
    let each = body(input, &variants, core, &number, &format_ident!("each"));
    let each_mut = body(input, &variants, core, &number, &format_ident!("each_mut"));
    Ok(quote! {
        #[automatically_derived]
        impl #impl_generics #core::Params<#number> for #name #type_generics #where_clause {
            fn each<'__p>(
                &'__p self,
                __path: #core::Path<'_>,
                __f: &mut dyn ::core::ops::FnMut(#core::Path<'_>, &'__p #core::Param<#number>),
            ) {
                #each
            }
            fn each_mut(
                &mut self,
                __path: #core::Path<'_>,
                __f: &mut dyn ::core::ops::FnMut(#core::Path<'_>, &mut #core::Param<#number>),
            ) {
                #each_mut
            }
        }
    })
}

/// A struct, or one variant of an enum.
struct Variant<'a> {
    /// The variant's name; `None` for a struct.
    name: Option<&'a Ident>,
    parts: Vec<Part<'a>>,
}

/// A field that is visited.
struct Part<'a> {
    /// How patterns and expressions name it: `weight`, `0`.
    member: syn::Member,
    /// Its place in the path.
    at: At,
    ty: &'a Type,
}

enum At {
    Name(String),
    Index(usize),
    /// Under the path of the whole.
    Here,
}

fn variants<'a>(input: &'a DeriveInput, number: Option<&Type>) -> Result<Vec<Variant<'a>>> {
    match &input.data {
        Data::Struct(data) => Ok(vec![Variant { name: None, parts: parts(&data.fields, number, false)? }]),
        Data::Enum(data) => data
            .variants
            .iter()
            .map(|v| Ok(Variant { name: Some(&v.ident), parts: parts(&v.fields, number, true)? }))
            .collect(),
        Data::Union(data) => Err(Error::new(
            data.union_token.span(),
            "a union cannot be part of a model: which of its fields is alive is not known",
        )),
    }
}

fn parts<'a>(fields: &'a Fields, number: Option<&Type>, of_enum: bool) -> Result<Vec<Part<'a>>> {
    // `Some(layer)` and the like stand for the layer itself, in paths too.
    let transparent = of_enum && matches!(fields, Fields::Unnamed(list) if list.unnamed.len() == 1);
    let mut parts = Vec::new();
    for (i, field) in fields.iter().enumerate() {
        let options = FieldOptions::read(field)?;
        if options.skip || (!options.flatten && options.name.is_none() && is_plain(&field.ty, number)) {
            continue;
        }
        let at = match (&options.name, &field.ident) {
            (Some(name), _) => At::Name(name.value()),
            _ if options.flatten || transparent => At::Here,
            (None, Some(ident)) => At::Name(ident.unraw().to_string()),
            (None, None) => At::Index(i),
        };
        parts.push(Part { member: member(field, i), at, ty: &field.ty });
    }
    Ok(parts)
}

fn member(field: &Field, index: usize) -> syn::Member {
    field.ident.clone().map_or_else(|| syn::Member::from(index), syn::Member::Named)
}

/// The type's generics, with what the visit asks of them: `T: Real`, and `P: Params<T>` for every other parameter that a visited
/// field's type mentions.
fn bounded(generics: &Generics, scalar: &Scalar, visited: &[&Type], core: &Path) -> Generics {
    let mut generics = generics.clone();
    let number = scalar.ty();
    let parameters: Vec<Ident> = generics.type_params().map(|p| p.ident.clone()).collect();
    if let Scalar::Any = scalar {
        generics.params.push(parse_quote!(#number));
    }
    let predicates = &mut generics.make_where_clause().predicates;
    if !matches!(scalar, Scalar::Concrete(_)) {
        predicates.push(parse_quote!(#number: #core::Real));
    }
    for parameter in parameters {
        if matches!(scalar, Scalar::Parameter(number) if *number == parameter) {
            continue;
        }
        let mut plainly = false;
        for ty in visited.iter().filter(|ty| mentions(ty, &parameter)) {
            if is_projection_of(ty, &parameter) {
                predicates.push(parse_quote!(#ty: #core::Params<#number>));
            } else {
                plainly = true;
            }
        }
        if plainly {
            predicates.push(parse_quote!(#parameter: #core::Params<#number>));
        }
    }
    generics
}

/// The body of `each` or `each_mut`.
fn body(input: &DeriveInput, variants: &[Variant<'_>], core: &Path, number: &Type, method: &Ident) -> TokenStream {
    let name = &input.ident;
    let arms = variants.iter().map(|variant| {
        let path = variant.name.map_or_else(|| quote!(#name), |variant| quote!(#name::#variant));
        // Bindings get names of their own, so that a field may be called anything.
        let bindings: Vec<Ident> = (0..variant.parts.len()).map(|i| format_ident!("__part{i}")).collect();
        let members = variant.parts.iter().map(|part| &part.member);
        let visits = variant.parts.iter().zip(&bindings).map(|(part, binding)| {
            let ty = part.ty;
            let at = match &part.at {
                At::Name(name) => quote!(__path.field(#name)),
                At::Index(index) => quote!(__path.index(#index)),
                At::Here => quote!(__path),
            };
            // The span makes a part that is none an error at the field.
            quote_spanned!(ty.span()=> <#ty as #core::Params<#number>>::#method(#binding, #at, __f);)
        });
        quote!(#path { #(#members: #bindings,)* .. } => { #(#visits)* })
    });
    let silence = quote!(let _ = (&__path, &__f););
    if variants.is_empty() {
        return quote!(#silence match *self {});
    }
    quote!(#silence match self { #(#arms)* })
}
