//! Links of the documents lead somewhere: to files, to headings, and in the book to its own pages.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const BOOK: &str = "docs/book/src";

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// The paths below `directory`, from the root on, of the files with that extension.
fn files(directory: &str, extension: &str) -> Vec<String> {
    let entries = fs::read_dir(root().join(directory)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let of_kind = |name: &String| name.ends_with(extension);
    let mut files: Vec<String> = names
        .filter(of_kind)
        .map(|name| format!("{directory}/{name}"))
        .collect();
    files.sort();
    files
}

/// The book's pages, and the other documents.
fn documents() -> Vec<String> {
    let crates = fs::read_dir(root().join("crates")).unwrap();
    let readmes = crates.map(|entry| {
        let name = entry.unwrap().file_name().into_string().unwrap();
        format!("crates/{name}/README.md")
    });
    let others = [
        "README.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "benches/peers/README.md",
    ];
    let others = others.map(str::to_owned).into_iter();
    files(BOOK, ".md")
        .into_iter()
        .chain(readmes)
        .chain(others)
        .collect()
}

fn read(document: &str) -> String {
    let path = root().join(document);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The lines outside of fenced blocks, with what is between backticks left out.
fn prose(text: &str) -> Vec<String> {
    let mut fenced = false;
    let mut lines = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            lines.push(line.split('`').step_by(2).collect::<Vec<_>>().join("`"));
        }
    }
    lines
}

/// Where links and pictures lead to, and references by their labels.
#[derive(Default)]
struct Links {
    targets: Vec<String>,
    used: BTreeSet<String>,
    defined: BTreeMap<String, String>,
}

fn links(text: &str) -> Links {
    let mut links = Links::default();
    let prose = prose(text).join("\n");
    for line in prose.lines() {
        if let Some((label, target)) = line.strip_prefix('[').and_then(|l| l.split_once("]: ")) {
            links.defined.insert(label.to_owned(), target.to_owned());
        }
    }
    for (place, _) in prose.match_indices("](") {
        let target = prose[place + 2..].split_once(')').unwrap().0;
        links.targets.push(target.to_owned());
    }
    for (place, _) in prose.match_indices("][") {
        let label = prose[place + 2..].split_once(']').unwrap().0;
        links.used.insert(label.to_owned());
    }
    links.used.extend(shortcuts(&prose));
    links.targets.extend(links.defined.values().cloned());
    links
}

/// The labels in brackets that nothing follows, as in `[the gallery]`.
fn shortcuts(prose: &str) -> impl Iterator<Item = String> {
    prose.match_indices('[').filter_map(|(place, _)| {
        let (label, rest) = prose[place + 1..].split_once(']')?;
        let alone = !prose[..place].ends_with(']') && !rest.starts_with(['(', '[', ':']);
        (alone && !label.contains('[')).then(|| label.to_owned())
    })
}

/// What headings are called in addresses.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut fenced = false;
    let mut anchors = BTreeSet::new();
    for line in text.lines() {
        fenced ^= line.trim_start().starts_with("```");
        if fenced || !line.starts_with('#') {
            continue;
        }
        let heading = line.trim_start_matches('#').trim().to_lowercase();
        let kept = heading
            .chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        anchors.insert(kept.map(|c| if c == ' ' { '-' } else { c }).collect());
    }
    anchors
}

/// Why a link of `document` leads nowhere, if it does not.
fn broken(document: &str, target: &str) -> Option<String> {
    if target.contains("://") {
        return None;
    }
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    let from = root().join(document);
    let mut path: PathBuf = if file.is_empty() {
        from
    } else {
        from.parent()?.join(file)
    };
    if !path.exists() {
        return Some("there is no such file".to_owned());
    }
    let inside = path
        .canonicalize()
        .unwrap()
        .starts_with(root().join(BOOK).canonicalize().unwrap());
    if document.starts_with(BOOK) && !inside {
        if file.ends_with(".md") {
            return Some("mdBook would call it .html: link to its directory".to_owned());
        }
        if file.ends_with(".svg") {
            return Some("mdBook would not copy it".to_owned());
        }
    }
    if path.is_dir() {
        path.push("README.md");
    }
    let known = || anchors(&fs::read_to_string(&path).unwrap_or_default());
    let missing = !anchor.is_empty() && !known().contains(anchor);
    missing.then(|| format!("{} has no such heading", path.display()))
}

#[test]
fn links_lead_to_files_and_headings_that_exist() {
    let mut wrong = Vec::new();
    let mut checked = 0;
    for document in documents() {
        let links = links(&read(&document));
        for target in &links.targets {
            checked += 1;
            let broken = broken(&document, target);
            wrong.extend(broken.map(|why| format!("{document}: {target}: {why}")));
        }
        // The changelog's brackets are no links.
        for label in links.used.iter().filter(|_| document.starts_with(BOOK)) {
            if !links.defined.contains_key(label) {
                wrong.push(format!("{document}: [{label}] is not defined"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(checked > 200, "{checked}");
}

#[test]
fn a_link_that_leads_nowhere_is_found() {
    let page = format!("{BOOK}/resume.md");
    for target in [
        "nothing.md",
        "training.md#nothing",
        "../../../README.md",
        "#nothing",
    ] {
        assert!(broken(&page, target).is_some(), "{target}");
    }
    for target in [
        "training.md#what-is-exact",
        "../../../crates/training",
        "#what-is-kept",
    ] {
        assert_eq!(broken(&page, target), None, "{target}");
    }
}

#[test]
fn a_label_is_found_wherever_it_is() {
    let found =
        links("[one](a.md), [two][label], [three] and\n[four\nlines](b.md)\n\n[label]: c.md\n");
    assert_eq!(found.targets, ["a.md", "b.md", "c.md"]);
    let used: Vec<&str> = found.used.iter().map(String::as_str).collect();
    assert_eq!(used, ["label", "three"]);
}

/// A page that is not in the summary is in no book, and one that is not among the snippets is not tested.
#[test]
fn every_page_is_in_the_book_and_its_snippets_are_tested() {
    let summary = read(&format!("{BOOK}/SUMMARY.md"));
    let snippets = read("docs/book/snippets.rs");
    for page in files(BOOK, ".md") {
        let name = page.rsplit('/').next().unwrap();
        let text = read(&page);
        if name != "SUMMARY.md" {
            assert!(
                summary.contains(&format!("]({name})")),
                "{name} is not in the summary"
            );
        }
        let mut inside = false;
        for fence in text
            .lines()
            .filter(|line| line.trim_start().starts_with("```"))
        {
            // The commands of one that is indented, as in a list, would not be run.
            let fence = fence.strip_prefix("```");
            let fence = fence.unwrap_or_else(|| panic!("{name}: a block is indented"));
            let kinds = if inside {
                [""].as_slice()
            } else {
                &["rust", "sh", "toml", "text"]
            };
            assert!(
                kinds.contains(&fence),
                "{name}: a block of {fence:?} is not tested"
            );
            inside = !inside;
            let tested = fence != "rust" || snippets.contains(&format!("\"{name}\""));
            assert!(tested, "{name} is not in docs/book/snippets.rs");
        }
    }
}
