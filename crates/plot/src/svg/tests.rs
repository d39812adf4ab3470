//! What is in a picture.

use crate::error::LEAST;
use crate::svg::layout::SCALE;
use crate::{Chart, Line, Mark, PALETTE, PlotError, STANDALONE_PALETTE};

/// The elements of a picture as name and attributes, which must be balanced and quoted.
fn elements(svg: &str) -> Vec<(String, String)> {
    let (mut elements, mut open) = (Vec::new(), Vec::new());
    for tag in svg.split('<').skip(1) {
        let (tag, text) = tag.split_once('>').unwrap();
        assert!(!text.contains('>'), "{text}");
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name));
            continue;
        }
        let content = tag.strip_suffix('/').unwrap_or(tag);
        let (name, attributes) = content.split_once(' ').unwrap_or((content, ""));
        assert_eq!(attributes.matches('"').count() % 2, 0, "{attributes}");
        elements.push((name.to_owned(), attributes.to_owned()));
        if !tag.ends_with('/') {
            open.push(name.to_owned());
        }
    }
    assert!(open.is_empty(), "{open:?}");
    elements
}

fn count(svg: &str, name: &str, attribute: &str) -> usize {
    let found = elements(svg);
    let found = found
        .iter()
        .filter(|(n, a)| n == name && a.contains(attribute));
    found.count()
}

#[test]
fn every_series_has_a_path_in_its_own_variable() {
    let mut chart = Chart::new("Losses");
    for i in 0..9 {
        chart = chart.line(Line::new("", [(0.0, f64::from(i)), (1.0, 0.5), (2.0, 0.0)]));
    }
    let svg = chart.svg((640, 360)).unwrap();
    for (index, (light, _)) in PALETTE.iter().enumerate() {
        let stroke = format!("stroke=\"var(--series-{}, {light})\"", index + 1);
        // The ninth takes the first colour again.
        let lines = if index == 0 { 2 } else { 1 };
        assert_eq!(count(&svg, "polyline", &stroke), lines, "{stroke}");
    }
    let fixed = svg.matches("\"#").count();
    assert_eq!(fixed, 0, "colours that no theme can change:\n{svg}");
    assert!(count(&svg, "text", "fill=\"currentColor\"") > 4);
}

#[test]
fn a_file_has_its_own_size_and_colours() {
    let chart = Chart::new("")
        .x_label("epoch")
        .y_label("loss")
        .line(Line::new("", [(0.0, 1.0), (1.0, 0.5)]).dashed());
    let svg = chart.svg_file((640, 360)).unwrap();
    assert!(svg.starts_with("<svg width=\"640\" height=\"360\" viewBox=\"0 0 5120 2880\""));
    assert!(
        !svg.contains("var(") && !svg.contains("currentColor"),
        "{svg}"
    );
    let stroke = format!("stroke=\"{}\" stroke-dasharray", STANDALONE_PALETTE[0]);
    assert_eq!(count(&svg, "polyline", &stroke), 1);
    assert!(svg.contains("<title>loss over epoch</title>"));
}

#[test]
fn straight_pieces_are_drawn_by_their_ends() {
    let rates = (0..300).map(|step| {
        let rate = if step < 100 {
            0.1
        } else {
            0.2 - f64::from(step) * 5e-4
        };
        (f64::from(step), rate)
    });
    let svg = Chart::new("")
        .line(Line::new("", rates))
        .svg((640, 360))
        .unwrap();
    let drawn: Vec<usize> = elements(&svg)
        .iter()
        .filter(|(name, attributes)| name == "polyline" && attributes.contains("series"))
        .map(|(_, attributes)| attributes.matches(',').count())
        .collect();
    // One comma in the variable's fallback.
    assert_eq!(drawn, [1 + 4], "{svg}");
}

#[test]
fn styles_of_a_line_are_in_the_picture() {
    let line = Line::new("mean", [(0.0, 1.0), (1.0, 2.0)])
        .band([(0.5, 1.5), (1.5, 2.5)])
        .colour(3)
        .dashed();
    let chart = Chart::new("Band")
        .line(line)
        .mark(Mark::vertical(0.5, "middle"));
    let svg = chart.svg((640, 360)).unwrap();
    assert_eq!(count(&svg, "polygon", "fill=\"var(--series-4"), 1);
    // In the chart and in the legend.
    assert_eq!(count(&svg, "polyline", "stroke-dasharray"), 2);
    assert!(svg.contains("mean") && svg.contains("middle"));
}

#[test]
fn a_band_makes_no_place_for_what_there_is_not() {
    let ticks = |mean: f64, sd: f64| {
        let line = Line::new("mean", [(0.0, mean), (1.0, mean)]);
        let line = line.band([(mean - sd, mean + sd), (mean - sd / 2.0, mean + sd / 2.0)]);
        Chart::new("Band").line(line).svg((640, 360)).unwrap()
    };
    // Of the picture's lines, those that are numbers beside the axis.
    let has = |svg: &str, wanted: &dyn Fn(f64) -> bool| {
        let mut numbers = svg.lines().filter_map(|line| line.parse().ok());
        numbers.any(wanted)
    };
    // No accuracy of 104 %, and no loss below 0; a gap may be on both sides.
    let accuracy = ticks(0.99, 0.05);
    assert!(!has(&accuracy, &|tick| tick > 1.0) && has(&accuracy, &|tick| tick < 0.97));
    assert!(!has(&ticks(0.5, 0.8), &|tick| tick < 0.0));
    assert!(has(&ticks(-0.1, 0.8), &|tick| tick < 0.0));
}

#[test]
fn texts_are_escaped_and_named_for_screen_readers() {
    let hostile = "<b> & \"#010000\"\u{1}";
    let chart = Chart::new(hostile)
        .x_label(hostile)
        .line(Line::new(hostile, [(0.0, 1.0)]))
        .mark(Mark::point(0.0, 1.0, hostile));
    let svg = chart.svg((640, 360)).unwrap();
    assert_eq!(count(&svg, "b", ""), 0);
    assert_eq!(
        svg.matches("&lt;b&gt; &amp; &quot;#010000&quot; ").count(),
        6
    );
    assert!(!svg.contains('\u{1}'));
    assert_eq!(count(&svg, "svg", "role=\"img\" aria-label=\"&lt;b"), 1);
    assert_eq!(count(&svg, "svg", " height="), 0);
}

#[test]
fn nothing_makes_a_chart_panic_or_say_nan() {
    let nan = f64::NAN;
    let lines: [&[(f64, f64)]; 7] = [
        &[],
        &[(1.0, 2.0)],
        &[(nan, nan), (1.0, nan)],
        &[
            (0.0, 1.0),
            (1.0, nan),
            (2.0, 3.0),
            (3.0, f64::INFINITY),
            (4.0, 0.0),
        ],
        &[(f64::MIN, f64::MAX), (f64::MAX, f64::MIN)],
        &[(5e-324, 5e-324), (0.0, -0.0)],
        &[(-1.0, 1.0), (1.0, 1.0 + 1e-15)],
    ];
    for points in lines {
        let band = points.iter().map(|point| (point.1 - 1.0, nan.max(point.1)));
        let line = Line::new("line", points.iter().copied()).band(band);
        let linear = Chart::new("").line(line).mark(Mark::point(nan, 0.0, "x"));
        let log = linear.clone().log_x().log_y();
        let ranges = [(0.0, 0.5), (nan, 1.0), (1.0, -1.0), (0.0, f64::MAX)];
        let ranged = ranges.map(|(low, high)| linear.clone().y_range(low, high));
        for chart in [linear, log].into_iter().chain(ranged) {
            for size in [LEAST, (640, 360)] {
                let svg = chart.svg(size).unwrap();
                assert_eq!(count(&svg, "svg", ""), 1);
                assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
            }
            chart.terminal((40, 8));
        }
    }
}

#[test]
fn a_long_legend_makes_the_picture_higher() {
    let names = (0..30).map(|i| Line::new(format!("a line of a long name, {i}"), [(0.0, 1.0)]));
    let chart = names.fold(Chart::new("Long"), Chart::line);
    let svg = chart.svg(LEAST).unwrap();
    let height = SCALE * (LEAST.1 + 29 * 20);
    assert_eq!(
        count(&svg, "svg", &format!("0 0 {} {height}", SCALE * LEAST.0)),
        1
    );
    assert_eq!(svg.matches("a line of a long name").count(), 30);
}

#[test]
fn a_size_without_room_is_refused() {
    for found in [(0, 0), (199, 300), (640, 119), (100_000, 300)] {
        let error = Chart::new("").svg(found).unwrap_err();
        assert!(matches!(error, PlotError::Size { found: size } if size == found));
    }
}
