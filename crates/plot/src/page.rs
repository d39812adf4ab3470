//! The style sheet of a page with charts.

use crate::PALETTE;

const STYLE: &str = include_str!("page.css");

/// A style sheet for a page of charts, tables and text, for a `<style>` element: it follows the reader's light or
/// dark theme, gives series their colours in both, and can be read on a phone.
///
/// Charts stand in an element of class `charts`, tables in one of class `wide`.
///
/// ```
/// assert!(burn_lr_plot::page_style().contains("prefers-color-scheme: dark"));
/// ```
pub fn page_style() -> String {
    let variables = |theme: fn(&(&'static str, &'static str)) -> &'static str| -> String {
        let colours = PALETTE.iter().map(theme).zip(1..);
        colours
            .map(|(colour, number)| format!("--series-{number}: {colour}; "))
            .collect()
    };
    STYLE
        .replace("LIGHT", &variables(|(light, _)| light))
        .replace("DARK", &variables(|(_, dark)| dark))
}
