//! A chart as SVG.

use plotters::backend::SVGBackend;
use plotters::chart::ChartBuilder;
use plotters::coord::Shift;
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use plotters::drawing::{DrawingArea, IntoDrawingArea};
use plotters::element::{Circle, PathElement, Polygon, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, IntoFont, RGBColor, TRANSPARENT, TextStyle};

use super::axis::Axis;
use super::pieces::{Place, pieces, thinned};
use super::{COLOURS, Chart, Line, PALETTE};

/// plotters has whole coordinates: a chart is drawn this much larger, and scaled back by its
/// `viewBox`.
const SCALE: u32 = 8;
/// plotters makes 13 pixels of this.
const FONT_SIZE: u32 = 16 * SCALE;
const ROW: u32 = 20 * SCALE;
/// The width of a character, in parts of the 13 pixels of its height, on the safe side.
const CHARACTER: f64 = 0.6 * 13.0 * SCALE as f64;
/// The least width and height that leave room for axes and their labels.
const LEAST: (u32, u32) = (200, 120);

/// The stand-in of the text's colour, and the first of those of the series' colours.
const INK: RGBColor = RGBColor(1, 0, 0);
const SERIES: u8 = 1;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

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
    /// 13 pixels; it fills the width that its surroundings give it.
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
        let mut drawing = String::new();
        let pixels = (SCALE * size.0, SCALE * size.1);
        let root = SVGBackend::with_string(&mut drawing, pixels).into_drawing_area();
        self.draw(&root).map_err(|reason| PlotError::Drawing {
            reason: reason.to_string(),
        })?;
        drop(root);
        Ok(self.themed(&drawing, pixels))
    }

    fn draw(&self, root: &Area) -> Result<(), Box<dyn std::error::Error + '_>> {
        let (width, height) = root.dim_in_pixel();
        let mut head = 0;
        if !self.title.is_empty() {
            head += ROW + ROW / 4;
            let style = text(HPos::Center, VPos::Center);
            let place = (width as i32 / 2, ROW as i32 * 5 / 8);
            root.draw(&Text::new(plain(&self.title), place, style))?;
        }
        head = self.legend(root, head)?;

        let x = self.x_axis((width / (70 * SCALE)) as usize);
        let y = self.y_axis((height / (40 * SCALE)) as usize);
        let longest = y.ticks().iter().map(|tick| tick.text.chars().count()).max();
        let labels = CHARACTER * longest.unwrap_or(0) as f64 + f64::from(14 * SCALE);
        let description = if self.y_label.is_empty() { 0 } else { ROW };
        let mut chart = ChartBuilder::on(root)
            .margin_top(head + 8 * SCALE)
            .margin_right(20 * SCALE)
            .margin_bottom(4 * SCALE)
            .x_label_area_size(
                if self.x_label.is_empty() {
                    ROW
                } else {
                    2 * ROW
                } + 6 * SCALE,
            )
            .y_label_area_size(labels as u32 + description)
            .build_cartesian_2d(Ticks(&x), Ticks(&y))?;
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
        for (i, line) in self.lines.iter().enumerate() {
            for area_of_band in bands(line, &x, &y) {
                area.draw(&Polygon::new(area_of_band, series(i, line, false).mix(0.2)))?;
            }
        }
        // The first line is on top.
        for (i, line) in self.lines.iter().enumerate().rev() {
            let colour = series(i, line, line.dashed);
            for piece in pieces(&line.points, &x, &y) {
                match *piece {
                    [point] => area.draw(&Circle::new(point, 2 * SCALE, colour.filled()))?,
                    _ => area.draw(&PathElement::new(
                        thinned(&piece, (width / SCALE) as usize),
                        colour.stroke_width(2 * SCALE),
                    ))?,
                }
            }
        }
        for (i, mark) in self.marks.iter().enumerate() {
            let Some(at) = x.at(mark.x) else { continue };
            // Labels beside each other in one row would overlap.
            let row = i as f64 * f64::from(ROW) / f64::from(area.dim_in_pixel().1);
            let (place, side) = match mark.y {
                None => {
                    let ends = [(at, 0.0), (at, 1.0)];
                    area.draw(&PathElement::new(ends, INK.mix(0.6).stroke_width(SCALE)))?;
                    ((at, (0.97 - row).max(0.03)), VPos::Center)
                }
                Some(y_value) => {
                    let Some(height) = y.at(y_value).filter(|at| (0.0..=1.0).contains(at)) else {
                        continue;
                    };
                    area.draw(&Circle::new((at, height), 4 * SCALE, INK.filled()))?;
                    let side = if height > 0.9 {
                        VPos::Top
                    } else {
                        VPos::Bottom
                    };
                    ((at, height), side)
                }
            };
            // Away from the nearer end of the axis, clear of the line or dot.
            let (label, side) = match at > 0.6 {
                true => (
                    format!("{}\u{a0}\u{a0}", plain(&mark.label)),
                    text(HPos::Right, side),
                ),
                false => (
                    format!("\u{a0}\u{a0}{}", plain(&mark.label)),
                    text(HPos::Left, side),
                ),
            };
            area.draw(&Text::new(label, place, side))?;
        }
        root.present()?;
        Ok(())
    }

    /// Names the lines in rows from `top` on; returns where they end.
    fn legend(&self, root: &Area, top: u32) -> Result<u32, Box<dyn std::error::Error + '_>> {
        let width = root.dim_in_pixel().0 as i32;
        let (sample, gap) = (24 * SCALE as i32, 8 * SCALE as i32);
        let start = 2 * gap;
        let (mut left, mut rows) = (start, 0);
        for (i, line) in self.lines.iter().enumerate() {
            if line.name.is_empty() {
                continue;
            }
            let entry = sample + 3 * gap + (CHARACTER * line.name.chars().count() as f64) as i32;
            if rows == 0 || left + entry > width {
                left = start;
                rows += 1;
            }
            let y = (top + rows * ROW - ROW / 2) as i32;
            let style = series(i, line, line.dashed).stroke_width(2 * SCALE);
            root.draw(&PathElement::new([(left, y), (left + sample, y)], style))?;
            let place = (left + sample + gap, y);
            root.draw(&Text::new(
                plain(&line.name),
                place,
                text(HPos::Left, VPos::Center),
            ))?;
            left += entry;
        }
        Ok(top + rows * ROW)
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
    fn a_size_without_room_is_refused() {
        for found in [(0, 0), (199, 300), (640, 119), (100_000, 300)] {
            assert_eq!(Chart::new("").svg(found), Err(PlotError::Size { found }));
        }
    }
}
