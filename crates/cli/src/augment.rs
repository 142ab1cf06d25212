//! `gradwise augment`: an image augmented again and again, to look at.

use crate::args::AugmentArgs;
use crate::failure::Failure;
use crate::photo;
use crate::sheet::{Cell, MOST_PIXELS, fitted, sheet};
use crate::words::Words;
use gradwise::augment::spec::{Registry, Spec};
use gradwise::augment::{Augment, Error, Image, ImageRef, Key, Kind, Mixing, Plan, Serial, Value};
use image::{DynamicImage, ImageFormat, RgbImage};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// What of a file is read: the list of transforms. A recipe holds more, which is for others.
#[derive(Deserialize)]
struct Recipe {
    augment: Vec<Spec>,
}

/// What was drawn: for each sample, and for all of them together.
#[derive(Serialize, Deserialize)]
struct Drawn {
    plans: Vec<Plan>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mixing: Option<Mixing>,
}

pub(crate) fn run(arguments: &AugmentArgs) -> Result<(), Failure> {
    let format = ImageFormat::from_path(&arguments.out)
        .ok()
        .filter(|format| matches!(format, ImageFormat::Png | ImageFormat::Jpeg))
        .ok_or_else(|| {
            Failure::Usage(format!("--out {}: expected a name that ends in .png or .jpg", arguments.out.display()))
        })?;
    let photo = photo::open(&arguments.image)?;
    let source = ImageRef::try_from(&photo).map_err(|error| data(&arguments.image, error))?;
    let n_cells = (arguments.grid.columns * arguments.grid.rows) as usize;
    let drawn = match (&arguments.replay, &arguments.pipeline) {
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
    let mut mixed = mixed_samples(&drawn, source).map_err(|error| data(&arguments.image, error))?.into_iter();
    for (i, plan) in drawn.plans.iter().enumerate().take(n_cells - 1) {
        let mut caption = caption(plan, drawn.mixing.as_ref(), i);
        let result =
            mixed.next().map_or_else(|| plan.apply(source), Ok).map_err(|error| data(&arguments.image, error))?;
        cells.push(Cell { picture: fitted(&shown(result, &mut caption)?, arguments.cell), caption });
    }
    let sheet = sheet(&cells, arguments.grid).ok_or_else(too_large)?;
    let failed = |path: &Path, error: &dyn std::fmt::Display| Failure::Output(format!("{}: {error}", path.display()));
    sheet.save_with_format(&arguments.out, format).map_err(|error| failed(&arguments.out, &error))?;
    if let Some(file) = &arguments.save {
        let json = serde_json::to_string_pretty(&drawn).map_err(|error| failed(file, &error))?;
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

/// What a pipeline draws for so many samples.
fn drawn(file: &Path, source: ImageRef<'_>, seed: u64, n: usize) -> Result<Drawn, Failure> {
    let recipe: Recipe = toml::from_str(&read(file)?).map_err(|error| data(file, error.to_string().trim_end()))?;
    let pipeline = Registry::new().pipeline("augment", &recipe.augment).map_err(|error| data(file, error))?;
    let epoch = Key::new(seed).epoch(0);
    let plan = |index| pipeline.samples.plan(source.shape(), source.kind(), epoch.sample(index));
    let plans: Vec<Plan> = (0..n as u64).map(plan).collect::<Result<_, _>>().map_err(|error| data(file, error))?;
    let mixing = match (&pipeline.batch, plans.first()) {
        (Some(mix), Some(first)) => {
            let output = first.output(source.shape(), source.kind()).map_err(|error| data(file, error))?;
            Some(mix.draw(n, output.0, epoch.batch(0)).map_err(|error| data(file, error))?)
        }
        _ => None,
    };
    Ok(Drawn { plans, mixing })
}

/// What was drawn before.
fn saved(file: &Path) -> Result<Drawn, Failure> {
    serde_json::from_str(&read(file)?).map_err(|error| data(file, error))
}

/// The most values of a batch that is mixed: all of its samples are in memory at once.
const MOST_VALUES: usize = 1 << 28;

/// What comes of the image, sample by sample, if samples are mixed; nothing otherwise.
fn mixed_samples(drawn: &Drawn, source: ImageRef<'_>) -> Result<Vec<Image>, Error> {
    let Some(mixing) = &drawn.mixing else { return Ok(Vec::new()) };
    let n = source.shape().len().and_then(|len| len.checked_mul(drawn.plans.len()));
    if n.is_none_or(|n| n > MOST_VALUES) {
        let got = format!("{} samples of {}", drawn.plans.len(), source.shape());
        return Err(Error::image("mix", format!("a batch of at most {MOST_VALUES} values"), got));
    }
    let images: Vec<Image> = drawn.plans.iter().map(|plan| plan.apply(source)).collect::<Result<_, _>>()?;
    match images.first().map(Image::kind) {
        Some(Kind::U8) => mixed::<u8>(mixing, images),
        Some(Kind::F32) => mixed::<f32>(mixing, images),
        None => Ok(images),
    }
}

/// The samples mixed with one another.
fn mixed<V: Value>(mixing: &Mixing, images: Vec<Image>) -> Result<Vec<Image>, Error> {
    let shape = images[0].shape();
    let mut batch = Vec::new();
    for (i, image) in images.into_iter().enumerate() {
        let got = image.shape();
        let values = if got == shape { image.into_vec::<V>().ok() } else { None };
        let Some(values) = values else {
            return Err(Error::image(format!("sample {i} of a mix"), format!("{shape}, as the first sample"), got));
        };
        batch.extend(values);
    }
    let mut target = vec![V::default(); batch.len()];
    mixing.images(shape, &batch, &mut target, &Serial)?;
    let len = shape.len().unwrap_or(1);
    target.chunks(len).map(|values| Image::from_vec(shape, values.to_vec())).collect()
}

/// What was drawn for a sample, line by line.
fn caption(plan: &Plan, mixing: Option<&Mixing>, i: usize) -> Vec<String> {
    let mut lines: Vec<String> = plan.notes().iter().map(ToString::to_string).collect();
    if let Some(sample) = mixing.and_then(|mixing| mixing.samples().get(i)) {
        lines.insert(0, format!("sample {i}"));
        let what = sample.pasted.map_or("rest".to_owned(), |part| format!("{} x {} pixels", part.height, part.width));
        lines.push(format!("{:.2} of itself, {what} from {}", sample.share, sample.partner));
    }
    if lines.is_empty() {
        lines.push("nothing".to_owned());
    }
    lines
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
