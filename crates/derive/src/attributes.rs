//! The `#[params(…)]` attributes of a type and of its fields.

use syn::{Attribute, Error, Field, LitStr, Path, Result, Type};

/// What `#[params(…)]` on the type itself says.
#[derive(Default)]
pub(crate) struct TypeOptions {
    /// `scalar = f32`: the type of the numbers.
    pub(crate) scalar: Option<Type>,
    /// `crate = path`: where `gradwise_core`'s items are found.
    pub(crate) core: Option<Path>,
}

impl TypeOptions {
    pub(crate) fn read(attributes: &[Attribute]) -> Result<Self> {
        let mut options = Self::default();
        for attribute in ours(attributes) {
            attribute.parse_nested_meta(|meta| {
                if meta.path.is_ident("scalar") {
                    set(&mut options.scalar, meta.value()?.parse()?, &meta.path)
                } else if meta.path.is_ident("crate") {
                    set(&mut options.core, meta.value()?.call(Path::parse_mod_style)?, &meta.path)
                } else if meta.path.is_ident("skip") || meta.path.is_ident("name") || meta.path.is_ident("flatten") {
                    Err(meta.error("this option belongs to a field, not to the type"))
                } else {
                    Err(meta.error("expected `scalar = type` or `crate = path`"))
                }
            })?;
        }
        Ok(options)
    }
}

/// What `#[params(…)]` on a field says.
#[derive(Default)]
pub(crate) struct FieldOptions {
    /// `skip`: the field holds no parameters.
    pub(crate) skip: bool,
    /// `flatten`: the field's parameters stand under the path of the whole.
    pub(crate) flatten: bool,
    /// `name = "…"`: another name in paths than the field's own.
    pub(crate) name: Option<LitStr>,
}

impl FieldOptions {
    pub(crate) fn read(field: &Field) -> Result<Self> {
        let mut options = Self::default();
        for attribute in ours(&field.attrs) {
            attribute.parse_nested_meta(|meta| {
                if meta.path.is_ident("skip") {
                    options.skip = true;
                    Ok(())
                } else if meta.path.is_ident("flatten") {
                    options.flatten = true;
                    Ok(())
                } else if meta.path.is_ident("name") {
                    let name: LitStr = meta.value()?.parse()?;
                    if name.value().is_empty() || name.value().contains('.') {
                        return Err(Error::new(name.span(), "expected a name that is not empty and has no dot"));
                    }
                    set(&mut options.name, name, &meta.path)
                } else if meta.path.is_ident("scalar") || meta.path.is_ident("crate") {
                    Err(meta.error("this option belongs to the type, not to a field"))
                } else {
                    Err(meta.error("expected `skip`, `flatten` or `name = \"…\"`"))
                }
            })?;
            let n = usize::from(options.skip) + usize::from(options.flatten) + usize::from(options.name.is_some());
            if n > 1 {
                return Err(Error::new_spanned(attribute, "`skip`, `flatten` and `name` exclude each other"));
            }
        }
        Ok(options)
    }
}

fn ours(attributes: &[Attribute]) -> impl Iterator<Item = &Attribute> {
    attributes.iter().filter(|attribute| attribute.path().is_ident("params"))
}

fn set<X>(option: &mut Option<X>, value: X, path: &Path) -> Result<()> {
    if option.replace(value).is_some() {
        return Err(Error::new_spanned(path, "this option is given twice"));
    }
    Ok(())
}
