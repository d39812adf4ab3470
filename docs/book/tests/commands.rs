//! Commands in the text of the documents, which take too long to be run by a test, and the options for Cargo of all
//! commands: what they name is there. The commands in blocks are run by `crates/command/tests/book.rs`.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The README and the book's pages.
fn pages() -> Vec<PathBuf> {
    let book = fs::read_dir(root().join("docs/book/src")).unwrap();
    let files = book.map(|entry| entry.unwrap().path());
    files
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .chain([root().join("README.md")])
        .collect()
}

/// The lines of blocks of `sh`, and what is between backticks elsewhere, which may go over lines.
fn code(text: &str) -> Vec<String> {
    let mut code = Vec::new();
    let mut prose = String::new();
    let mut fence = None;
    for line in text.lines() {
        match (fence, line.strip_prefix("```")) {
            (None, Some(kind)) => fence = Some(kind),
            (Some(_), Some(_)) => fence = None,
            (None, None) => prose += &format!("{line}\n"),
            (Some("sh"), None) => code.push(line.to_owned()),
            (Some(_), None) => {}
        }
    }
    for paragraph in prose.split("\n\n") {
        let spans = paragraph.split('`').skip(1).step_by(2);
        code.extend(spans.map(|span| span.replace('\n', " ")));
    }
    code
}

/// Whether a directory of examples or benchmarks has a program of that name.
fn is_program(kind: &str, name: &str) -> bool {
    let crates = fs::read_dir(root().join("crates")).unwrap();
    let mut directories: Vec<PathBuf> = crates
        .map(|entry| entry.unwrap().path().join(kind))
        .collect();
    directories.extend(["docs/book", kind].map(|directory| root().join(directory)));
    directories.iter().any(|directory| {
        let is_file = |path: String| directory.join(path).is_file();
        is_file(format!("{name}.rs")) || is_file(format!("{name}/main.rs"))
    })
}

/// Whether the package `burn-lr` has that feature.
fn is_feature(name: &str) -> bool {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let features = manifest.split_once("\n[features]\n").unwrap().1;
    let features = features.split("\n[").next().unwrap();
    let name = name.strip_prefix("burn-lr/").unwrap_or(name);
    features
        .lines()
        .any(|line| line.starts_with(&format!("{name} = ")))
}

/// What a command names that is not there.
fn missing(command: &str) -> Vec<String> {
    let words: Vec<&str> = command.split_whitespace().collect();
    let mut missing = Vec::new();
    let script = |word: &&&str| word.ends_with(".py") && word.contains('/');
    for script in words.iter().filter(script) {
        // Some are started from the directory of the examples.
        let path = script.trim_start_matches("kill=").replace("../", "");
        if !root().join(&path).is_file() {
            missing.push(path);
        }
    }
    if !words.contains(&"cargo") {
        return missing;
    }
    let of_cargo = words.split(|word| *word == "--").next().unwrap();
    for pair in of_cargo.windows(2) {
        let is_there = match pair[0] {
            "--example" => is_program("examples", pair[1]),
            "--bench" => is_program("benches", pair[1]),
            "--features" => pair[1].split(',').all(is_feature),
            "-p" => is_package(pair[1]),
            _ => true,
        };
        if !is_there {
            missing.push(pair.join(" "));
        }
    }
    missing
}

fn is_package(name: &str) -> bool {
    let directory = name.trim_start_matches("burn-lr-");
    let in_either = ["crates", "."].map(|parent| root().join(parent).join(directory));
    in_either
        .iter()
        .any(|path| path.join("Cargo.toml").exists())
}

#[test]
fn commands_name_what_is_there() {
    let mut wrong = Vec::new();
    let mut commands = 0;
    for page in pages() {
        for command in code(&fs::read_to_string(&page).unwrap()) {
            commands += usize::from(command.contains("cargo "));
            let missing = missing(&command);
            wrong.extend(
                missing
                    .iter()
                    .map(|name| format!("{}: {name}", page.display())),
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(commands > 80, "{commands}");
}

#[test]
fn a_command_that_names_nothing_is_found() {
    for command in [
        "cargo run --release --example nothing",
        "cargo bench --bench nothing -- --example cnn",
        "cargo run --features wgpu,nothing --example cnn",
        "cargo doc -p burn-lr-nothing",
        "python3 benches/nothing.py",
    ] {
        assert!(!missing(command).is_empty(), "{command}");
    }
    for command in [
        "cargo run --release --features burn-lr/wgpu --example cnn -- --example nothing",
        "kill=../../../benches/kill.py",
    ] {
        assert_eq!(missing(command), Vec::<String>::new(), "{command}");
    }
}

/// The dependencies that pages name are those of the README, which `.ci/outside` builds a project with, or of the
/// scheduler's own.
#[test]
fn dependencies_are_those_that_are_built_with() {
    let readmes = ["README.md", "crates/scheduler/README.md"]
        .map(|readme| fs::read_to_string(root().join(readme)).unwrap());
    let mut lines = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        let blocks = text.split("\n```toml\n").skip(1);
        for line in blocks.flat_map(|block| block.split("\n```").next().unwrap().lines()) {
            let known = readmes
                .iter()
                .any(|text| text.contains(&format!("\n{line}\n")));
            assert!(known, "{}: {line}", page.display());
            lines += 1;
        }
    }
    assert!(lines > 0);
}
