//! The page itself.
//!
//! maud writes it: its macros are checked when this is compiled, and escape every text.

use std::time::{SystemTime, UNIX_EPOCH};

use burn_lr_plot::page_style;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::charts;
use super::state::{RunPage, Status};

/// Has the page loaded anew while the run goes, unless nobody looks; where it was scrolled to stays. A run that was
/// killed does not say so: its page tells how old it is.
const RELOAD: &str = r#"setInterval(() => { if (!document.hidden) location.reload(); }, 2000);
addEventListener("DOMContentLoaded", () => {
    const written = document.getElementById("written");
    const minutes = Math.floor((Date.now() - written.dataset.at) / 60000);
    if (minutes > 0) written.textContent +=
        ` That was ${minutes} min ago: the run was killed, or its updates take so long.`;
});"#;

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
                        (written_now())
                    }
                    (self.epochs())
                    (self.pictures())
                    (self.cuts())
                    (self.lineage())
                    (self.starts())
                    (self.configuration())
                    (PreEscaped(self.followed()))
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
            Status::AtWork => format!("at work; {made}"),
            Status::Unfinished => format!("not at its end; {made}"),
        }
    }

    fn pictures(&self) -> Markup {
        let charts = self.charts();
        html! {
            @if !charts.is_empty() {
                h2 { "Curves" }
                div.charts {
                    @for chart in charts {
                        // The size is one that charts have room in.
                        @if let Ok(svg) = chart.svg(charts::SIZE) { (PreEscaped(svg)) }
                    }
                }
            }
        }
    }
}

/// When the page is written.
fn written_now() -> Markup {
    let now = SystemTime::now();
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    html! {
        p #written .faint data-at=(since.as_millis()) {
            "Written at " (humantime::format_rfc3339_seconds(now)) "."
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
