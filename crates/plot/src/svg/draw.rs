//! The parts of a chart, drawn by plotters.

use std::convert::Infallible;

use plotters::chart::ChartBuilder;
use plotters::coord::Shift;
use plotters::coord::cartesian::Cartesian2d;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind};
use plotters::element::{Circle, PathElement, Polygon, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, IntoFont, TRANSPARENT, TextStyle};

use super::backend::Svg;
use super::colours::{INK, series};
use super::coordinates::Ticks;
use super::layout::{Entry, GAP, Layout, RIGHT, ROW, SAMPLE, SCALE};
use super::text::plain;
use crate::axis::Axis;
use crate::pieces::{bands, pieces, straightened, thinned};
use crate::{Chart, Mark};

/// plotters makes 13 pixels of this.
const FONT_SIZE: u32 = 16 * SCALE;
/// How far a line may be drawn from its points, in pixels.
const TOLERANCE: f64 = 0.1;

type Area<'a> = DrawingArea<Svg<'a>, Shift>;
type Plot<'a, 'b> = DrawingArea<Svg<'a>, Cartesian2d<Ticks<'b>, Ticks<'b>>>;
type Drawn = Result<(), DrawingAreaErrorKind<Infallible>>;

pub(super) fn chart(chart: &Chart, root: &Area, layout: &Layout) -> Drawn {
    if !chart.title.is_empty() {
        let place = (layout.width as i32 / 2, ROW as i32 * 5 / 8);
        let style = text(HPos::Center, VPos::Center);
        root.draw(&Text::new(plain(&chart.title), place, style))?;
    }
    texts(chart, root, layout)?;

    let Layout { x, y, .. } = layout;
    let x_label_height = if chart.x_label.is_empty() { 0 } else { ROW };
    let head = layout.title_height + layout.legend_height + layout.labels_height;
    let mut axes = ChartBuilder::on(root)
        .margin_top(head + GAP)
        .margin_right(RIGHT)
        .margin_bottom(4 * SCALE)
        .x_label_area_size(ROW + x_label_height + 6 * SCALE)
        .y_label_area_size(layout.y_axis_width)
        .build_cartesian_2d(Ticks(x), Ticks(y))?;
    axes.configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(INK.mix(0.15).stroke_width(SCALE))
        .axis_style(INK.mix(0.5).stroke_width(SCALE))
        .set_all_tick_mark_size(5 * SCALE)
        .label_style(font())
        .axis_desc_style(font())
        .x_desc(plain(&chart.x_label))
        .y_desc(plain(&chart.y_label))
        .draw()?;
    let area = axes.plotting_area();
    lines(chart, area, x, y)?;
    for mark in &chart.marks {
        draw_mark(mark, area, x, y)?;
    }
    root.present()
}

/// The legend, and the labels of vertical marks.
fn texts(chart: &Chart, root: &Area, layout: &Layout) -> Drawn {
    let style = || text(HPos::Left, VPos::Center);
    for &Entry { number, left, row } in &layout.legend {
        let line = &chart.lines[number];
        let y = (layout.title_height + row * ROW + ROW / 2) as i32;
        let ends = [left, left + SAMPLE].map(|x| (x as i32, y));
        let colour = series(number, line, line.dashed);
        root.draw(&PathElement::new(ends, colour.stroke_width(2 * SCALE)))?;
        let place = ((left + SAMPLE + GAP) as i32, y);
        root.draw(&Text::new(plain(&line.name), place, style()))?;
    }
    let bottom = layout.title_height + layout.legend_height + layout.labels_height;
    for &Entry { number, left, row } in &layout.labels {
        let place = (left as i32, (bottom - row * ROW - ROW / 2 + GAP / 2) as i32);
        root.draw(&Text::new(
            plain(&chart.marks[number].label),
            place,
            style(),
        ))?;
    }
    Ok(())
}

/// Bands below all lines, and the first line on top.
fn lines(chart: &Chart, area: &Plot, x: &Axis, y: &Axis) -> Drawn {
    for (i, line) in chart.lines.iter().enumerate() {
        for outline in bands(line, x, y) {
            area.draw(&Polygon::new(outline, series(i, line, false).mix(0.2)))?;
        }
    }
    let (width, height) = area.dim_in_pixel();
    let pixels = [width, height].map(|length| f64::from(length) / f64::from(SCALE));
    for (i, line) in chart.lines.iter().enumerate().rev() {
        let colour = series(i, line, line.dashed).mix(1.0);
        let (colour, width) = if line.faint {
            (INK.mix(0.25), SCALE)
        } else {
            (colour, 2 * SCALE)
        };
        for piece in pieces(line, x, y) {
            if let [point] = *piece {
                area.draw(&Circle::new(point, 2 * SCALE, colour.filled()))?;
                continue;
            }
            let piece = thinned(&piece, pixels[0] as usize);
            let piece = straightened(&piece, pixels, TOLERANCE);
            area.draw(&PathElement::new(piece, colour.stroke_width(width)))?;
        }
    }
    Ok(())
}

/// A vertical mark without its label, or a point with it.
fn draw_mark(mark: &Mark, area: &Plot, x: &Axis, y: &Axis) -> Drawn {
    let Some(at) = x.at(mark.x) else {
        return Ok(());
    };
    let Some(height) = mark.y else {
        let style = INK.mix(0.6).stroke_width(SCALE);
        return area.draw(&PathElement::new([(at, 0.0), (at, 1.0)], style));
    };
    let height = y.at(height).filter(|at| (0.0..=1.0).contains(at));
    let Some(height) = height else {
        return Ok(());
    };
    area.draw(&Circle::new((at, height), 4 * SCALE, INK.filled()))?;
    let v_pos = if height > 0.9 {
        VPos::Top
    } else {
        VPos::Bottom
    };
    // Towards the further end of the axis, and clear of the dot.
    let (label, h_pos) = if at > 0.6 {
        (format!("{}\u{a0}\u{a0}", mark.label), HPos::Right)
    } else {
        (format!("\u{a0}\u{a0}{}", mark.label), HPos::Left)
    };
    area.draw(&Text::new(plain(&label), (at, height), text(h_pos, v_pos)))
}

fn font() -> TextStyle<'static> {
    ("sans-serif", FONT_SIZE).into_font().color(&INK)
}

fn text(h_pos: HPos, v_pos: VPos) -> TextStyle<'static> {
    font().pos(Pos::new(h_pos, v_pos))
}
