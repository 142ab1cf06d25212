//! `cargo xtask inventory`: what the catalogue of tricks asks for, where each of it is, and which test checks it.
//!
//! The table is `xtask/inventory.toml`. It is checked, not believed: a crate that uses every path is compiled, every test is looked for
//! in the runner's list, and every test is run with a wrong sign in what it is to check, which it must notice.

mod flips;
mod paths;
mod programs;
mod table;

use crate::Failure;
use crate::ci::Context;
use crate::run::cargo;
use crate::workspace::Workspace;
use std::fs;
use std::time::Instant;
use table::{Item, Table};

pub(crate) use flips::compiles;

/// The whole check, or a part of it.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only whether paths and tests are there.
    #[arg(long)]
    quick: bool,
    /// Only turn the signs of items whose part or name holds one of these.
    #[arg(conflicts_with = "quick")]
    names: Vec<String>,
}

/// Lists the items, and checks them.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let workspace = Workspace::load()?;
    let (table, mut items) = read(&workspace)?;
    if !options.names.is_empty() {
        items.retain(|item| options.names.iter().any(|name| item.to_string().contains(name.as_str())));
        print!("{}", list(&table, &items));
        return verdict(&turn_signs(&workspace, &items)?);
    }
    print!("{}", list(&table, &items));
    let mut told = check_quickly(&workspace, &items)?;
    if !options.quick {
        told.extend(turn_signs(&workspace, &items)?);
    }
    verdict(&told)
}

fn turn_signs(workspace: &Workspace, items: &[Item]) -> Result<Vec<String>, Failure> {
    let start = Instant::now();
    let programs = flips::build(workspace, items)?;
    let built = start.elapsed();
    let told = flips::check(&programs, items);
    let n: usize = items.iter().map(|item| item.flips.len()).sum();
    let (built, ran) = (built.as_secs_f64(), (start.elapsed() - built).as_secs_f64());
    println!("{n} signs turned: {built:.0} s to build, {ran:.0} s to run");
    Ok(told)
}

/// The whole check, as a stage among others.
pub(crate) fn stage(_: &mut Context) -> Result<(), Failure> {
    run(&Options { quick: false, names: Vec::new() })
}

fn read(workspace: &Workspace) -> Result<(Table, Vec<Item>), Failure> {
    let table = Table::parse(&fs::read_to_string(workspace.root.join("xtask/inventory.toml"))?)?;
    let items = table.items()?;
    Ok((table, items))
}

fn check_quickly(workspace: &Workspace, items: &[Item]) -> Result<Vec<String>, Failure> {
    let arguments = ["test", "--workspace", "--no-run", "--quiet", "--lib", "--bins", "--tests"];
    let (programs, libraries) = programs::build(workspace, cargo(&workspace.root, arguments))?;
    let mut told = paths::check(&workspace.target.join("inventory"), &libraries, items)?;
    told.extend(programs::check(&programs, items));
    told.extend(flips::check_sources(workspace, items)?);
    Ok(told)
}

fn verdict(told: &[String]) -> Result<(), Failure> {
    if told.is_empty() {
        return Ok(());
    }
    told.iter().for_each(|fault| println!("{fault}"));
    Err(format!("{} faults of the inventory", told.len()).into())
}

/// The table for people: each part with its claim, each item with its paths, its test, and its signs or why it has none.
fn list(table: &Table, items: &[Item]) -> String {
    let mut text = String::new();
    for part in table.parts.iter().filter(|part| items.iter().any(|item| item.part == part.name)) {
        text += &format!("\n{}: {}\n", part.name, part.claim);
        for item in items.iter().filter(|item| item.part == part.name) {
            text += &format!("  {}\n", item.name);
            for path in &item.paths {
                text += &format!("    path  {path}\n");
            }
            if let Some(test) = &item.test {
                text += &format!("    test  {test}\n");
            }
            for flip in &item.flips {
                text += &format!("    sign  {flip}\n");
            }
            if let Some(remark) = &item.remark {
                text += &format!("    ({remark})\n");
            }
        }
    }
    text + &format!("\n{}\n", summary(items))
}

fn summary(items: &[Item]) -> String {
    let open = items.iter().filter(|item| item.test.is_none()).count();
    let signs: usize = items.iter().map(|item| item.flips.len()).sum();
    let signed = items.iter().filter(|item| !item.flips.is_empty()).count();
    format!("{} items, {open} of them open; {signed} have signs, {signs} in all", items.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::path::Path;

    #[test]
    fn the_list_tells_all_of_an_item() {
        let text = "[[part]]\nname = 'relu'\nclaim = 'it is cheap'\nitems = [\n\
                    { name = 'ReLU', path = 'layers::Relu', test = 'a b c', flip = 'relu/0' },\n\
                    { name = 'sparsity', path = 'x::y', test = 'a b d', signless = 'a reading' },\n\
                    { name = 'more', open = 'it is to come' },\n]\n";
        let table = Table::parse(text).unwrap();
        let items = table.items().unwrap();
        assert_eq!(
            list(&table, &items),
            "\nrelu: it is cheap\n  ReLU\n    path  layers::Relu\n    test  a b c\n    sign  relu/0\n  sparsity\n    path  x::y\n    \
             test  a b d\n    (a reading)\n  more\n    (open: it is to come)\n\n\
             3 items, 1 of them open; 1 have signs, 1 in all\n"
        );
    }

    /// The sources of a package as one text.
    fn sources(folder: &Path) -> String {
        let mut text = String::new();
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                text += &sources(&path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                text += &fs::read_to_string(path).unwrap();
            }
        }
        text
    }

    /// A look that costs nothing, so that whoever renames a test or an item hears of it before the night.
    #[test]
    fn what_the_table_names_is_in_the_sources() {
        let workspace = Workspace::load().unwrap();
        let (_, items) = read(&workspace).unwrap();
        assert!(items.len() > 200, "{} items", items.len());
        let mut packages = BTreeMap::new();
        let mut of = |package: &str, name: &str, forms: [String; 2]| {
            let folder = workspace.root.join("crates").join(package);
            let text = packages.entry(package.to_owned()).or_insert_with(|| sources(&folder));
            let there = forms.iter().any(|form| text.contains(form.as_str()));
            (!there).then(|| format!("{package} has no {name}"))
        };
        let mut told = Vec::new();
        for item in &items {
            for path in &item.paths {
                let package = path.split("::").next().unwrap_or_default();
                let name = path.rsplit("::").next().unwrap_or_default();
                let fault = of(package, name, [format!(" {name}"), format!("({name}")]);
                told.extend(fault.map(|fault| format!("{item}: {fault}")));
            }
            if let Some(test) = &item.test {
                let name = test.name.rsplit("::").next().unwrap_or_default();
                // A function, or a row of a table that makes tests.
                let fault = of(&test.package, name, [format!("fn {name}("), format!("{name}: \"")]);
                told.extend(fault.map(|fault| format!("{item}: {fault}")));
            }
        }
        told.extend(flips::check_sources(&workspace, &items).unwrap());
        assert_eq!(told, [""; 0]);
    }
}
