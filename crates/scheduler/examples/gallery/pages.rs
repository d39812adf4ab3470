//! The files of the gallery, as text.

use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use burn_lr_plot::{COLOURS, Chart, Line};
use burn_lr_scheduler::{Run, ScheduleConfig, Scheduler};
use burn_optim::lr_scheduler::LrScheduler;

const EPOCHS: u64 = 60;
const UPDATES_PER_EPOCH: u64 = 5;

const PAGE_HEAD: &str = "\
Every schedule of the catalogue, drawn from its own [examples](crate::Schedule::examples) over 300
steps, 60 epochs of 5. Plateaus hear a metric that improves until epoch 15 and from 30 to 40.
";
const README_START: &str = "<!-- gallery: written by `cargo run --example gallery` -->\n";
const README_END: &str = "<!-- end of gallery -->\n";

/// The folder of this crate.
pub fn crate_folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file of the gallery and what belongs in it.
pub fn all() -> Result<Vec<(PathBuf, String)>, Box<dyn Error>> {
    let examples = ScheduleConfig::examples();
    let folder = crate_folder().join("gallery");
    let mut files = Vec::new();
    let mut page = PAGE_HEAD.to_owned();
    let mut section = String::new();
    for name in ScheduleConfig::NAMES {
        let lines = examples
            .iter()
            .filter(|(_, schedule)| schedule.name() == *name)
            .map(|(title, schedule)| line(title, schedule))
            .collect::<Result<Vec<_>, _>>()?;
        // Beyond the colours that there are, lines have the first ones again.
        let lines = lines.into_iter().enumerate();
        let lines = lines.map(|(number, line)| {
            if number < COLOURS {
                line
            } else {
                line.dashed()
            }
        });
        let chart = Chart::new("")
            .x_label("step")
            .whole_x()
            .x_range(0.0, (EPOCHS * UPDATES_PER_EPOCH) as f64)
            .y_label("lr")
            .y_include(0.0);
        let svg = lines.fold(chart, Chart::line).svg_file((540, 250))?;
        let file = snake_case(name);
        let summary = summary(name, &file)?;
        write!(
            page,
            "\n## [`{name}`](crate::{name})\n\n{summary}\n\n<div>\n{svg}</div>\n"
        )?;
        write!(
            section,
            "\n### `{name}`\n\n{summary}\n\n![{name}](gallery/{file}.svg)\n"
        )?;
        files.push((folder.join(format!("{file}.svg")), svg));
    }
    files.push((folder.join("gallery.md"), page));

    let readme = crate_folder().join("README.md");
    let text = fs::read_to_string(&readme)?.replace("\r\n", "\n");
    let (before, rest) = text
        .split_once(README_START)
        .ok_or("README.md: no gallery section")?;
    let (_, after) = rest
        .split_once(README_END)
        .ok_or("README.md: the gallery section has no end")?;
    let text = format!("{before}{README_START}{section}\n{README_END}{after}");
    files.push((readme, text));
    Ok(files)
}

/// The rates of an example in a run that has epochs, so that lengths of every kind mean something.
fn line(title: &str, schedule: &ScheduleConfig) -> Result<Line, Box<dyn Error>> {
    let run = Run::per_update()
        .with_updates_per_epoch(UPDATES_PER_EPOCH)
        .with_epochs(EPOCHS);
    let mut scheduler = Scheduler::new(schedule.clone(), run)?;
    let mut lrs = Vec::new();
    for epoch in 0..EPOCHS {
        lrs.extend((0..UPDATES_PER_EPOCH).map(|_| scheduler.step()));
        scheduler.observe(metric(epoch))?;
    }
    let points = lrs.iter().enumerate();
    Ok(Line::new(
        title,
        points.map(|(step, &lr)| (step as f64, lr)),
    ))
}

/// A loss that improves, stalls, improves again and stalls for good.
fn metric(epoch: u64) -> f64 {
    let improvements = epoch.min(15) + epoch.saturating_sub(30).min(10);
    1.0 / (1.0 + improvements as f64)
}

/// `StepLr` is in the file `step_lr`.
fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

/// The first paragraph of a schedule's documentation, from its source: it is written only once.
fn summary(name: &str, file: &str) -> Result<String, Box<dyn Error>> {
    let path = format!("src/schedules/{file}.rs");
    let source = fs::read_to_string(crate_folder().join(&path))?;
    let declaration = format!("pub struct {name} ");
    let mut paragraph = Vec::new();
    let mut ended = false;
    for line in source.lines() {
        if line.starts_with(&declaration) && !paragraph.is_empty() {
            return Ok(without_links(&paragraph.join("\n")));
        }
        match line.strip_prefix("///").map(str::trim) {
            Some("") => ended = true,
            Some(text) if !ended => paragraph.push(text),
            Some(_) => {}
            // Attributes stand between the documentation and the declaration.
            None if line.starts_with("#[") => {}
            None => {
                paragraph.clear();
                ended = false;
            }
        }
    }
    Err(format!("{path}: no documented `{declaration}`").into())
}

/// Links to items as their text alone: a README cannot follow them.
fn without_links(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some(start) = rest.find('[') {
        let (before, link) = rest.split_at(start);
        plain.push_str(before);
        let Some((inner, after)) = link[1..].split_once(']') else {
            rest = link;
            break;
        };
        let target = after.strip_prefix('(').and_then(|t| t.split_once(')'));
        match target {
            Some((_, after)) => {
                plain.push_str(inner);
                rest = after;
            }
            None if inner.starts_with('`') => {
                plain.push_str(inner);
                rest = after;
            }
            None => {
                plain.push('[');
                rest = &link[1..];
            }
        }
    }
    plain + rest
}
