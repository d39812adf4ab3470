//! The results of an experiment as a web page.

mod charts;

use std::fmt::Write as _;

use serde_json::Value;

use crate::TrainingError;
use crate::experiment::{At, Comparison, Measure, Results, Stat, Summary};
use crate::files::write_atomically;
use crate::plot::{Chart, PALETTE};

const STYLE: &str = include_str!("page.css");

/// The results of an experiment as a page without any file beside it: `report.html`.
///
/// It begins with the question and the verdict; then come the figures of all candidates, their
/// comparison with the first one, curves, and every setting. It follows the reader's light or dark
/// theme, and can be read on a phone.
pub struct Report<'a> {
    results: &'a Results,
    question: String,
    sections: Vec<(String, String)>,
}

impl<'a> Report<'a> {
    /// A report that asks which candidate meets the target.
    pub fn new(results: &'a Results) -> Self {
        let target = results.target();
        Self {
            results,
            question: format!(
                "Which schedule reaches at least {} % validation accuracy with training accuracy \
                 below {} %?",
                percent(target.min_valid_accuracy),
                percent(target.max_train_accuracy),
            ),
            sections: Vec::new(),
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
    /// [`TrainingError::File`] naming the file.
    pub fn write(&self) -> Result<(), TrainingError> {
        let path = self.results.directory().join("report.html");
        write_atomically(&path, self.to_html().as_bytes())
    }

    /// The page.
    pub fn to_html(&self) -> String {
        let variables = |theme: fn(&(&'static str, &'static str)) -> &'static str| {
            let colours = PALETTE.iter().map(theme).enumerate();
            colours.fold(String::new(), |mut css, (number, colour)| {
                let _ = write!(css, "--series-{}: {colour}; ", number + 1);
                css
            })
        };
        let style = STYLE
            .replace("LIGHT", &variables(|(light, _)| light))
            .replace("DARK", &variables(|(_, dark)| dark));
        let question = escaped(&self.question);
        let mut body = format!("<h1>{question}</h1>\n{}", self.verdict());
        for (heading, text) in &self.sections {
            let (heading, text) = (escaped(heading), escaped(text));
            let _ = write!(body, "<h2>{heading}</h2>\n<pre>{text}</pre>\n");
        }
        body.push_str(&self.figures());
        body.push_str(&self.comparisons());
        body.push_str("<h2>All candidates over epochs</h2>\n");
        body.push_str(
            "<p class=\"faint\">Means over seeds; the bands are one standard deviation.</p>\n",
        );
        body.push_str(&pictures(&charts::overview(self.results)));
        body.push_str("<h2>Training against validation</h2>\n");
        body.push_str(&pictures(&charts::by_candidate(self.results)));
        body.push_str(&self.settings());
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{question}</title>\n<style>\n{style}</style>\n</head>\n<body>\n{body}</body>\n\
             </html>\n"
        )
    }

    /// The answer in words.
    fn verdict(&self) -> String {
        let summaries = self.results.summaries();
        let named = |met: &dyn Fn(&Summary) -> bool| {
            let names = summaries.iter().filter(|s| s.failed.is_empty() && met(s));
            names
                .map(|s| format!("<b>{}</b>", escaped(&s.candidate.name)))
                .collect::<Vec<_>>()
        };
        let last = named(&|summary| summary.last.verdict.every_seed);
        let mut text = String::from("<p class=\"verdict\">");
        if last.is_empty() {
            text.push_str("After the last epoch, none of them does under every seed. ");
        } else {
            let _ = write!(
                text,
                "After the last epoch, under every seed: {}. ",
                last.join(", ")
            );
        }
        let best = named(&|summary| summary.best.verdict.every_seed);
        if best != last && !best.is_empty() {
            let _ = write!(text, "At the best epoch: {}. ", best.join(", "));
        }
        let choice = self.results.choose(At::Last);
        if let Some(best) = summaries.get(choice.candidate) {
            let (train, valid) = (&best.last.train_accuracy, &best.last.valid_accuracy);
            let _ = write!(
                text,
                "{} is <b>{}</b>, with {} % validation and {} % training accuracy.",
                if last.is_empty() {
                    "Closest to it"
                } else {
                    "Best by validation accuracy"
                },
                escaped(&best.candidate.name),
                valid.text(100.0, 2),
                train.text(100.0, 2),
            );
        }
        text.push_str("</p>\n");
        let passing: Vec<String> = summaries
            .iter()
            .filter(|summary| !summary.last.verdict.every_seed && !summary.epochs_met.is_empty())
            .map(|summary| {
                let epochs: Vec<String> = summary.epochs_met.iter().map(usize::to_string).collect();
                format!(
                    "{} after epoch {}",
                    escaped(&summary.candidate.name),
                    epochs.join(", ")
                )
            })
            .collect();
        if !passing.is_empty() {
            let passing = passing.join("; ");
            let _ = writeln!(
                text,
                "<p>Met on the way, but not at the end: {passing}.</p>"
            );
        }
        if let Some(tested) = &self.results.tested {
            let metrics = tested.per_seed.first().map(|(_, metrics)| metrics.keys());
            let figures = metrics
                .into_iter()
                .flatten()
                .map(|metric| format!("{} {}", escaped(metric), tested.stat(metric).text(1.0, 4)));
            let _ = writeln!(
                text,
                "<p>On data that was not chosen by, {}'s {} models have: {}.</p>",
                escaped(&tested.candidate),
                if tested.at == At::Last {
                    "final"
                } else {
                    "best"
                },
                figures.collect::<Vec<_>>().join(", "),
            );
        }
        let by = escaped(&format!(
            "{} {}",
            self.results.best.split, self.results.best.metric
        ));
        let _ = writeln!(
            text,
            "<p class=\"faint\">Figures are means ± standard deviations over seeds. Training figures \
             are running means over the epoch. The best epoch has the best {}: it was chosen by what \
             it is judged by, which flatters it.</p>",
            by.to_lowercase()
        );
        text
    }

    /// The candidates' figures at the last and the best epoch.
    fn figures(&self) -> String {
        let mut html = String::from("<h2>Candidates</h2>\n");
        for (at, caption) in [
            (At::Last, "After the last epoch"),
            (At::Best, "At the best epoch"),
        ] {
            let more = match at {
                At::Last => ["final LR", "cuts", "seconds"].as_slice(),
                At::Best => &["best epoch"],
            };
            let more: String = more
                .iter()
                .map(|name| format!("<th rowspan=\"2\">{name}</th>"))
                .collect();
            let parts = "<th>training</th><th>validation</th><th>gap</th>";
            let _ = writeln!(
                html,
                "<div class=\"wide\"><table><caption>{caption}</caption>\n<tr><th rowspan=\"2\">candidate\
                 </th><th rowspan=\"2\">target</th><th rowspan=\"2\">epochs</th><th colspan=\"3\">\
                 accuracy, %</th><th colspan=\"3\">loss</th>{more}</tr>\n<tr class=\"parts\">{parts}{parts}</tr>"
            );
            for summary in self.results.summaries() {
                html.push_str(&row(summary, at));
            }
            html.push_str("</table></div>\n");
        }
        let failed: Vec<String> = self
            .results
            .summaries()
            .iter()
            .flat_map(|summary| {
                let name = &summary.candidate.name;
                let failed = summary.failed.iter();
                failed.map(move |(seed, error)| escaped(&format!("{name}, seed {seed}: {error}")))
            })
            .collect();
        if !failed.is_empty() {
            let items = failed.join("</li>\n<li>");
            let _ = write!(
                html,
                "<h2>Failed trials</h2>\n<ul>\n<li>{items}</li>\n</ul>\n"
            );
        }
        html
    }

    fn comparisons(&self) -> String {
        let summaries = self.results.summaries();
        let (Some(first), true) = (summaries.first(), summaries.len() > 1) else {
            return String::new();
        };
        let accuracy = self.results.comparisons(Measure::ValidAccuracy, At::Last);
        let loss = self.results.comparisons(Measure::ValidLoss, At::Last);
        let mut html = format!(
            "<h2>Is it more than noise?</h2>\n<p class=\"faint\">After the last epoch, each candidate \
             minus {}, seed by seed: the mean difference with its 95 % confidence interval, and the \
             two-sided p-value of Student's paired t-test after Holm's correction. Few seeds give \
             wide intervals.</p>\n<div class=\"wide\"><table>\n<tr><th>candidate</th>\
             <th>validation accuracy, points</th><th>p</th><th>validation loss</th><th>p</th></tr>\n",
            escaped(&first.candidate.name)
        );
        for (accuracy, loss) in accuracy.iter().zip(&loss) {
            let name = escaped(&accuracy.candidate);
            let _ = write!(html, "<tr><td>{name}</td>{}", cells(accuracy, 100.0, 2));
            let _ = writeln!(html, "{}</tr>", cells(loss, 1.0, 4));
        }
        html.push_str("</table></div>\n");
        html
    }

    /// All that is needed to get the same results again.
    fn settings(&self) -> String {
        let candidates: Vec<_> = self
            .results
            .summaries()
            .iter()
            .map(|s| &s.candidate)
            .collect();
        let candidates =
            serde_json::to_string_pretty(&serde_json::json!({ "candidate": candidates }));
        let mut seeds: Vec<u64> = self
            .results
            .trials()
            .iter()
            .map(|trial| trial.seed)
            .collect();
        seeds.sort_unstable();
        seeds.dedup();
        // The base is the same for all trials.
        let base = self.results.trials().iter().find_map(|trial| {
            let json = std::fs::read(trial.directory.join("config.json")).ok()?;
            let mut config: Value = serde_json::from_slice(&json).ok()?;
            if let Value::Object(fields) = &mut config {
                fields.retain(|field, _| !["schedule", "epochs", "run"].contains(&field.as_str()));
            }
            serde_json::to_string_pretty(&config).ok()
        });
        let mut html = String::from("<h2>Settings</h2>\n");
        let _ = writeln!(
            html,
            "<p>Seeds {}; burn-lr {} on {} {}.</p>",
            seeds
                .iter()
                .map(u64::to_string)
                .collect::<Vec<_>>()
                .join(", "),
            env!("CARGO_PKG_VERSION"),
            std::env::consts::OS,
            std::env::consts::ARCH,
        );
        let documents = [
            ("Candidates", candidates.ok()),
            ("What they have in common", base),
        ];
        for (heading, document) in documents {
            if let Some(document) = document {
                let document = escaped(&document);
                let _ = writeln!(
                    html,
                    "<details><summary>{heading}</summary><pre>{document}</pre></details>"
                );
            }
        }
        html
    }
}

fn row(summary: &Summary, at: At) -> String {
    let figures = summary.at(at);
    let verdict = |(seed, met): &(u64, bool)| match met {
        true => format!("<span class=\"met\" title=\"seed {seed}: met\">✓</span>"),
        false => format!("<span class=\"missed\" title=\"seed {seed}: missed\">✗</span>"),
    };
    let mut verdicts: String = figures.verdict.per_seed.iter().map(verdict).collect();
    for (seed, _) in &summary.failed {
        let _ = write!(
            verdicts,
            "<span class=\"missed\" title=\"seed {seed}: failed\">!</span>"
        );
    }
    if figures.verdict.mean {
        verdicts.push_str(" <span class=\"met\">mean ✓</span>");
    }
    let mut html = format!(
        "<tr><td>{}</td><td>{verdicts}</td><td>{}</td>",
        escaped(&summary.candidate.name),
        summary.candidate.epochs
    );
    let mut cell = |stat: &Stat, scale: f64, digits: usize| {
        let _ = write!(html, "<td>{}</td>", stat.text(scale, digits));
    };
    cell(&figures.train_accuracy, 100.0, 2);
    cell(&figures.valid_accuracy, 100.0, 2);
    cell(&figures.accuracy_gap, 100.0, 2);
    cell(&figures.train_loss, 1.0, 4);
    cell(&figures.valid_loss, 1.0, 4);
    cell(&figures.loss_gap, 1.0, 4);
    match at {
        At::Last => {
            let _ = write!(html, "<td>{}</td>", summary.final_lr.scientific());
            html.push_str(
                &[&summary.cuts, &summary.seconds]
                    .map(|stat| format!("<td>{}</td>", stat.text(1.0, 1)))
                    .concat(),
            );
        }
        At::Best => cell(&summary.best_epoch, 1.0, 1),
    }
    html.push_str("</tr>\n");
    html
}

/// The difference with its interval, and the p-value.
fn cells(comparison: &Comparison, scale: f64, digits: usize) -> String {
    let Comparison {
        difference,
        interval,
        adjusted_p_value: p,
        ..
    } = comparison;
    if p.is_nan() {
        return format!("<td>{}</td><td>-</td>", difference.text(scale, digits));
    }
    let [mean, low, high] = [difference.mean, interval.0, interval.1].map(|value| scale * value);
    let p = match (p, comparison.is_significant()) {
        (p, _) if *p < 0.001 => "<b>&lt; 0.001</b>".to_owned(),
        (p, true) => format!("<b>{p:.3}</b>"),
        (p, false) => format!("{p:.3}"),
    };
    format!("<td>{mean:+.digits$} ({low:+.digits$} to {high:+.digits$})</td><td>{p}</td>")
}

fn pictures(charts: &[Chart]) -> String {
    let mut html = String::from("<div class=\"charts\">\n");
    for chart in charts {
        // The size is one that charts have room in.
        if let Ok(svg) = chart.svg(charts::SIZE) {
            html.push_str(&svg);
            html.push('\n');
        }
    }
    html.push_str("</div>\n");
    html
}

/// A fraction in percent, without digits that say nothing.
fn percent(fraction: f64) -> String {
    let percent = format!("{:.2}", 100.0 * fraction);
    percent
        .trim_end_matches('0')
        .trim_end_matches('.')
        .to_owned()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_have_the_digits_they_need() {
        assert_eq!(percent(0.9), "90");
        assert_eq!(percent(0.9125), "91.25");
        assert_eq!(percent(1.0), "100");
    }

    #[test]
    fn names_cannot_break_the_page() {
        assert_eq!(escaped("<b>\"&\""), "&lt;b&gt;&quot;&amp;&quot;");
    }
}
