//! The report in a real browser: `cargo test --workspace --test integration -- --ignored report_page::` needs Chromium.

use std::path::{Path, PathBuf};
use std::process::Command;

use burn_lr::experiment::{Candidate, Experiment, Report, Setup};
use burn_lr::scheduler::{Constant, ReduceLrOnPlateau};
use serde_json::Value;
use tempfile::TempDir;

/// What the page looks like to its reader, written into the page itself.
const PROBE: &str = r#"<script>
const box = element => element.getBoundingClientRect();
const colour = (element, property) => getComputedStyle(element)[property];
const charts = [...document.querySelectorAll("svg")];
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

fn probe(directory: &Path, width: u32, dark: bool) -> Value {
    let window = directory.join("window.html");
    std::fs::write(&window, WINDOW.replace("WIDTH", &width.to_string())).unwrap();
    let mut command = Command::new(chromium());
    command.args([
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--hide-scrollbars",
        "--dump-dom",
    ]);
    command.args(["--window-size=1400,1000", "--virtual-time-budget=5000"]);
    command.arg(format!(
        "--blink-settings=preferredColorScheme={}",
        u8::from(!dark)
    ));
    let output = command
        .arg(format!("file://{}", window.display()))
        .output()
        .unwrap();
    let dom = String::from_utf8(output.stdout).unwrap();
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
        let device = burn::tensor::Device::default();
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
    std::fs::write(
        directory.path().join("page.html"),
        html.replace("</body>", PROBE),
    )
    .unwrap();
    for (width, dark) in [(1280, false), (1280, true), (390, false), (390, true)] {
        let seen = probe(directory.path(), width, dark);
        let number = |name: &str| seen[name].as_f64().unwrap();
        assert_eq!(seen["width"], width, "{seen}");
        assert_eq!(seen["dark"], dark, "{seen}");
        // Tables and long lines scroll for themselves, the page does not.
        assert!(number("overflow") <= 0.0, "{seen}");
        assert!(
            number("verdict") < 900.0,
            "the verdict is not on the first screen: {seen}"
        );
        // Seven figures of both candidates, and two of each.
        let charts = seen["charts"].as_array().unwrap();
        assert_eq!(charts.len(), 7 + 2 * 2);
        let least = f64::from(width.min(420)) * 0.85;
        assert!(
            charts.iter().all(|size| size[0].as_f64().unwrap() > least),
            "{seen}"
        );
        assert!(
            charts.iter().all(|size| size[1].as_f64().unwrap() > 150.0),
            "{seen}"
        );
        assert!(number("labels") > 8.0, "{seen}");
        // WCAG: 4.5 for text, 3 for graphics.
        assert!(number("ink") > 4.5 && number("lines") >= 3.0, "{seen}");
    }
}
