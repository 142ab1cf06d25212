//! Users' own kinds, and descriptions that programs edit.

use super::File;
use gradwise_augment::spec::{self, Described, Registry, Spec, Value};
use gradwise_augment::{
    Augment, CoarseDropout, Colour, Error, Image, Key, Kind, Range, Result, Sequence, Shape, from_fn,
};
use serde::Deserialize;

/// A user's kind, by its struct.
#[derive(serde::Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Twice {
    part: Spec,
}

impl Described for Twice {
    const KIND: &'static str = "twice";

    fn build(self, site: &spec::Site<'_>) -> Result<Box<dyn Augment>> {
        let parts = site.parts("part", &[self.part.clone(), self.part])?;
        Ok(Box::new(Sequence::from_iter(parts)))
    }
}

#[test]
fn users_add_kinds() {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Fog {
        density: Range,
    }
    let mut registry = Registry::new();
    let fog = |fog: Fog| {
        let density = fog.density.within(0.0, 1.0, "fog", "density")?;
        Ok(Box::new(from_fn("fog", move |_, random| {
            density.draw(random);
            Ok(())
        })) as Box<dyn Augment>)
    };
    registry.register("fog", fog).unwrap();
    registry.add::<Twice>().unwrap();
    assert!(
        registry.register("fog", fog).is_err()
            && registry.register("", fog).is_err()
            && registry.add::<spec::Flip>().is_err()
    );
    assert!(format!("{registry:?}").contains("\"fog\""));

    let build = |text: &str| {
        let file: File = toml::from_str(text).unwrap();
        registry.build("recipe.augment", &file.augment)
    };
    let text = "[[augment]]\nkind = \"one-of\"\nparts = [{ kind = \"fog\", density = [0.1, 0.2], p = 0.5 }]\n\
                [[augment]]\nkind = \"twice\"\npart = { kind = \"flip\" }\n";
    let pipeline = build(text).unwrap();
    let image = Image::black(Shape::interleaved(2, 2, 3), Kind::U8).unwrap();
    assert!(pipeline.apply(image.as_ref(), Key::new(0)).is_ok());
    let error = build("[[augment]]\nkind = \"one-of\"\nparts = [{ kind = \"fog\", density = 2 }]").unwrap_err();
    let expected =
        "recipe.augment[0].parts[0].density: fog: density must be a number or an ascending pair within [0, 1], got 2";
    assert_eq!(error.to_string(), expected);
    assert!(matches!(error, Error::Built { .. }));
    let error = build("[[augment]]\nkind = \"fogg\"").unwrap_err().to_string();
    assert!(error.contains("did you mean `fog`?"), "{error}");
}

#[test]
fn a_description_can_be_edited() {
    let mut spec = Spec::of(&spec::Cutout { side: 0.5, colour: Colour::BLACK }).unwrap();
    spec.fields_mut().insert("side".to_owned(), Value::Number(0.25));
    assert_eq!((spec.kind(), spec.fields().len()), (Some("cutout"), 3));
    let built = Registry::new().build("augment", &[spec]).unwrap();
    assert_eq!(format!("{built:?}"), format!("{:?}", Sequence::new().then(CoarseDropout::cutout(0.25).unwrap())));
}
