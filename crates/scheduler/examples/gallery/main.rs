//! Draws the gallery anew: a picture of every registered schedule's examples, the page of the
//! crate's documentation that shows them, and the gallery section of the README.
//!
//! ```text
//! cargo run --example gallery
//! ```
//!
//! Its test fails where the files are not what this command would write.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod pages;

use std::fs;
use std::process::ExitCode;

fn main() -> ExitCode {
    match write() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn write() -> Result<(), Box<dyn std::error::Error>> {
    let folder = pages::crate_folder().join("gallery");
    fs::create_dir_all(&folder)?;
    let pages = pages::all()?;
    for entry in fs::read_dir(&folder)? {
        let path = entry?.path();
        if !pages.iter().any(|(page, _)| *page == path) {
            fs::remove_file(&path)?;
            println!("removed {}", path.display());
        }
    }
    for (path, content) in pages {
        fs::write(&path, content)?;
        println!("{}", path.display());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gallery_is_up_to_date() {
        let pages = pages::all().unwrap();
        for (path, content) in &pages {
            let found = fs::read_to_string(path).unwrap_or_default();
            assert!(
                found.replace("\r\n", "\n") == *content,
                "{} is out of date: run `cargo run --example gallery`",
                path.display()
            );
        }
        for entry in fs::read_dir(pages::crate_folder().join("gallery")).unwrap() {
            let path = entry.unwrap().path();
            assert!(
                pages.iter().any(|(page, _)| *page == path),
                "{} belongs to no schedule: run `cargo run --example gallery`",
                path.display()
            );
        }
    }
}
