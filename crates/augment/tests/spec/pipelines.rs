//! Whole pipelines: a probability for every kind, and a mix of the batch at the end.

use super::{File, built};
use gradwise_augment::spec::{self, DescribedMix, Registry};
use gradwise_augment::{CoarseDropout, Key, Mix, MixUp, Result, Sequence, Shape, Sometimes};
use serde::Deserialize;

#[test]
fn a_pipeline_ends_with_a_mix_or_has_none() {
    let pipeline = |text: &str| {
        let file: File = toml::from_str(text).unwrap();
        Registry::new().pipeline("augment", &file.augment)
    };
    assert!(pipeline("augment = []").unwrap().batch.is_none());
    assert!(pipeline("augment = [{ kind = \"flip\" }]").unwrap().batch.is_none());
    let (up, cut) = ("{ kind = \"mixup\", alpha = 0.2 }", "{ kind = \"cutmix\", alpha = 1 }");
    for (list, expected) in [
        (
            format!("{up}, {{ kind = \"flip\" }}"),
            "augment[1]: what works on samples comes before what mixes them, here augment[0]",
        ),
        (
            format!("{{ kind = \"flip\" }}, {up}, {cut}"),
            "augment[2]: only one kind mixes the batch, here augment[1]; `mix-choice` takes turns",
        ),
        (
            "{ kind = \"mixup\", alpha = 0 }".to_owned(),
            "augment[0].alpha: mixup: alpha must be a number or an ascending pair within [0.001, 1000], got 0",
        ),
        (
            "{ kind = \"cutmix\", alpha = 1, p = 2 }".to_owned(),
            "augment[0].p: cutmix: probability must be within [0, 1], got 2",
        ),
        ("{ kind = \"mixup\" }".to_owned(), "augment[0].alpha: is missing"),
        (
            "{ kind = \"mix-choice\", mixup = { alpha = 1 }, cutmix = { alpha = 1 }, cut = -1 }".to_owned(),
            "augment[0].cut: mix choice: cut must be a number or an ascending pair within [0, 1], got -1",
        ),
        (
            "{ kind = \"mix-choice\", mixup = { alpha = 1 }, cutmix = { alhpa = 1 } }".to_owned(),
            "augment[0].cutmix.alhpa: there is no field `alhpa`; did you mean `alpha`?",
        ),
    ] {
        let error = pipeline(&format!("augment = [{list}]")).unwrap_err().to_string();
        assert_eq!(error, expected);
    }
    // A user's own.
    let mut registry = Registry::new();
    assert!(registry.add_mix::<spec::MixUp>().is_err(), "the name is taken");
    assert!(registry.kinds().all(|kind| kind != "mixup") && registry.mixes().eq(["cutmix", "mix-choice", "mixup"]));
    registry.add_mix::<Whole>().unwrap();
    let file: File = toml::from_str("augment = [{ kind = \"whole\" }]").unwrap();
    let mixing = registry.pipeline("augment", &file.augment).unwrap().batch.unwrap();
    let mixing = mixing.draw(2, Shape::interleaved(2, 2, 1), Key::new(0)).unwrap();
    assert!(mixing.samples().iter().all(|sample| sample.share == 1.0));
}

/// A user's mix: none at all.
#[derive(serde::Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Whole {}

impl DescribedMix for Whole {
    const KIND: &'static str = "whole";

    fn build(self) -> Result<Box<dyn Mix>> {
        Ok(Box::new(Sometimes::mix(0.0, MixUp::new(1.0)?)?))
    }
}

#[test]
fn any_kind_may_happen_with_a_probability() {
    let text = "[[augment]]\nkind = \"cutout\"\nside = 0.5\np = 0.25\n";
    let sometimes = Sometimes::new(0.25, CoarseDropout::cutout(0.5).unwrap()).unwrap();
    assert_eq!(format!("{:?}", built(text).unwrap()), format!("{:?}", Sequence::new().then(sometimes)));
}
