//! What source files may contain.

use super::{Rule, Violation};
use proc_macro2::{Delimiter, TokenStream, TokenTree};

const UNSAFE: Rule = Rule {
    name: "unsafe",
    why: "unsafe code lives in a few named files, each with a reason; everywhere else the compiler forbids it",
};

const PRINTS: Rule =
    Rule { name: "prints", why: "the terminal belongs to the program: a library returns values and tells observers" };

const DOCS: Rule =
    Rule { name: "module-docs", why: "every file begins with `//!`: what it holds, and why it is there" };

const UNFINISHED: Rule =
    Rule { name: "unfinished", why: "what is on the main branch is done; what is not done yet is an issue" };

const PATHS: Rule = Rule { name: "paths", why: "a path of one machine means nothing on another" };

const SYNTAX: Rule = Rule { name: "syntax", why: "a file that cannot be read cannot be checked" };

/// The files that may contain unsafe code, and why each does.
const UNSAFE_FILES: &[(&str, &str)] = &[
    ("crates/augment/src/geometry/avx2.rs", "reverses rows of pixels in vector registers"),
    ("crates/augment/src/geometry/rows.rs", "bytes between two rows and columns, in vector instructions"),
    ("crates/augment/src/geometry/vectors.rs", "pixels between four others, at places that vectors compute"),
    ("crates/augment/src/noise/avx2.rs", "noise on runs of values, in vector instructions"),
    ("crates/augment/src/random/avx2.rs", "tests store vectors and call code for a processor that was asked"),
    (
        "crates/augment/src/simd.rs",
        "calls code compiled for vector extensions, after they were detected; converts a number that is in range",
    ),
    ("crates/augment/src/value/avx2.rs", "takes pixels of three values apart, in vector registers"),
    ("crates/core/src/pool.rs", "declares what a pool may promise to unsafe code"),
    ("crates/core/src/simd.rs", "calls code compiled for vector extensions, after they were detected"),
    ("crates/tensor/src/parallel.rs", "hands disjoint parts of one slice to several threads"),
    ("crates/tensor/src/support/channels.rs", "hands the interleaved channels of one slice to several threads"),
    ("crates/tensor/src/support/rows.rs", "tasks that write disjoint columns of one sum"),
    ("crates/tensor/src/support/split.rs", "hands disjoint rows of two slices to several threads"),
    ("crates/tensor/src/gemm/avx2.rs", "the innermost block of the matrix product, in vector instructions"),
    ("crates/tensor/src/gemm/avx2_eight.rs", "arithmetic on eight numbers, in vector instructions"),
    ("crates/tensor/src/gemm/avx2_strips.rs", "filters of 3 x 3 over rows of one channel, in vector instructions"),
    ("crates/tensor/src/gemm/avx2_transpose.rs", "transposes blocks of a matrix in vector registers"),
    ("crates/tensor/src/gemm/blocks.rs", "tasks that write disjoint tiles of one output"),
    ("crates/tensor/src/gemm/operand.rs", "reads runs of a strided view as slices"),
    ("crates/tensor/src/gemm/out.rs", "rows of an output that is shared between threads"),
    (
        "crates/tensor/src/gemm/prefetch.rs",
        "asks for memory ahead of its use, by an instruction that has no other effect",
    ),
    ("crates/tensor/src/gemm/target.rs", "writes tiles of one output from several threads"),
    ("crates/tensor/src/conv/correlation.rs", "tasks that write disjoint pixels of one output"),
    ("crates/tensor/src/conv/depthwise/any.rs", "tasks that write disjoint planes of one output"),
    ("crates/tensor/src/conv/depthwise/three.rs", "tasks that write disjoint planes of one output"),
    ("crates/tensor/src/conv/strided.rs", "tasks that write disjoint pixels of one output"),
    ("crates/tensor/src/conv/weight_grad.rs", "tasks that write disjoint rows of one sum"),
    ("crates/tensor/src/conv/winograd/product.rs", "tasks that write disjoint rows of tiles of one output"),
    ("crates/tensor/src/conv/winograd/weight_grad.rs", "tasks that write disjoint parts of one sum"),
    ("crates/tensor/examples/gflops.rs", "calls code compiled for vector extensions, to time it"),
    ("crates/train/src/pool.rs", "lends a job to waiting threads for as long as its owner waits for them"),
    ("bench/tests/allocations.rs", "an allocator that counts"),
    ("crates/augment/tests/allocations.rs", "an allocator that counts"),
    ("crates/data/tests/allocations.rs", "an allocator that counts"),
    ("crates/optim/tests/allocation.rs", "an allocator that counts"),
    ("crates/train/tests/allocations.rs", "an allocator that counts"),
];

/// Lines above which a file is reported: it probably holds more than one subject.
const LONG: usize = 600;

/// A source file, as the flat list of its tokens. Comments and the insides of strings are not tokens, so they break no rule.
pub(super) struct Source {
    place: String,
    tokens: Vec<Token>,
    has_docs: bool,
    n_lines: usize,
}

struct Token {
    text: String,
    line: usize,
    /// Whether it belongs to an item that only tests have.
    in_tests: bool,
}

impl Source {
    /// Reads a file.
    pub(super) fn parse(place: &str, text: &str) -> Result<Self, Violation> {
        let stream: TokenStream = text.parse().map_err(|e: proc_macro2::LexError| {
            Violation::new(&SYNTAX, format!("{place}:{}", e.span().start().line), e.to_string())
        })?;
        let trees: Vec<TokenTree> = stream.into_iter().collect();
        let has_docs = has_module_docs(&trees);
        let mut tokens = Vec::new();
        flatten(trees, false, &mut tokens);
        Ok(Source { place: place.to_owned(), tokens, has_docs, n_lines: text.lines().count() })
    }

    /// Whether there is an unsafe block, function, trait or impl.
    pub(super) fn has_unsafe(&self) -> bool {
        self.tokens.iter().any(|token| token.text == "unsafe")
    }

    /// The calls of macros with these names: the name, its line, and whether it is in tests.
    fn macros<'a>(&'a self, names: &'a [&str]) -> impl Iterator<Item = &'a Token> {
        self.tokens
            .windows(2)
            .filter(|pair| pair[1].text == "!" && names.contains(&pair[0].text.as_str()))
            .map(|pair| &pair[0])
    }
}

fn flatten(trees: Vec<TokenTree>, in_tests: bool, tokens: &mut Vec<Token>) {
    let mut in_item = false;
    for i in 0..trees.len() {
        in_item |= is_test_attribute(&trees[i..]);
        let in_tests = in_tests || in_item;
        let line = trees[i].span().start().line;
        match &trees[i] {
            TokenTree::Group(group) => {
                flatten(group.stream().into_iter().collect(), in_tests, tokens);
                // An item ends with its braces, or with a semicolon.
                in_item &= group.delimiter() != Delimiter::Brace;
            }
            TokenTree::Punct(punct) => {
                tokens.push(Token { text: punct.as_char().to_string(), line, in_tests });
                in_item &= punct.as_char() != ';';
            }
            TokenTree::Ident(name) => tokens.push(Token { text: name.to_string(), line, in_tests }),
            TokenTree::Literal(literal) => tokens.push(Token { text: literal.to_string(), line, in_tests }),
        }
    }
}

/// Whether `#[test]`, `#[cfg(test)]` or `#[cfg(all(test, …))]` begins here.
fn is_test_attribute(trees: &[TokenTree]) -> bool {
    let [TokenTree::Punct(hash), TokenTree::Group(attribute), ..] = trees else { return false };
    let attribute: String = attribute.stream().to_string().split_whitespace().collect();
    hash.as_char() == '#' && (attribute == "test" || attribute == "cfg(test)" || attribute.starts_with("cfg(all(test,"))
}

/// Whether one of the attributes that a file begins with is documentation; `//!` is read as such an attribute.
fn has_module_docs(trees: &[TokenTree]) -> bool {
    trees
        .chunks(3)
        .map_while(|chunk| match chunk {
            [TokenTree::Punct(hash), TokenTree::Punct(bang), TokenTree::Group(attribute)]
                if hash.as_char() == '#' && bang.as_char() == '!' =>
            {
                attribute.stream().into_iter().next()
            }
            _ => None,
        })
        .any(|name| name.to_string() == "doc")
}

/// A remark on a file that is long; no violation, because some subjects are.
pub(super) fn check_length(source: &Source) -> Option<String> {
    (source.n_lines > LONG).then(|| format!("note: {} has {} lines: one subject?", source.place, source.n_lines))
}

/// Checks that a file says what it holds.
pub(super) fn check_module_docs(source: &Source) -> Option<Violation> {
    (!source.has_docs).then(|| Violation::new(&DOCS, &source.place, "does not begin with `//!`"))
}

/// Checks that a library does not print, but in its tests.
pub(super) fn check_prints(source: &Source) -> Vec<Violation> {
    source
        .macros(&["print", "println", "eprint", "eprintln", "dbg"])
        .filter(|token| !token.in_tests)
        .map(|token| Violation::new(&PRINTS, format!("{}:{}", source.place, token.line), format!("{}!", token.text)))
        .collect()
}

/// Checks that no code stands in for code that is still to be written.
pub(super) fn check_unfinished(source: &Source) -> Vec<Violation> {
    source
        .macros(&["todo", "unimplemented"])
        .map(|token| {
            Violation::new(&UNFINISHED, format!("{}:{}", source.place, token.line), format!("{}!", token.text))
        })
        .collect()
}

/// Checks the files with unsafe code against the list of those that may have some.
pub(super) fn check_unsafe_files(files: &[String]) -> Vec<Violation> {
    let allowed = |file: &str| UNSAFE_FILES.iter().any(|(name, _)| *name == file);
    let mut violations = Vec::new();
    for file in files.iter().filter(|file| !allowed(file)) {
        violations.push(Violation::new(
            &UNSAFE,
            file,
            "has unsafe code, and is not in the list in xtask/src/tidy/source.rs",
        ));
    }
    for (file, _) in UNSAFE_FILES.iter().filter(|(name, _)| !files.iter().any(|file| file == name)) {
        violations.push(Violation::new(
            &UNSAFE,
            *file,
            "is in the list of files with unsafe code, and has none: take it out",
        ));
    }
    violations
}

/// Checks that a library forbids unsafe code, unless one of its files may have some.
pub(super) fn check_forbids_unsafe(place: &str, front: &str) -> Option<Violation> {
    let folder = place.strip_suffix("lib.rs").unwrap_or(place);
    let exempt = UNSAFE_FILES.iter().any(|(file, _)| file.starts_with(folder));
    let forbids = front.lines().any(|line| line.trim() == "#![forbid(unsafe_code)]");
    (!exempt && !forbids).then(|| Violation::new(&UNSAFE, place, "does not say `#![forbid(unsafe_code)]`"))
}

/// Checks any text, comments included, for marks of unfinished work and paths of one machine.
pub(super) fn check_text(place: &str, text: &str) -> Vec<Violation> {
    // Written in two parts, so that this file does not break the rules it states.
    const MARKS: [&str; 4] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X"), concat!("HA", "CK")];
    const HOMES: [&str; 5] = [
        concat!("/ho", "me/"),
        concat!("/ro", "ot/"),
        concat!("/Us", "ers/"),
        concat!("/wo", "rk/"),
        concat!("/tm", "p/"),
    ];
    let place_is_rust = place.ends_with(".rs");
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut violations = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let place = || format!("{place}:{}", number + 1);
        for mark in MARKS {
            let whole = |at: usize| !line[..at].ends_with(is_word) && !line[at + mark.len()..].starts_with(is_word);
            if line.match_indices(mark).any(|(at, _)| whole(at)) {
                violations.push(Violation::new(&UNFINISHED, place(), mark));
            }
        }
        // rustfmt keeps a space in a comment of words; code that someone switched off usually has none.
        let code =
            |rest: &str| ["mod ", "pub ", "use ", "fn ", "let ", "impl "].iter().any(|word| rest.starts_with(word));
        if place_is_rust && line.trim_start().strip_prefix("//").is_some_and(code) {
            violations.push(Violation::new(&UNFINISHED, place(), "code that is commented out"));
        }
        for home in HOMES {
            let absolute = |at: usize| !line[..at].ends_with(|c| is_word(c) || matches!(c, '.' | '-' | '}' | '$'));
            if line.match_indices(home).any(|(at, _)| absolute(at)) {
                violations.push(Violation::new(&PATHS, place(), format!("a path in {home}")));
            }
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source::parse("a.rs", text).map_err(|v| v.what).unwrap()
    }

    fn places(violations: Vec<Violation>) -> Vec<String> {
        violations.into_iter().map(|v| format!("{} {}", v.place, v.what)).collect()
    }

    #[test]
    fn printing_is_told_but_in_tests_comments_and_strings() {
        let text = "//! A.\n\nfn f() {\n    println!(\"x\");\n    if true {\n        std::dbg!(1);\n    }\n}\n";
        assert_eq!(places(check_prints(&source(text))), ["a.rs:4 println!", "a.rs:6 dbg!"]);
        let text = "//! `println!(1)`\n/// eprintln!(\"x\")\nfn f() -> &'static str { \"print!(1)\" } // dbg!(1)\n\
                    fn println() {}\n#[cfg(test)]\nmod tests {\n    fn g() { println!(\"x\"); }\n}\n";
        assert_eq!(places(check_prints(&source(text))), [""; 0]);
        // What stands after the tests is no test.
        let text = "#[cfg(test)]\nuse x;\n#[test]\nfn t() { dbg!(1); }\nfn f() { eprint!(\"x\"); }\n";
        assert_eq!(places(check_prints(&source(text))), ["a.rs:5 eprint!"]);
        let text = "#[cfg(not(test))]\nfn f() { print!(\"x\"); }\n";
        assert_eq!(check_prints(&source(text)).len(), 1);
        // In the body of a macro, too.
        let text = "macro_rules! m { () => { println!(\"x\") } }\n";
        assert_eq!(check_prints(&source(text)).len(), 1);
    }

    #[test]
    fn stand_ins_are_told() {
        let text = "fn f() { todo!() }\nfn g() { unimplemented!(\"later\") }\n/// `todo!()`\nfn h() {}\n";
        assert_eq!(places(check_unfinished(&source(text))), ["a.rs:1 todo!", "a.rs:2 unimplemented!"]);
    }

    #[test]
    fn files_without_docs_are_told() {
        assert!(check_module_docs(&source("//! Docs.\nfn f() {}\n")).is_none());
        assert!(check_module_docs(&source("#![forbid(unsafe_code)]\n#![doc = include_str!(\"x\")]\n")).is_none());
        assert!(check_module_docs(&source("/// Of f.\nfn f() {}\n")).is_some());
        assert!(check_module_docs(&source("#![allow(dead_code)]\n// No docs.\nfn f() {}\n")).is_some());
        assert!(check_module_docs(&source("fn f() {\n    #![doc = \"inside\"]\n}\n")).is_some());
        assert!(check_module_docs(&source("")).is_some());
    }

    #[test]
    fn unsafe_code_is_seen_where_it_is() {
        assert!(source("fn f() { unsafe { g() } }").has_unsafe());
        assert!(source("unsafe impl Send for X {}").has_unsafe());
        assert!(!source("//! unsafe\n#![deny(unsafe_code)]\nfn f() -> &'static str { \"unsafe\" }").has_unsafe());
    }

    #[test]
    fn unsafe_code_outside_the_list_is_told() {
        let listed = || UNSAFE_FILES.iter().map(|(file, _)| (*file).to_owned());
        assert!(check_unsafe_files(&listed().collect::<Vec<_>>()).is_empty());
        let more: Vec<_> = listed().chain(["crates/optim/src/adam.rs".to_owned()]).collect();
        assert_eq!(check_unsafe_files(&more)[0].place, "crates/optim/src/adam.rs");
        // A file that no longer has unsafe code leaves the list.
        assert_eq!(check_unsafe_files(&listed().skip(1).collect::<Vec<_>>()).len(), 1);
    }

    #[test]
    fn a_library_that_does_not_forbid_unsafe_code_is_told() {
        assert!(check_forbids_unsafe("crates/optim/src/lib.rs", "//! Docs.\n#![forbid(unsafe_code)]\n").is_none());
        assert!(check_forbids_unsafe("crates/optim/src/lib.rs", "//! Docs.\n// #![forbid(unsafe_code)]\n").is_some());
        assert!(check_forbids_unsafe("crates/tensor/src/lib.rs", "//! Docs.\n").is_none());
    }

    #[test]
    fn marks_and_machine_paths_are_told_in_comments_too() {
        let mark = concat!("FIX", "ME");
        let text = format!("a\n// {mark}: later\n# {mark}S_OF_A_NAME\n");
        assert_eq!(places(check_text("a.py", &text)), [format!("a.py:2 {mark}")]);
        let home = concat!("/ho", "me/");
        let text = format!("data = '{home}someone/data'\nsee docs{home}page\nurl://site.org{home}page\n");
        assert_eq!(places(check_text("a.py", &text)), [format!("a.py:1 a path in {home}")]);
    }

    #[test]
    fn code_that_is_commented_out_is_told() {
        let text = "fn f() {}\n    //let x = 1;\n// let this be a sentence\n/// use it\n//pub mod a;\n";
        let told = ["a.rs:2 code that is commented out", "a.rs:5 code that is commented out"];
        assert_eq!(places(check_text("a.rs", text)), told);
        assert_eq!(places(check_text("a.md", text)), [""; 0]);
    }

    #[test]
    fn long_files_are_remarked() {
        assert!(check_length(&source(&"//! x\n".repeat(LONG))).is_none());
        assert!(check_length(&source(&"//! x\n".repeat(LONG + 1))).is_some());
    }

    #[test]
    fn a_file_that_cannot_be_read_is_told() {
        assert_eq!(Source::parse("a.rs", "fn f( {").err().unwrap().rule.name, "syntax");
    }
}
