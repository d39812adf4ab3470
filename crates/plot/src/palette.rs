//! The colours of series.

/// How many colours there are; series beyond take the first ones again.
///
/// ```
/// assert_eq!(burn_lr_plot::COLOURS, 8);
/// ```
pub const COLOURS: usize = 8;

/// The colours of series in hexadecimal, on a light background and on a dark one.
///
/// Okabe and Ito's palette, made for the colour-blind, with those of its colours replaced that are
/// too close to white or black: each has a contrast of at least 3 to 1 to `#ffffff`, or to
/// `#1e1e1e`.
///
/// A page gives its charts the colours of its theme by setting the variables `--series-1` to
/// `--series-8`:
///
/// ```
/// let dark: Vec<String> = burn_lr_plot::PALETTE
///     .iter()
///     .zip(1..)
///     .map(|((_, dark), number)| format!("--series-{number}: {dark};"))
///     .collect();
/// assert_eq!(dark[0], "--series-1: #3f97d6;");
/// ```
pub const PALETTE: [(&str, &str); COLOURS] = [
    ("#0072b2", "#3f97d6"),
    ("#d55e00", "#ee7733"),
    ("#009e73", "#00a67e"),
    ("#c765a0", "#e3a0c8"),
    ("#6b4a00", "#f0e442"),
    ("#3f97d6", "#a3dbff"),
    ("#3b1f7a", "#7b68d6"),
    ("#1a1a1a", "#ffffff"),
];

/// The colours of series in a picture of its own, which cannot know its background: each has a
/// contrast of at least 3 to 1 to `#ffffff` and to `#1e1e1e` alike.
///
/// ```
/// use burn_lr_plot::{Chart, Line, STANDALONE_PALETTE};
///
/// let chart = Chart::new("Loss").line(Line::new("", [(0.0, 2.3), (1.0, 0.4)]));
/// assert!(chart.svg_file((640, 360))?.contains(STANDALONE_PALETTE[0]));
/// # Ok::<(), burn_lr_plot::PlotError>(())
/// ```
pub const STANDALONE_PALETTE: [&str; COLOURS] = [
    "#2e86de", "#d9730d", "#2f9e44", "#d6336c", "#845ef7", "#0b948b", "#a17a1a", "#7a7f87",
];

/// The colour of text and axes in a picture of its own.
pub(crate) const STANDALONE_INK: &str = "#808080";

#[cfg(test)]
mod tests {
    use super::*;

    /// The contrast of two colours as the Web Content Accessibility Guidelines define it.
    fn contrast(a: &str, b: &str) -> f64 {
        let luminance = |colour: &str| {
            let part = |start: usize, weight: f64| {
                let part = u8::from_str_radix(&colour[start..start + 2], 16).unwrap();
                let part = f64::from(part) / 255.0;
                let linear = if part <= 0.04045 {
                    part / 12.92
                } else {
                    ((part + 0.055) / 1.055).powf(2.4)
                };
                weight * linear
            };
            part(1, 0.2126) + part(3, 0.7152) + part(5, 0.0722) + 0.05
        };
        let ratio = luminance(a) / luminance(b);
        ratio.max(1.0 / ratio)
    }

    #[test]
    fn colours_are_seen_on_both_backgrounds() {
        for (light, dark) in PALETTE {
            assert!(contrast(light, "#ffffff") >= 3.0, "{light}");
            assert!(contrast(dark, "#1e1e1e") >= 3.0, "{dark}");
        }
        for colour in STANDALONE_PALETTE.into_iter().chain([STANDALONE_INK]) {
            for background in ["#ffffff", "#1e1e1e"] {
                let contrast = contrast(colour, background);
                assert!(contrast >= 3.0, "{colour} on {background}: {contrast}");
            }
        }
    }
}
