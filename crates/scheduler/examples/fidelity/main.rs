//! Compares every schedule with the libraries that it is said to agree with, over the drawn
//! configurations of `tests/golden/fidelity`, and writes docs/book/src/fidelity.md.
//!
//! ```text
//! cargo run --example fidelity [-- FOLDER]
//! ```
//!
//! With a folder, as `python tests/golden/fidelity --seed N --into FOLDER` fills it, the configurations there are
//! compared, and no page is written.
//!
//! Its test fails where a rate differs, and where the page is not what this command would write.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

mod cases;
mod page;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use cases::{Library, Outcome};

fn main() -> ExitCode {
    match write() {
        Ok(0) => ExitCode::SUCCESS,
        Ok(differing) => {
            eprintln!("error: {differing} cases differ");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn write() -> Result<usize, Box<dyn Error>> {
    let folder = std::env::args_os().nth(1).map(PathBuf::from);
    let libraries = libraries(folder.as_deref().unwrap_or(&golden()))?;
    let mut differing = 0;
    for library in &libraries {
        for case in &library.cases {
            if let Outcome::Differs(how) = case.compare() {
                differing += 1;
                eprintln!("{} {}", library.library, case.scheduler);
                eprintln!("  {}\n  {:?}\n  {how}", case.arguments, case.document);
            }
        }
    }
    if folder.is_some() {
        let cases: usize = libraries.iter().map(|library| library.cases.len()).sum();
        println!("{cases} cases of {} libraries", libraries.len());
    } else {
        fs::write(page_path(), page::page(&libraries, &training_step()?)?)?;
        println!("{}", page_path().display());
    }
    Ok(differing)
}

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/fidelity")
}

/// Every library, in the order of their names.
fn libraries(folder: &Path) -> Result<Vec<Library>, Box<dyn Error>> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<std::io::Result<_>>()?;
    files.retain(|path| path.extension().is_some_and(|kind| kind == "json"));
    files.sort();
    let read = |path: PathBuf| Ok(serde_json::from_str(&fs::read_to_string(path)?)?);
    files.into_iter().map(read).collect()
}

/// What benches/peers/parity.py writes of the training step.
fn training_step() -> std::io::Result<String> {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../benches/peers/parity.md"))
}

fn page_path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/book/src/fidelity.md")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_is_what_it_is_said_to_be() {
        let libraries = libraries(&golden()).unwrap();
        assert!(!libraries.is_empty());
        for library in libraries {
            assert!(library.cases.len() > 50, "{}", library.library);
            for case in library.cases {
                if let Outcome::Differs(how) = case.compare() {
                    let (name, arguments) = (&case.scheduler, &case.arguments);
                    panic!("{} {name} {arguments}: {how}", library.library);
                }
            }
        }
    }

    #[test]
    fn the_page_is_up_to_date() {
        let found = fs::read_to_string(page_path()).unwrap_or_default();
        let expected =
            page::page(&libraries(&golden()).unwrap(), &training_step().unwrap()).unwrap();
        assert!(
            found.replace("\r\n", "\n") == expected,
            "docs/book/src/fidelity.md is out of date: run `cargo run --example fidelity`"
        );
    }
}
