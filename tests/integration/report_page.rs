//! The report in a real browser: `cargo test --workspace --test integration -- --ignored report_page::` needs Chromium.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use burn::tensor::Device;
use burn::train::metric::LossMetric;
use burn_lr::experiment::{Candidate, Experiment, Report, Setup};
use burn_lr::scheduler::{Constant, ReduceLrOnPlateau};
use burn_lr::tracking::Follow;
use burn_lr::training::Training;
use burn_lr::training::loader::EpochLoader;
use serde_json::Value;
use tempfile::TempDir;

use crate::common::line::{Line, Slope};

/// What the page looks like to its reader, written into the page itself.
const PROBE: &str = r#"<script>
const box = element => element.getBoundingClientRect();
const colour = (element, property) => getComputedStyle(element)[property];
// Those that are not folded away.
const charts = [...document.querySelectorAll("svg")].filter(chart => !chart.closest("details:not([open])"));
const luminance = text => {
    const [r, g, b] = text.match(/[\d.]+/g).map(c => c / 255)
        .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const contrast = (a, b) => {
    const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (high + 0.05) / (low + 0.05);
};
const paper = colour(document.body, "backgroundColor");
const strokes = charts.flatMap(chart => [...chart.querySelectorAll("polyline, path")])
    .map(line => colour(line, "stroke")).filter(stroke => stroke.startsWith("rgb("));
parent.postMessage(JSON.stringify({
    width: innerWidth,
    overflow: document.documentElement.scrollWidth - innerWidth,
    verdict: box(document.querySelector(".verdict")).bottom,
    charts: charts.map(chart => [box(chart).width, box(chart).height]),
    labels: Math.min(...charts.flatMap(chart => [...chart.querySelectorAll("text")])
        .map(text => box(text).height)),
    ink: contrast(colour(document.body, "color"), paper),
    lines: strokes.length ? Math.min(...strokes.map(stroke => contrast(stroke, paper))) : 0,
    dark: luminance(paper) < 0.2,
}), "*");
</script></body>"#;

/// A window around the page, because Chromium has none as narrow as a phone.
const WINDOW: &str = r#"<!DOCTYPE html><meta name="color-scheme" content="light dark">
<script>onmessage = event => document.body.append(event.data);</script>
<body><iframe src="page.html" width="WIDTH" height="900" style="border: 0"></iframe>"#;

fn chromium() -> PathBuf {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let paths = std::env::var_os("PATH").unwrap();
    let mut found =
        std::env::split_paths(&paths).flat_map(|path| names.map(|name| path.join(name)));
    found
        .find(|path| path.is_file())
        .expect("no Chromium in the PATH")
}

/// What the page at `path` has become in a browser.
fn dom(path: &Path, options: &[&str]) -> String {
    let output = Command::new(chromium())
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
            "--dump-dom",
        ])
        .arg("--window-size=1400,1000")
        .args(options)
        .arg(format!("file://{}", path.display()))
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

fn probe(directory: &Path, width: u32, dark: bool) -> Value {
    let window = directory.join("window.html");
    std::fs::write(&window, WINDOW.replace("WIDTH", &width.to_string())).unwrap();
    let colours = format!("--blink-settings=preferredColorScheme={}", u8::from(!dark));
    let dom = dom(&window, &["--virtual-time-budget=5000", &colours]);
    let (_, seen) = dom
        .split_once("</iframe>")
        .unwrap_or_else(|| panic!("{dom}"));
    let (seen, _) = seen.split_once("</body>").unwrap();
    serde_json::from_str(seen).unwrap_or_else(|error| panic!("{error}: {dom}"))
}

#[test]
#[ignore = "needs Chromium"]
fn the_page_can_be_read_on_a_desk_and_on_a_phone_by_day_and_by_night() {
    let directory = TempDir::new().unwrap();
    let base = |setup: &Setup| {
        let device = Device::default();
        let training = crate::common::training(setup.directory(), Constant::new(0.01).per_epoch());
        device.seed(setup.seed());
        Ok((training, burn_lr::model::MlpConfig::new().init(&device)))
    };
    let plateau = Candidate::new("plateau <with a \"long\" name>")
        .schedule(ReduceLrOnPlateau::new(0.01).per_epoch())
        .epochs(3);
    let results = Experiment::new(directory.path(), base)
        .candidates([
            Candidate::new("constant")
                .schedule(Constant::new(0.01).per_epoch())
                .epochs(3),
            plateau,
        ])
        .seeds([1, 2])
        .run()
        .unwrap();
    let html = Report::new(&results)
        .section("Command", "x".repeat(300))
        .to_html();
    // Seven figures of both candidates, and two of each.
    assert_readable(directory.path(), &html, 7 + 2 * 2);
}

#[test]
#[ignore = "needs Chromium"]
fn sixty_candidates_of_a_regression_can_be_read() {
    let directory = TempDir::new().unwrap();
    let base = |setup: &Setup| Ok((regression(setup.directory(), setup.seed()), line()));
    let candidate = |number: u32| {
        let lr = 0.001 * f64::from(number + 1);
        let schedule = Constant::new(lr).per_epoch();
        Candidate::new(format!("rate {lr}"))
            .schedule(schedule)
            .epochs(3)
    };
    let results = Experiment::new(directory.path(), base)
        .candidates((0..60).map(candidate))
        .seeds([1, 2])
        .run()
        .unwrap();
    let html = Report::new(&results).to_html();
    assert!(html.contains("The other 52 candidates"));
    // Losses of both splits, their gap, the rates, and those of the candidates that are shown.
    assert_readable(directory.path(), &html, 4 + 8);
}

#[test]
#[ignore = "needs Chromium"]
fn a_runs_page_can_be_read_while_the_run_writes_it_and_afterwards() {
    let directory = TempDir::new().unwrap();
    let run = directory.path().join("run");
    let page = run.join("run.html");
    let watched = page.clone();
    let seen_at_work = Arc::new(AtomicBool::new(false));
    let is_seen = seen_at_work.clone();
    let trained = std::thread::spawn(move || {
        let training = regression(&run, 1)
            .epochs(40)
            .watch(&watched)
            .track_every(1);
        // So slow that there is a page to look at, and not at its end before it was.
        let training = training.on_epoch(move |epoch| {
            let longest = Duration::from_millis(if epoch.epoch < 40 { 300 } else { 300_000 });
            let begin = Instant::now();
            while !is_seen.load(Ordering::SeqCst) && begin.elapsed() < longest {
                std::thread::sleep(Duration::from_millis(10));
            }
        });
        training.fit(line()).unwrap();
    });
    while !std::fs::read_to_string(&page).is_ok_and(|page| page.contains(" is over, after")) {
        assert!(!trained.is_finished(), "the page did not follow the run");
        std::thread::sleep(Duration::from_millis(20));
    }
    let seen = dom(&page, &["--virtual-time-budget=1000"]);
    seen_at_work.store(true, Ordering::SeqCst);
    assert!(seen.contains("running, ") && seen.contains("<progress") && seen.contains("<svg"));
    trained.join().unwrap();
    let html = std::fs::read_to_string(&page).unwrap();
    assert!(html.contains("complete; epoch 40 is over"));
    // The loss, the gap, the rate, and four of the updates.
    assert_readable(directory.path(), &html, 3 + 4);
}

/// A run on points.
fn regression(directory: &Path, seed: u64) -> Training<Line> {
    let train = EpochLoader::new(Slope, 8).shuffled(seed);
    Training::new(directory, train, EpochLoader::new(Slope, 20)).metrics((LossMetric::new(),))
}

fn line() -> Line {
    Line::new(&Device::flex())
}

/// That the page with so many charts to be seen is legible on a desk and on a phone, by day and by night.
fn assert_readable(directory: &Path, html: &str, charts: usize) {
    let page = directory.join("page.html");
    std::fs::write(page, html.replace("</body>", PROBE)).unwrap();
    for (width, dark) in [(1280, false), (1280, true), (390, false), (390, true)] {
        let seen = probe(directory, width, dark);
        let number = |name: &str| seen[name].as_f64().unwrap();
        assert_eq!(seen["width"], width, "{seen}");
        assert_eq!(seen["dark"], dark, "{seen}");
        // Tables and long lines scroll for themselves, the page does not.
        assert!(number("overflow") <= 0.0, "{seen}");
        assert!(
            number("verdict") < 900.0,
            "the verdict is not on the first screen: {seen}"
        );
        let sizes = seen["charts"].as_array().unwrap();
        assert_eq!(sizes.len(), charts);
        let least = f64::from(width.min(420)) * 0.85;
        assert!(
            sizes.iter().all(|size| size[0].as_f64().unwrap() > least),
            "{seen}"
        );
        assert!(
            sizes.iter().all(|size| size[1].as_f64().unwrap() > 150.0),
            "{seen}"
        );
        assert!(number("labels") > 8.0, "{seen}");
        // WCAG: 4.5 for text, 3 for graphics.
        assert!(number("ink") > 4.5 && number("lines") >= 3.0, "{seen}");
    }
}
