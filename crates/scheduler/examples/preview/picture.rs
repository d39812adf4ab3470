//! The same chart as an SVG picture.
//!
//! The background stays transparent, and all colours are of middle brightness: they are legible on
//! a white page and on a dark one.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::line::{Axis, Line, highest};

const INK: RGBColor = RGBColor(128, 128, 128);
const COLOURS: [RGBColor; 6] = [
    RGBColor(46, 134, 222),
    RGBColor(230, 119, 0),
    RGBColor(47, 158, 68),
    RGBColor(214, 51, 108),
    RGBColor(132, 94, 247),
    RGBColor(12, 166, 155),
];
const FONT: &str = "sans-serif";
const FONT_SIZE: u32 = 13;
const LEGEND_ROW: u32 = 18;

/// Draws `lines` over a common axis of steps, with a legend above the chart.
pub fn svg(
    lines: &[Line],
    x_label: &str,
    (width, height): (u32, u32),
) -> Result<String, Box<dyn std::error::Error>> {
    let steps = lines.iter().map(|line| line.lrs.len()).max().unwrap_or(0);
    let y_axis = Axis::new(highest(lines), 5);
    let font = (FONT, FONT_SIZE).into_font().color(&INK);

    let mut picture = String::new();
    {
        let root = SVGBackend::with_string(&mut picture, (width, height)).into_drawing_area();
        let legend = LEGEND_ROW * lines.len() as u32;
        let (head, body) = root.split_vertically(legend + 6);
        for (i, line) in lines.iter().enumerate() {
            let y = (LEGEND_ROW * i as u32 + LEGEND_ROW / 2 + 4) as i32;
            let colour = colour(i);
            let sample = vec![(12, y), (34, y)];
            head.draw(&PathElement::new(sample, colour.stroke_width(2)))?;
            let text = font.pos(Pos::new(HPos::Left, VPos::Center));
            head.draw(&Text::new(line.label.clone(), (42, y), text))?;
        }

        let longest = y_axis.ticks().map(|tick| y_axis.text(tick).len()).max();
        let mut chart = ChartBuilder::on(&body)
            .margin_right(18)
            .margin_top(8)
            .x_label_area_size(38)
            .y_label_area_size(16 + 8 * longest.unwrap_or(0) as u32)
            .build_cartesian_2d(0.0..steps.max(2) as f64, 0.0..y_axis.end())?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(INK.mix(0.3))
            .axis_style(INK)
            .label_style(font.clone())
            .axis_desc_style(font)
            .x_desc(x_label)
            .x_labels((width / 90).max(2) as usize)
            .y_labels(y_axis.ticks().count())
            .x_label_formatter(&|tick| format!("{tick}"))
            .y_label_formatter(&|tick| y_axis.text(*tick))
            .draw()?;
        for (i, line) in lines.iter().enumerate() {
            let points = corners(&thinned(&line.lrs, 2 * width as usize));
            chart.draw_series(LineSeries::new(points, colour(i).stroke_width(2)))?;
        }
        root.present()?;
    }
    Ok(picture)
}

fn colour(i: usize) -> RGBColor {
    COLOURS[i % COLOURS.len()]
}

/// The points that are needed to draw a line: not those in the middle of a straight piece, as they
/// only make the file larger.
fn corners(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let highest = points.iter().fold(0.0, |highest: f64, p| p.1.max(highest));
    let straight = |i: usize| {
        let (Some(a), b, Some(c)) = (points.get(i.wrapping_sub(1)), points[i], points.get(i + 1))
        else {
            return false;
        };
        // By slopes, as thinned points are not evenly spaced.
        let before = (b.1 - a.1) / (b.0 - a.0);
        let after = (c.1 - b.1) / (c.0 - b.0);
        (before - after).abs() * (c.0 - a.0) <= 1e-9 * highest
    };
    let needed = (0..points.len()).filter(|&i| !straight(i));
    needed.map(|i| points[i]).collect()
}

/// All points, or where there are more than can be seen the lowest and highest of each stretch.
fn thinned(lrs: &[f64], at_most: usize) -> Vec<(f64, f64)> {
    let all = lrs.iter().enumerate().map(|(i, &lr)| (i as f64, lr));
    if lrs.len() <= at_most {
        return all.collect();
    }
    let points: Vec<(f64, f64)> = all.collect();
    let stretch = (2 * points.len()).div_ceil(at_most).max(1);
    points
        .chunks(stretch)
        .flat_map(|chunk| {
            let by_lr = |a: &&(f64, f64), b: &&(f64, f64)| a.1.total_cmp(&b.1);
            let lowest = chunk.iter().min_by(by_lr);
            let highest = chunk.iter().max_by(by_lr);
            let mut pair: Vec<_> = lowest.into_iter().chain(highest).copied().collect();
            pair.sort_by(|a, b| a.0.total_cmp(&b.0));
            pair.dedup();
            pair
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spike_survives_thinning() {
        let mut lrs = vec![0.1; 100_000];
        lrs[54_321] = 0.9;
        let points = thinned(&lrs, 1000);
        assert!(points.len() <= 1000);
        assert!(points.contains(&(54_321.0, 0.9)));
    }

    #[test]
    fn straight_pieces_are_drawn_by_their_ends() {
        let lrs: Vec<f64> = (0..300)
            .map(|step| {
                if step < 100 {
                    0.1
                } else {
                    0.2 - f64::from(step) * 5e-4
                }
            })
            .collect();
        let points = corners(&thinned(&lrs, 1000));
        let steps: Vec<f64> = points.iter().map(|point| point.0).collect();
        assert_eq!(steps, [0.0, 99.0, 100.0, 299.0]);
    }

    #[test]
    fn extremes_can_be_drawn() {
        for lrs in [vec![], vec![0.0], vec![f64::MAX, 0.0], vec![5e-324; 3]] {
            let line = Line {
                label: "<a & b>".to_owned(),
                lrs,
            };
            let picture = svg(&[line], "step", (640, 320)).unwrap();
            assert!(picture.contains("&lt;a &amp; b&gt;"));
        }
    }
}
