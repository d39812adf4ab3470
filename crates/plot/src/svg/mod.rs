//! A chart as SVG.

mod backend;
mod colours;
mod coordinates;
mod draw;
mod layout;
#[cfg(test)]
mod tests;
mod text;

use plotters::drawing::IntoDrawingArea;

use crate::error::{LARGEST, LEAST};
use crate::{Chart, PlotError};
use backend::Svg;
use colours::Colours;
use layout::{Layout, SCALE};
use text::escaped;

impl Chart {
    /// The chart as an SVG element of `size`, the width and height in pixels at which its text has
    /// 13 pixels; it fills the width that its surroundings give it. Every row of the legend but the
    /// first, and every row of labels of vertical marks, makes it higher.
    ///
    /// It can stand in an HTML page as it is. There is no background; text and axes have the
    /// surrounding text's colour, and series the colours of the CSS variables `--series-1` to
    /// `--series-8`, or the light ones of [`PALETTE`](crate::PALETTE) where these are not set. A
    /// width of 480 is still legible on a phone.
    ///
    /// ```
    /// use burn_lr_plot::{Chart, Line};
    ///
    /// let chart = Chart::new("Loss").line(Line::new("", [(1.0, 2.3), (2.0, 0.7)]));
    /// let figure = format!("<figure>{}</figure>", chart.svg((480, 300))?);
    /// assert!(figure.contains("var(--series-1, #0072b2)"));
    /// # Ok::<(), burn_lr_plot::PlotError>(())
    /// ```
    ///
    /// # Errors
    /// [`PlotError::Size`] if there is no room: the least is 200 by 120.
    pub fn svg(&self, size: (u32, u32)) -> Result<String, PlotError> {
        let (drawing, (width, height)) = self.drawing(size, Colours::OfPage)?;
        let head = format!("<svg viewBox=\"0 0 {width} {height}\"");
        Ok(self.finished(&head, &drawing))
    }

    /// The chart as an SVG file of `size`, the width and height in pixels; legend and labels make it
    /// higher as they do in [`svg`](Self::svg).
    ///
    /// There is no background; all colours are seen on a light one and on a dark one.
    ///
    /// ```
    /// use burn_lr_plot::{Chart, Line};
    ///
    /// let chart = Chart::new("Loss").line(Line::new("", [(1.0, 2.3), (2.0, 0.7)]));
    /// let picture = chart.svg_file((640, 360))?;
    /// assert!(picture.starts_with("<svg width=\"640\" height=\"360\""));
    /// # Ok::<(), burn_lr_plot::PlotError>(())
    /// ```
    ///
    /// # Errors
    /// [`PlotError::Size`] if there is no room: the least is 200 by 120.
    pub fn svg_file(&self, size: (u32, u32)) -> Result<String, PlotError> {
        let (drawing, (width, height)) = self.drawing(size, Colours::OfFile)?;
        let pixels = (width / SCALE, height / SCALE);
        let head = format!(
            "<svg width=\"{}\" height=\"{}\" viewBox=\"0 0 {width} {height}\"",
            pixels.0, pixels.1
        );
        Ok(self.finished(&head, &drawing))
    }

    /// What plotters draws, and its width and height.
    fn drawing(
        &self,
        size: (u32, u32),
        colours: Colours,
    ) -> Result<(String, (u32, u32)), PlotError> {
        let fits = |length: u32, least: u32| (least..=LARGEST).contains(&length);
        if !fits(size.0, LEAST.0) || !fits(size.1, LEAST.1) {
            return Err(PlotError::Size { found: size });
        }
        let layout = Layout::new(self, size);
        let size = (layout.width, layout.height);
        let mut drawing = String::new();
        let out = &mut drawing;
        let root = Svg { out, size, colours }.into_drawing_area();
        draw::chart(self, &root, &layout).map_err(|error| PlotError::Drawing(Box::new(error)))?;
        drop(root);
        Ok((drawing, size))
    }

    /// The drawing with its head, and a name for screen readers.
    fn finished(&self, head: &str, drawing: &str) -> String {
        let name = escaped(&self.accessible_name());
        format!(
            "{head} xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-label=\"{name}\">\n\
             <title>{name}</title>\n{drawing}</svg>\n"
        )
    }
}
