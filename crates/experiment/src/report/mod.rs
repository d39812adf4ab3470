//! The results of an experiment as a web page.
//!
//! maud writes the page: its macros are checked when this is compiled, and escape every text. It has
//! no template files and no other dependency at run time.

mod charts;
mod configuration;
mod curve;
mod order;
mod search;
mod tables;
mod verdict;

use burn_lr_plot::{Chart, page_style};
use burn_lr_training::storage::write_atomically;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::error::ExperimentError;
use crate::results::Results;
use crate::search::Found;
use order::Order;

/// The results of an experiment as a page without any file beside it: `report.html`.
///
/// It begins with the question and the verdict; then come the figures of all candidates, their
/// comparison with the first one, curves, and every setting. It follows the reader's light or dark
/// theme, and can be read on a phone.
pub struct Report<'a> {
    results: &'a Results,
    question: String,
    sections: Vec<(String, String)>,
    found: Option<&'a Found>,
}

impl<'a> Report<'a> {
    /// A report that asks for the objective.
    pub fn new(results: &'a Results) -> Self {
        Self {
            results,
            question: format!("Which candidate has {}?", results.objective()),
            sections: Vec::new(),
            found: None,
        }
    }

    /// A report on what a search has found: on its confirmation, with what was tried before.
    pub fn of_search(found: &'a Found) -> Self {
        Self {
            found: Some(found),
            ..Self::new(&found.confirmation)
        }
    }

    /// Sets the question in the heading.
    pub fn question(mut self, question: impl Into<String>) -> Self {
        self.question = question.into();
        self
    }

    /// Adds a section below the verdict, such as the command that led to the results or what came
    /// of a test; lines of `text` are kept.
    pub fn section(mut self, heading: impl Into<String>, text: impl Into<String>) -> Self {
        self.sections.push((heading.into(), text.into()));
        self
    }

    /// Writes `report.html` into the experiment's directory.
    ///
    /// # Errors
    /// [`ExperimentError::Training`] naming the file.
    pub fn write(&self) -> Result<(), ExperimentError> {
        let path = self.results.directory().join("report.html");
        Ok(write_atomically(&path, self.to_html().as_bytes())?)
    }

    /// The page.
    pub fn to_html(&self) -> String {
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { (self.question) }
                    style { (PreEscaped(page_style())) }
                }
                body { (self.body()) }
            }
        };
        page.into_string()
    }

    fn body(&self) -> Markup {
        let order = Order::of(self.results);
        html! {
            h1 { (self.question) }
            (verdict::verdict(self.results))
            @for (heading, text) in &self.sections {
                h2 { (heading) }
                pre { (text) }
            }
            (tables::figures(self.results))
            (tables::comparisons(self.results))
            h2 { "All candidates over epochs" }
            p.faint {
                "Means over seeds; the bands are one standard deviation."
                @if !order.others.is_empty() {
                    " In colour the first candidate and the " (order.shown.len() - 1)
                    " best ones; thin and grey the other " (order.others.len()) "."
                }
            }
            (pictures(&charts::overview(self.results)))
            h2 { "Training against validation" }
            (pictures(&charts::by_candidate(self.results, &order.shown)))
            @if !order.others.is_empty() {
                details {
                    summary { "The other " (order.others.len()) " candidates" }
                    (pictures(&charts::by_candidate(self.results, &order.others)))
                }
            }
            @if let Some(found) = self.found { (search::search(found)) }
            (configuration::settings(self.results))
        }
    }
}

fn pictures(charts: &[Chart]) -> Markup {
    html! {
        div.charts {
            @for chart in charts {
                // The size is one that charts have room in.
                @if let Ok(svg) = chart.svg(charts::SIZE) { (PreEscaped(svg)) }
            }
        }
    }
}
