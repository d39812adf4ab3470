//! The elements of a picture, as plotters asks for them.

use std::convert::Infallible;
use std::fmt::Write;

use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind,
    FontTransform,
};

use super::colours::Colours;
use super::text::escaped;

/// Writes SVG elements in the colours of a theme.
pub(super) struct Svg<'a> {
    pub out: &'a mut String,
    pub size: (u32, u32),
    pub colours: Colours,
}

type Drawn = Result<(), DrawingErrorKind<Infallible>>;

impl Svg<'_> {
    /// An attribute with a colour, and with dashes if its line has some.
    fn paint(&self, attribute: &str, color: BackendColor) -> String {
        let (colour, dashes) = self.colours.of(color.rgb);
        format!(" {attribute}=\"{colour}\"{dashes}")
    }

    /// Writes an element, unless nothing of it is seen.
    fn add(&mut self, color: BackendColor, element: &str) -> Drawn {
        if color.alpha > 0.0 {
            self.out.push_str(element);
        }
        Ok(())
    }
}

/// How much of what is behind is seen through.
fn opacity(color: BackendColor) -> String {
    if color.alpha < 1.0 {
        format!(" opacity=\"{}\"", color.alpha)
    } else {
        String::new()
    }
}

fn points(path: impl IntoIterator<Item = BackendCoord>) -> String {
    path.into_iter().fold(String::new(), |mut text, (x, y)| {
        let _ = write!(text, "{x},{y} ");
        text
    })
}

impl DrawingBackend for Svg<'_> {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        self.size
    }

    fn ensure_prepared(&mut self) -> Drawn {
        Ok(())
    }

    fn present(&mut self) -> Drawn {
        Ok(())
    }

    fn draw_pixel(&mut self, (x, y): BackendCoord, color: BackendColor) -> Drawn {
        let (opacity, fill) = (opacity(color), self.paint("fill", color));
        let element =
            format!("<rect x=\"{x}\" y=\"{y}\" width=\"1\" height=\"1\"{opacity}{fill}/>\n");
        self.add(color, &element)
    }

    fn draw_line<S: BackendStyle>(
        &mut self,
        from: BackendCoord,
        to: BackendCoord,
        style: &S,
    ) -> Drawn {
        let color = style.color();
        let element = format!(
            "<line{}{} stroke-width=\"{}\" x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\"/>\n",
            opacity(color),
            self.paint("stroke", color),
            style.stroke_width(),
            from.0,
            from.1,
            to.0,
            to.1
        );
        self.add(color, &element)
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> Drawn {
        let color = style.color();
        let element = format!(
            "<polyline fill=\"none\"{}{} stroke-width=\"{}\" points=\"{}\"/>\n",
            opacity(color),
            self.paint("stroke", color),
            style.stroke_width(),
            points(path)
        );
        self.add(color, &element)
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> Drawn {
        let color = style.color();
        let (opacity, fill) = (opacity(color), self.paint("fill", color));
        let element = format!("<polygon{opacity}{fill} points=\"{}\"/>\n", points(path));
        self.add(color, &element)
    }

    fn draw_circle<S: BackendStyle>(
        &mut self,
        (x, y): BackendCoord,
        radius: u32,
        style: &S,
        fill: bool,
    ) -> Drawn {
        let color = style.color();
        let paints = if fill {
            format!("{} stroke=\"none\"", self.paint("fill", color))
        } else {
            format!(" fill=\"none\"{}", self.paint("stroke", color))
        };
        let element = format!(
            "<circle cx=\"{x}\" cy=\"{y}\" r=\"{radius}\"{}{paints} stroke-width=\"{}\"/>\n",
            opacity(color),
            style.stroke_width()
        );
        self.add(color, &element)
    }

    fn draw_text<S: BackendTextStyle>(
        &mut self,
        text: &str,
        style: &S,
        (x, y): BackendCoord,
    ) -> Drawn {
        let color = style.color();
        let anchor = match style.anchor().h_pos {
            HPos::Left => "start",
            HPos::Center => "middle",
            HPos::Right => "end",
        };
        let dy = match style.anchor().v_pos {
            VPos::Top => "0.76em",
            VPos::Center => "0.5ex",
            VPos::Bottom => "-0.5ex",
        };
        let turned = match style.transform() {
            FontTransform::None => String::new(),
            FontTransform::Rotate90 => format!(" transform=\"rotate(90, {x}, {y})\""),
            FontTransform::Rotate180 => format!(" transform=\"rotate(180, {x}, {y})\""),
            FontTransform::Rotate270 => format!(" transform=\"rotate(270, {x}, {y})\""),
        };
        let element = format!(
            "<text x=\"{x}\" y=\"{y}\" dy=\"{dy}\" text-anchor=\"{anchor}\" font-family=\"{}\" \
             font-size=\"{}\"{}{}{turned}>\n{}\n</text>\n",
            style.family().as_str(),
            // plotters counts the height of a line.
            style.size() / 1.24,
            opacity(color),
            self.paint("fill", color),
            escaped(text)
        );
        self.add(color, &element)
    }
}
