//! `gradwise augment`: an image augmented again and again, to look at.

use crate::args::AugmentArgs;
use crate::failure::Failure;
use crate::sheet::{Cell, MOST_PIXELS, fitted, sheet};
use crate::words::Words;
use gradwise::augment::spec::{Registry, Spec};
use gradwise::augment::{Augment, Image, ImageRef, Key, Plan};
use image::{DynamicImage, ImageFormat, RgbImage};
use serde::Deserialize;
use std::path::Path;

/// What of a file is read: the list of transforms. A recipe holds more, which is for others.
#[derive(Deserialize)]
struct Recipe {
    augment: Vec<Spec>,
}

pub(crate) fn run(arguments: &AugmentArgs) -> Result<(), Failure> {
    let format = ImageFormat::from_path(&arguments.out)
        .ok()
        .filter(|format| matches!(format, ImageFormat::Png | ImageFormat::Jpeg))
        .ok_or_else(|| {
            Failure::Usage(format!("--out {}: expected a name that ends in .png or .jpg", arguments.out.display()))
        })?;
    let photo = open(&arguments.image)?;
    let source = ImageRef::try_from(&photo).map_err(|error| data(&arguments.image, error))?;
    let n_cells = (arguments.grid.columns * arguments.grid.rows) as usize;
    let plans = match (&arguments.replay, &arguments.pipeline) {
        (Some(file), _) => saved(file)?,
        (None, Some(file)) => drawn(file, source, arguments.seed, n_cells - 1)?,
        (None, None) => return Err(Failure::Usage("neither --pipeline nor --replay".into())),
    };
    let too_large = || {
        let (columns, rows) = (arguments.grid.columns, arguments.grid.rows);
        let million = MOST_PIXELS / 1_000_000;
        Failure::Usage(format!(
            "--grid {columns}x{rows} --cell {}: a sheet of more than {million} million pixels",
            arguments.cell
        ))
    };
    let first = fitted(&photo.to_rgb8(), arguments.cell);
    if u64::from(first.width()) * u64::from(first.height()) * n_cells as u64 > MOST_PIXELS {
        return Err(too_large());
    }
    let mut cells = vec![Cell { picture: first, caption: vec!["the image".to_owned()] }];
    for plan in plans.iter().take(n_cells - 1) {
        let result = plan.apply(source).map_err(|error| data(&arguments.image, error))?;
        let mut caption: Vec<String> = plan.notes().iter().map(ToString::to_string).collect();
        if caption.is_empty() {
            caption.push("nothing".to_owned());
        }
        cells.push(Cell { picture: fitted(&shown(result, &mut caption)?, arguments.cell), caption });
    }
    let sheet = sheet(&cells, arguments.grid).ok_or_else(too_large)?;
    let failed = |path: &Path, error: &dyn std::fmt::Display| Failure::Output(format!("{}: {error}", path.display()));
    sheet.save_with_format(&arguments.out, format).map_err(|error| failed(&arguments.out, &error))?;
    if let Some(file) = &arguments.save {
        let json = serde_json::to_string_pretty(&plans).map_err(|error| failed(file, &error))?;
        std::fs::write(file, json + "\n").map_err(|error| failed(file, &error))?;
    }
    let mut words = Words::new(std::io::stdout().lock());
    words.line(format_args!(
        "{}: {} cells, {} x {}",
        arguments.out.display(),
        cells.len(),
        sheet.width(),
        sheet.height()
    ));
    words.finish()
}

/// A failure of the data at a path.
fn data(path: &Path, error: impl std::fmt::Display) -> Failure {
    Failure::Data(format!("{}: {error}", path.display()))
}

/// A file's text; a path that leads nowhere is a wrong command.
fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Failure::Usage(format!("{}: {error}", path.display())),
        _ => data(path, error),
    })
}

/// An image of bytes: what has sixteen bits a value is brought to eight.
fn open(path: &Path) -> Result<DynamicImage, Failure> {
    let reader =
        image::ImageReader::open(path).map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?;
    let image = reader.with_guessed_format().map_err(|error| data(path, error))?.decode();
    let image = image.map_err(|error| data(path, error))?;
    Ok(match image {
        DynamicImage::ImageLuma8(_) | DynamicImage::ImageRgb8(_) | DynamicImage::ImageRgba8(_) => image,
        other if other.color().has_color() => other.into_rgb8().into(),
        other => other.into_luma8().into(),
    })
}

/// What a pipeline draws for so many samples.
fn drawn(file: &Path, source: ImageRef<'_>, seed: u64, n: usize) -> Result<Vec<Plan>, Failure> {
    let recipe: Recipe = toml::from_str(&read(file)?).map_err(|error| data(file, error.to_string().trim_end()))?;
    let pipeline = Registry::new().build("augment", &recipe.augment).map_err(|error| data(file, error))?;
    let epoch = Key::new(seed).epoch(0);
    let plan = |index| pipeline.plan(source.shape(), source.kind(), epoch.sample(index));
    (0..n as u64).map(plan).collect::<Result<_, _>>().map_err(|error| data(file, error))
}

/// What was drawn before.
fn saved(file: &Path) -> Result<Vec<Plan>, Failure> {
    serde_json::from_str(&read(file)?).map_err(|error| data(file, error))
}

/// A result as colours. Values that leave what can be shown, as those of a normalised image do, are stretched, and the caption says so.
fn shown(result: Image, caption: &mut Vec<String>) -> Result<RgbImage, Failure> {
    let result = match result.as_f32() {
        None => result,
        Some(values) => {
            let (low, high) = values.iter().fold((0.0_f32, 1.0_f32), |(low, high), &x| (low.min(x), high.max(x)));
            if (low, high) != (0.0, 1.0) {
                caption.push(format!("shown from {low:.2} to {high:.2}"));
            }
            let bytes = values.iter().map(|x| ((x - low) / (high - low) * 255.0 + 0.5) as u8).collect();
            Image::from_vec(result.shape(), bytes).map_err(|error| Failure::Data(error.to_string()))?
        }
    };
    let image = DynamicImage::try_from(result).map_err(|error| Failure::Data(error.to_string()))?;
    Ok(image.into_rgb8())
}
