//! A first recipe for some data.

use crate::error::Problem;
use crate::{RecipeError, Result};
use gradwise_data::DataError;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

/// A sensible recipe for a data set, with comments on what else could be said.
///
/// `data` is a table of separated values, an archive of NumPy's, a folder with the files of MNIST or CIFAR, or a folder of pictures in a
/// folder for each class. `written` is how the recipe should call it. Of a table the last column is what is predicted, or one that is called
/// `target`, `class`, `label` or `y`.
///
/// ```
/// use gradwise_recipe::{Recipe, Registry, suggest};
///
/// let folder = tempfile::tempdir()?;
/// let file = folder.path().join("plants.csv");
/// let rows: String = (0..20).map(|i| format!("{i},{}\n", ["a", "b"][i % 2])).collect();
/// std::fs::write(&file, format!("height,name\n{rows}"))?;
/// let recipe: Recipe = suggest(&file, &file.display().to_string())?.parse()?;
/// assert_eq!(recipe.build(&Registry::new())?.train_set().n_classes(), Some(2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If the data cannot be read, or are none of these.
pub fn suggest(data: &Path, written: &str) -> Result<String> {
    let io = |error| RecipeError::from(DataError::io(data, error));
    if std::fs::metadata(data).map_err(io)?.is_dir() {
        return folder(data, written);
    }
    match data.extension().and_then(|extension| extension.to_str()).map(str::to_ascii_lowercase).as_deref() {
        Some("csv" | "tsv" | "txt" | "data") => {
            let bytes = std::fs::read(data).map_err(io)?;
            table(&String::from_utf8_lossy(&bytes), written)
        }
        Some("npz") => Ok(text(
            &format!(
                "source = {{ kind = \"npz\", file = {} }}   # arrays x and y; other names: inputs = \"…\", targets = \"…\"",
                quoted(written)
            ),
            "scale = [\"standard\"]",
            "",
            PERCEPTRON,
            "0.003",
            30,
        )),
        _ => {
            let problem = "is neither a .csv, .tsv or .npz file, nor a folder of data".to_owned();
            Err(RecipeError::new(Problem::Other(format!("{}: {problem}", data.display()))))
        }
    }
}

const PERCEPTRON: &str = "\
activation = \"relu\"          # of every layer with weights, but for the last one
# init = \"he-normal\"
# loss = \"cross-entropy\"     # as it is for classes; \"mean-squared-error\" for numbers

[[model.layers]]
kind = \"flatten\"             # samples of one axis stay as they are

[[model.layers]]
kind = \"linear\"
units = 64

[[model.layers]]
kind = \"dropout\"
rate = 0.1

[[model.layers]]
kind = \"linear\"
units = 32

[[model.layers]]
kind = \"linear\"              # as many units as the data ask for
";

const CONVOLUTIONS: &str = "\
activation = \"none\"          # batch norms bring the ReLU
# loss = \"cross-entropy\"

[[model.layers]]
kind = \"conv2d\"
channels = 32
kernel = 3
padding = \"same\"
bias = false

[[model.layers]]
kind = \"batch-norm\"
relu = true

[[model.layers]]
kind = \"max-pool\"
kernel = 2

[[model.layers]]
kind = \"conv2d\"
channels = 64
kernel = 3
padding = \"same\"
bias = false

[[model.layers]]
kind = \"batch-norm\"
relu = true

[[model.layers]]
kind = \"global-avg-pool\"

[[model.layers]]
kind = \"linear\"              # as many units as the data ask for
";

/// A string of TOML.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// The recipe of its parts.
fn text(source: &str, scale: &str, augment: &str, model: &str, rate: &str, epochs: u64) -> String {
    format!(
        "\
# A recipe for `gradwise train`. `gradwise recipe check FILE` tells what it makes; `gradwise recipe schema` all that can be said.

[data]
{source}
split = {{ validation = 0.1 }}  # of the training part; `test = 0.2` is taken before, unless the data have a test part
{scale}
{augment}
[model]
{model}
[optimizer]
rule = \"adamw\"
rate = {rate}
schedule = \"one-cycle\"        # up to the rate and down again; or \"cosine\", \"constant\", …
weight-decay = 0.01
groups = [{{ on = \"vectors\", decay-times = 0 }}]   # no decay on biases and norms
# clip = {{ global-norm = 1.0 }}
# average = {{ decay = 0.999 }}

# [regularize]
# label-smoothing = 0.1
# penalties = [{{ kind = \"l2\", strength = 1e-4 }}]

[train]
epochs = {epochs}
batch = 32
seed = 0
# early-stopping = {{ monitor = \"loss\", patience = 5 }}
"
    )
}

fn folder(data: &Path, written: &str) -> Result<String> {
    let has = |names: &[&str]| names.iter().any(|name| data.join(name).is_file());
    let idx = [
        "train-images-idx3-ubyte",
        "train-images-idx3-ubyte.gz",
        "train-images.idx3-ubyte",
        "train-images.idx3-ubyte.gz",
    ];
    let place = quoted(written);
    let source = if has(&idx) {
        format!("source = {{ kind = \"idx\", folder = {place} }}")
    } else if has(&["data_batch_1.bin"]) {
        format!("source = {{ kind = \"cifar10\", folder = {place} }}")
    } else if has(&["train.bin"]) {
        format!("source = {{ kind = \"cifar100\", folder = {place} }}")
    } else {
        gradwise_data::ImageFolder::open(data)?;
        format!(
            "source = {{ kind = \"images\", folder = {place}, size = [32, 32] }}   # height and width that pictures are brought to"
        )
    };
    let augment = "
[[augment]]                    # in training only
kind = \"translate\"
x = 0.1
y = 0.1
";
    let scale =
        "scale = [\"standard\"]           # each channel to mean 0 and variance 1, as learned from the training part";
    Ok(text(&source, scale, augment, CONVOLUTIONS, "0.01", 10))
}

/// For a table: what its first lines look like decides.
fn table(content: &str, written: &str) -> Result<String> {
    // The mark that some spreadsheets put before a text is no part of the first name.
    let content = content.trim_start_matches('\u{feff}');
    let first = content.lines().next().unwrap_or_default();
    let delimiter =
        ['\t', ';', ','].into_iter().max_by_key(|delimiter| first.matches(*delimiter).count()).unwrap_or(',');
    let cells = |line: &str| -> Vec<String> {
        line.split(delimiter).map(|cell| cell.trim().trim_matches('"').to_owned()).collect()
    };
    let names = cells(first);
    if names.len() < 2 {
        return Err(RecipeError::value(
            "a table of two columns or more",
            format_args!("one of {} in {written}", names.len()),
        ));
    }
    let is_number = |cell: &String| cell.parse::<f64>().is_ok();
    // A first line with a number in it names nothing.
    let header = !names.iter().any(is_number);
    let called = |name: &&String| ["target", "class", "label", "y"].contains(&name.to_lowercase().as_str());
    let at = names.iter().position(|name| header && called(&name)).unwrap_or(names.len() - 1);
    let lines = content.lines().skip(usize::from(header)).filter(|line| !line.trim().is_empty());
    let rows: Vec<Vec<String>> = lines.map(cells).collect();
    let is_missing = |cell: &str| ["", "?", "NA", "NaN", "nan"].contains(&cell);
    let targets = rows.iter().filter_map(|row| row.get(at)).map(String::as_str);
    let values: BTreeSet<&str> = targets.filter(|cell| !is_missing(cell)).collect();
    let whole = values.iter().all(|value| value.parse::<i64>().is_ok());
    let few = values.len() <= 20 && values.len() * 5 <= rows.len().max(10);
    let classes = !values.iter().all(|value| value.parse::<f64>().is_ok()) || (whole && few);
    let missing = rows.iter().flatten().any(|cell| is_missing(cell));
    let target = if header { names[at].clone() } else { (at + 1).to_string() };
    let mut source = format!("[data.source]\nkind = \"csv\"\nfile = {}\n", quoted(written));
    let mut line = |text: String| {
        let _ = writeln!(source, "{text}");
    };
    if !header {
        line("header = false               # columns go by their numbers".to_owned());
    }
    line(format!("target = {}", quoted(&target)));
    let other = if classes { "number" } else { "class" };
    line(format!("task = \"{}\"               # or \"{other}\"", if classes { "class" } else { "number" }));
    line(format!(
        "{}missing = \"mean\"           # missing values become the mean of their column",
        if missing { "" } else { "# " }
    ));
    // A table of its own has to stand behind the section's other keys.
    let model = PERCEPTRON
        .replace("[[model.layers]]\nkind = \"flatten\"             # samples of one axis stay as they are\n\n", "");
    let scale =
        "scale = [\"standard\"]           # each column to mean 0 and variance 1, as learned from the training part";
    Ok(text("", scale, &format!("\n{source}"), &model, "0.003", 50).replacen("[data]\n\n", "[data]\n", 1))
}
