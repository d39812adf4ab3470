//! The page itself.
//!
//! maud writes it: its macros are checked when this is compiled, and escape every text.

use burn_lr_plot::page_style;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::charts;
use super::state::{RunPage, Status};

/// Has the page loaded anew while the run goes, unless nobody looks; where it was scrolled to stays.
const RELOAD: &str = "setInterval(() => { if (!document.hidden) location.reload(); }, 2000);";

impl RunPage {
    /// The page.
    pub fn to_html(&self) -> String {
        let running = matches!(self.status, Status::Running { .. });
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { (self.name) ": " (self.state()) }
                    style { (PreEscaped(page_style())) }
                    @if running { script { (PreEscaped(RELOAD)) } }
                }
                body {
                    h1 { (self.name) }
                    p.verdict { (self.state()) }
                    @if let Status::Running { done, .. } = self.status {
                        progress value=(done) max="1" { (percent(done)) }
                    }
                    (self.epochs())
                    h2 { "Curves" }
                    (self.pictures())
                    (self.cuts())
                    (self.lineage())
                    (self.starts())
                    (self.configuration())
                }
            }
        };
        page.into_string()
    }

    /// How far the run is, in a sentence.
    pub(super) fn state(&self) -> String {
        let last = self.history.epochs.last();
        let unit = if self.is_in_updates() {
            "period"
        } else {
            "epoch"
        };
        let made = last.map_or_else(
            || format!("no {unit} is over yet"),
            |last| {
                format!(
                    "{unit} {} is over, after {} updates",
                    last.epoch, last.updates
                )
            },
        );
        match &self.status {
            Status::Running { done, seconds_left } => {
                let left = seconds_left.map_or_else(String::new, |seconds| {
                    format!(", about {} left", duration(seconds))
                });
                format!("running, {}{left}; {made}", percent(*done))
            }
            Status::Complete => format!("complete; {made}"),
            Status::Stopped(reason) => format!("ended: {reason}; {made}"),
            Status::Unfinished => format!("not at its end; {made}"),
        }
    }

    fn pictures(&self) -> Markup {
        html! {
            div.charts {
                @for chart in self.charts() {
                    // The size is one that charts have room in.
                    @if let Ok(svg) = chart.svg(charts::SIZE) { (PreEscaped(svg)) }
                }
            }
        }
    }
}

fn percent(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}

/// Rounded, as `3 h 20 min`.
pub(super) fn duration(seconds: f64) -> String {
    // Saturating: what takes longer is not waited for.
    let all = seconds.round() as u64;
    match (all / 3600, all / 60 % 60, all % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}
