//! Mistakes are told by their place.

use super::built;
use gradwise_augment::spec::{self, Registry, Spec, Value};

#[test]
fn mistakes_are_told_by_their_place() {
    let part = "[[augment]]\nkind = \"flip\"\n";
    for (text, expected) in [
        (
            "[[augment]]\nkind = \"gausian-noise\"",
            "augment[0].kind: there is no kind `gausian-noise`; did you mean `gaussian-noise`?",
        ),
        ("[[augment]]\nhorizontal = 1", "augment[0].kind: is missing"),
        ("[[augment]]\nkind = 3", "augment[0].kind: the name of a kind is expected"),
        (
            "[[augment]]\nkind = \"flip\"\nhorizontl = 1",
            "augment[0].horizontl: there is no field `horizontl`; did you mean `horizontal`?",
        ),
        ("[[augment]]\nkind = \"cutout\"", "augment[0].side: is missing"),
        ("[[augment]]\nkind = \"cutout\"\nside = \"half\"", "augment[0].side: expected f64, got string \"half\""),
        (
            "[[augment]]\nkind = \"cutout\"\nside = 2",
            "augment[0]: coarse dropout: height must be a number or an ascending pair within [0, 1], got 2",
        ),
        (
            "[[augment]]\nkind = \"speckle\"\nstd = \"x\"",
            "augment[0].std: expected a number or a pair of numbers, got string \"x\"",
        ),
        (
            "[[augment]]\nkind = \"speckle\"\nstd = [1, 2, 3]",
            "augment[0].std: expected a number or a pair of numbers, got 3 values",
        ),
        ("[[augment]]\nkind = \"speckle\"\nstd = [0, \"x\"]", "augment[0].std[1]: expected f64, got string \"x\""),
        (
            "[[augment]]\nkind = \"speckle\"\nstd = [2, 1]",
            "augment[0].std: speckle: std must be a number or an ascending pair within [0, 1000000], got (2, 1)",
        ),
        (
            "[[augment]]\nkind = \"speckle\"\nstd = nan",
            "augment[0].std: speckle: std must be a number or an ascending pair within [0, 1000000], got NaN",
        ),
        (
            "[[augment]]\nkind = \"speckle\"\nstd = 1\nclip = true",
            "augment[0].clip: expected a pair of numbers, or false, got boolean `true`",
        ),
        (
            "[[augment]]\nkind = \"speckle\"\nstd = 1\nclip = [1, 0]",
            "augment[0].clip: speckle: clip must be an ascending pair that leaves some number within ±1000000, got (1, 0)",
        ),
        (
            "[[augment]]\nkind = \"affine\"\nshear-of-x = 90",
            "augment[0].shear-of-x: affine: shear of x must be a number or an ascending pair within [-89, 89], got (-90, 90)",
        ),
        (
            "[[augment]]\nkind = \"translate\"\nx = -0.1",
            "augment[0].x: expected a part of the image's size, which goes to both sides, a pair of such parts, or a table of `pixels` or `whole-pixels`, got floating point `-0.1`",
        ),
        (
            "[[augment]]\nkind = \"translate\"\nx = { pixel = 1 }",
            "augment[0].x.pixel: there is no field `pixel`; did you mean `pixels`?",
        ),
        (
            "[[augment]]\nkind = \"translate\"\nx = { whole-pixels = [0.2, 0.8] }",
            "augment[0].x: translate: x must be a range that contains an integer, got (0.2, 0.8)",
        ),
        (
            "[[augment]]\nkind = \"translate\"\nfill = \"mirror\"",
            "augment[0].fill: expected one of \"edge\", \"reflect\", \"symmetric\", \"wrap\", \"black\" and \"white\", or a number, three numbers or four, got string \"mirror\"",
        ),
        (
            "[[augment]]\nkind = \"translate\"\nfill = nan",
            "augment[0].fill: expected one of \"edge\", \"reflect\", \"symmetric\", \"wrap\", \"black\" and \"white\", or a number, three numbers or four, got floating point `NaN`",
        ),
        (
            "[[augment]]\nkind = \"cutout\"\nside = 0.5\ncolour = [0, inf, 0]",
            "augment[0].colour: expected a number, three numbers or four, got floating point `inf`",
        ),
        (
            "[[augment]]\nkind = \"posterize\"\nbits = [3.2, 3.8]",
            "augment[0].bits: posterize: bits must be a range that contains an integer, got (3.2, 3.8)",
        ),
        (
            "[[augment]]\nkind = \"translate\"\ninterpolation = \"bilinaer\"",
            "augment[0].interpolation: there is no value `bilinaer`; did you mean `bilinear`?",
        ),
        (
            "[[augment]]\nkind = \"resize\"\nheight = 3",
            "augment[0]: resize: size must be either `height` and `width`, or `shorter`, or `longer`, got another combination",
        ),
        (
            "[[augment]]\nkind = \"random-crop\"\nheight = 3\nwidth = -1",
            "augment[0].width: expected usize, got integer `-1`",
        ),
        (
            "[[augment]]\nkind = \"random-erasing\"\nwith = { colours = 0 }",
            "augment[0].with: there is no value `colours`; did you mean `colour`?",
        ),
        ("[[augment]]\nkind = \"grey\"\np = 1.5", "augment[0].p: grey: probability must be within [0, 1], got 1.5"),
        (
            "[[augment]]\nkind = \"cutout\"\nside = 0.5\np = -1",
            "augment[0].p: coarse dropout: probability must be within [0, 1], got -1",
        ),
        (
            "[[augment]]\nkind = \"cutout\"\nside = 0.5\np = \"often\"",
            "augment[0].p: expected f64, got string \"often\"",
        ),
        (
            "[[augment]]\nkind = \"one-of\"\nparts = []",
            "augment[0]: one of: weights must be at least one above 0, got none",
        ),
        ("[[augment]]\nkind = \"one-of\"\nparts = 3", "augment[0].parts: expected a sequence, got integer `3`"),
        (
            "[[augment]]\nkind = \"one-of\"\nparts = [3]",
            "augment[0].parts[0]: a transform is described by a table with a `kind` and its fields",
        ),
        (
            "[[augment]]\nkind = \"some-of\"\nparts = []\ncount = 1",
            "augment[0].count: some of: count must be an ascending pair of at most 0, the number of transforms, got (1, 1)",
        ),
        (
            "[[augment]]\nkind = \"some-of\"\nparts = []\ncount = \"x\"",
            "augment[0].count: expected a number or a pair of numbers",
        ),
        (
            "[[augment]]\nkind = \"one-of\"\nparts = [{ kind = \"speckle\", std = 1 }]\nweights = []",
            "augment[0].weights: one of: weights must be as many as parts (1), got 0",
        ),
        (
            &format!("{part}{part}[[augment]]\nkind = \"one-of\"\nparts = [{{ kind = \"speckle\", std = -1 }}]"),
            "augment[2].parts[0].std: speckle: std must be a number or an ascending pair within [0, 1000000], got -1",
        ),
        (
            &format!(
                "{part}[[augment]]\nkind = \"sequence\"\nparts = [{{ kind = \"flip\" }}, {{ kind = \"sequence\", parts = [{{ kind = \"flip\", horizontal = true }}] }}]"
            ),
            "augment[1].parts[1].parts[0].horizontal: expected f64, got boolean `true`",
        ),
    ] {
        assert_eq!(built(text).unwrap_err().to_string(), expected, "{text}");
    }
    let unlike = built("[[augment]]\nkind = \"zzzzzzzzzz\"").unwrap_err().to_string();
    assert!(unlike.contains("there is no kind `zzzzzzzzzz`; there are affine, "), "{unlike}");
    for text in [
        "[3]",
        "[{\"kind\": null}]",
        "[{\"kind\": \"flip\", \"kind\": \"flip\"}]",
        "[{\"kind\": 18446744073709551615}]",
    ] {
        assert!(serde_json::from_str::<Vec<Spec>>(text).is_err(), "{text}");
    }
}

#[test]
fn compositions_may_not_lie_too_deep() {
    // Made in memory: parsers of files have limits of their own.
    let nested = |depth: usize| {
        let flip = Spec::from(spec::Table::from([("kind".to_owned(), Value::Text("flip".to_owned()))]));
        let sequence = |part: Spec, _| Spec::of(&spec::Sequence { parts: vec![part] }).unwrap();
        Registry::new().build("augment", &[(1..depth).fold(flip, sequence)])
    };
    assert!(nested(64).is_ok());
    let error = nested(65).unwrap_err().to_string();
    assert!(error.ends_with("compositions lie more than 64 deep in one another"), "{error}");
}
