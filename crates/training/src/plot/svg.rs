//! A chart as SVG.

use plotters::backend::SVGBackend;
use plotters::chart::ChartBuilder;
use plotters::coord::Shift;
use plotters::coord::cartesian::Cartesian2d;
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind, IntoDrawingArea};
use plotters::element::{Circle, PathElement, Polygon, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, IntoFont, RGBColor, TRANSPARENT, TextStyle};

use super::axis::Axis;
use super::layout::{Entry, GAP, Layout, RIGHT, ROW, SAMPLE, SCALE};
use super::pieces::{Place, pieces, thinned};
use super::{COLOURS, Chart, Line, PALETTE};

/// plotters makes 13 pixels of this.
const FONT_SIZE: u32 = 16 * SCALE;
/// The least width and height that leave room for axes and their labels.
const LEAST: (u32, u32) = (200, 120);

/// The stand-in of the text's colour, and the first of those of the series' colours.
const INK: RGBColor = RGBColor(1, 0, 0);
const SERIES: u8 = 1;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Plot<'a, 'b> = DrawingArea<SVGBackend<'a>, Cartesian2d<Ticks<'b>, Ticks<'b>>>;
type Failure = DrawingAreaErrorKind<std::io::Error>;

/// Why a chart was not drawn.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlotError {
    /// The size leaves no room for the chart.
    #[error(
        "size: expected {} by {} to 65535 by 65535 pixels, got {} by {}",
        LEAST.0, LEAST.1, found.0, found.1
    )]
    Size {
        /// The width and height that were asked for.
        found: (u32, u32),
    },
    /// plotters refused to draw.
    #[error("cannot draw the chart: {reason}")]
    Drawing {
        /// What plotters says.
        reason: String,
    },
}

impl Chart {
    /// The chart as an SVG element of `size`, the width and height in pixels at which its text has
    /// 13 pixels; it fills the width that its surroundings give it. Every row of the legend but the
    /// first, and every row of labels of vertical marks, makes it higher.
    ///
    /// It can stand in an HTML page as it is. There is no background; text and axes have the
    /// surrounding text's colour, and series the colours of the CSS variables `--series-1` to
    /// `--series-8`, or the light ones of [`PALETTE`] where these are not set. A width of 480 is
    /// still legible on a phone.
    ///
    /// # Errors
    /// [`PlotError::Size`] if there is no room: the least is 200 by 120.
    pub fn svg(&self, size: (u32, u32)) -> Result<String, PlotError> {
        let fits = |length: u32, least: u32| (least..=65_535).contains(&length);
        if !fits(size.0, LEAST.0) || !fits(size.1, LEAST.1) {
            return Err(PlotError::Size { found: size });
        }
        let layout = Layout::new(self, size);
        let pixels = (layout.width, layout.height);
        let mut drawing = String::new();
        let root = SVGBackend::with_string(&mut drawing, pixels).into_drawing_area();
        self.draw(&root, &layout)
            .map_err(|reason| PlotError::Drawing {
                reason: reason.to_string(),
            })?;
        drop(root);
        Ok(self.themed(&drawing, pixels))
    }

    fn draw(&self, root: &Area, layout: &Layout) -> Result<(), Failure> {
        let place = (layout.width as i32 / 2, ROW as i32 * 5 / 8);
        let style = text(HPos::Center, VPos::Center);
        root.draw(&Text::new(plain(&self.title), place, style))?;
        self.draw_texts(root, layout)?;

        let Layout { x, y, .. } = layout;
        let x_label_height = if self.x_label.is_empty() { 0 } else { ROW };
        let head = layout.title_height + layout.legend_height + layout.labels_height;
        let mut chart = ChartBuilder::on(root)
            .margin_top(head + GAP)
            .margin_right(RIGHT)
            .margin_bottom(4 * SCALE)
            .x_label_area_size(ROW + x_label_height + 6 * SCALE)
            .y_label_area_size(layout.y_axis_width)
            .build_cartesian_2d(Ticks(x), Ticks(y))?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(INK.mix(0.15).stroke_width(SCALE))
            .axis_style(INK.mix(0.5).stroke_width(SCALE))
            .set_all_tick_mark_size(5 * SCALE)
            .label_style(font())
            .axis_desc_style(font())
            .x_desc(plain(&self.x_label))
            .y_desc(plain(&self.y_label))
            .draw()?;
        let area = chart.plotting_area();
        self.draw_lines(area, x, y)?;
        self.draw_marks(area, x, y)?;
        root.present()
    }

    /// The legend, and the labels of vertical marks.
    fn draw_texts(&self, root: &Area, layout: &Layout) -> Result<(), Failure> {
        let style = || text(HPos::Left, VPos::Center);
        for &Entry { number, left, row } in &layout.legend {
            let line = &self.lines[number];
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
            root.draw(&Text::new(plain(&self.marks[number].label), place, style()))?;
        }
        Ok(())
    }

    /// Bands below all lines, and the first line on top.
    fn draw_lines(&self, area: &Plot, x: &Axis, y: &Axis) -> Result<(), Failure> {
        for (i, line) in self.lines.iter().enumerate() {
            for outline in bands(line, x, y) {
                area.draw(&Polygon::new(outline, series(i, line, false).mix(0.2)))?;
            }
        }
        let columns = area.dim_in_pixel().0 / SCALE;
        for (i, line) in self.lines.iter().enumerate().rev() {
            let colour = series(i, line, line.dashed);
            for piece in pieces(&line.points, x, y) {
                if let [point] = *piece {
                    area.draw(&Circle::new(point, 2 * SCALE, colour.filled()))?;
                    continue;
                }
                let style = colour.stroke_width(2 * SCALE);
                area.draw(&PathElement::new(thinned(&piece, columns as usize), style))?;
            }
        }
        Ok(())
    }

    /// Vertical marks without their labels, and points with theirs.
    fn draw_marks(&self, area: &Plot, x: &Axis, y: &Axis) -> Result<(), Failure> {
        for mark in &self.marks {
            let Some(at) = x.at(mark.x) else { continue };
            let Some(height) = mark.y else {
                let style = INK.mix(0.6).stroke_width(SCALE);
                area.draw(&PathElement::new([(at, 0.0), (at, 1.0)], style))?;
                continue;
            };
            let height = y.at(height).filter(|at| (0.0..=1.0).contains(at));
            let Some(height) = height else { continue };
            area.draw(&Circle::new((at, height), 4 * SCALE, INK.filled()))?;
            let v_pos = if height > 0.9 {
                VPos::Top
            } else {
                VPos::Bottom
            };
            // Towards the further end of the axis, and clear of the dot.
            let (label, style) = match at > 0.6 {
                true => (
                    format!("{}\u{a0}\u{a0}", mark.label),
                    text(HPos::Right, v_pos),
                ),
                false => (
                    format!("\u{a0}\u{a0}{}", mark.label),
                    text(HPos::Left, v_pos),
                ),
            };
            area.draw(&Text::new(plain(&label), (at, height), style))?;
        }
        Ok(())
    }

    /// The drawing with CSS colours in place of the stand-ins, and with a name for screen readers.
    fn themed(&self, drawing: &str, (width, height): (u32, u32)) -> String {
        let title = escaped(&self.title);
        let mut svg = format!(
            "<svg viewBox=\"0 0 {width} {height}\" xmlns=\"http://www.w3.org/2000/svg\" \
             role=\"img\" aria-label=\"{title}\">\n<title>{title}</title>\n"
        );
        // Quotes in texts are escaped, so a quoted colour is an attribute.
        let mut body = drawing
            .split_once(">\n")
            .map_or("", |(_, body)| body)
            .replace(" opacity=\"1\"", "")
            .replace(&attribute(INK), "\"currentColor\"");
        for (index, (light, _)) in PALETTE.iter().enumerate() {
            let colour = format!("\"var(--series-{}, {light})\"", index + 1);
            let dashes = format!("{colour} stroke-dasharray=\"{} {}\"", 7 * SCALE, 5 * SCALE);
            body = body
                .replace(&attribute(stand_in(index, false)), &colour)
                .replace(&attribute(stand_in(index, true)), &dashes);
        }
        svg.push_str(&body);
        svg
    }
}

/// An axis as plotters sees it: from 0 to 1.
struct Ticks<'a>(&'a Axis);

impl Ranged for Ticks<'_> {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, place: &f64, (from, to): (i32, i32)) -> i32 {
        from + (place * f64::from(to - from)).round() as i32
    }

    fn key_points<H: KeyPointHint>(&self, _hint: H) -> Vec<f64> {
        self.0.ticks().iter().map(|tick| tick.at).collect()
    }

    fn range(&self) -> std::ops::Range<f64> {
        0.0..1.0
    }
}

impl ValueFormatter<f64> for Ticks<'_> {
    fn format_ext(&self, place: &f64) -> String {
        let tick = self.0.ticks().iter().find(|tick| tick.at == *place);
        tick.map(|tick| tick.text.clone()).unwrap_or_default()
    }
}

/// The outlines of a line's band, one for each part where all of it has a place.
fn bands(line: &Line, x: &Axis, y: &Axis) -> Vec<Vec<Place>> {
    let sides: Vec<Option<(Place, Place)>> = line
        .points
        .iter()
        .zip(&line.band)
        .map(|(point, band)| {
            let at = x.at(point.0)?;
            let (low, high) = (y.at(band.0)?, y.at(band.1)?);
            Some(((at, low.clamp(0.0, 1.0)), (at, high.clamp(0.0, 1.0))))
        })
        .collect();
    sides
        .split(Option::is_none)
        .filter(|part| part.len() > 1)
        .map(|part| {
            let lower = part.iter().flatten().map(|side| side.0);
            let upper = part.iter().flatten().rev().map(|side| side.1);
            lower.chain(upper).collect()
        })
        .collect()
}

fn series(number: usize, line: &Line, dashed: bool) -> RGBColor {
    stand_in(line.colour.unwrap_or(number) % COLOURS, dashed)
}

/// The colour that stands in for a series' colour until the drawing is done.
fn stand_in(index: usize, dashed: bool) -> RGBColor {
    // Below COLOURS, so it fits.
    RGBColor(SERIES + 1, index as u8, dashed.into())
}

/// The stand-in as plotters writes it.
fn attribute(RGBColor(red, green, blue): RGBColor) -> String {
    format!("\"#{red:02X}{green:02X}{blue:02X}\"")
}

fn font() -> TextStyle<'static> {
    ("sans-serif", FONT_SIZE).into_font().color(&INK)
}

fn text(h_pos: HPos, v_pos: VPos) -> TextStyle<'static> {
    font().pos(Pos::new(h_pos, v_pos))
}

/// The text without control characters, which XML has no way to write.
fn plain(text: &str) -> String {
    text.replace(char::is_control, " ")
}

fn escaped(text: &str) -> String {
    plain(text)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::super::Mark;
    use super::*;

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
                chart.terminal(40, 8);
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
            assert_eq!(Chart::new("").svg(found), Err(PlotError::Size { found }));
        }
    }
}
