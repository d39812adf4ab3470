//! The tables of a run's page.

use burn_lr_plot::five_digits;
use burn_lr_training::metrics::{EpochRecord, LrCut, MetricKey};
use maud::{Markup, html};

use super::html::duration;
use super::state::RunPage;

impl RunPage {
    /// The best and the last epoch.
    pub(super) fn epochs(&self) -> Markup {
        let rule = self.best_rule();
        let best = rule.as_ref().and_then(|rule| rule.of(&self.history));
        let best = best.zip(rule.as_ref());
        let best = best.map(|(epoch, rule)| (format!("best by {}", rule.metric), epoch));
        let last = self.history.epochs.last();
        let last = last.map(|epoch| ("last".to_owned(), epoch));
        let rows: Vec<(String, &EpochRecord)> = best.into_iter().chain(last).collect();
        let keys = self.history.keys();
        let seconds: f64 = self.history.epochs.iter().map(|epoch| epoch.seconds).sum();
        let unit = if self.is_in_updates() {
            "period"
        } else {
            "epoch"
        };
        html! {
            @if !rows.is_empty() {
                div.wide { table {
                    tr {
                        th { "" } th { (unit) } th { "updates" }
                        @for key in &keys { th { (key) } }
                        th { "rate" }
                    }
                    @for (name, epoch) in rows {
                        tr {
                            td { (name) } td { (epoch.epoch) } td { (epoch.updates) }
                            @for key in &keys { td { (figure(epoch, key)) } }
                            td { (five_digits(epoch.lr)) }
                        }
                    }
                } }
                p.faint {
                    (self.history.epochs.len()) " " (unit) "s in " (duration(seconds))
                    ", validation included."
                    @if !self.checkpoints.is_empty() {
                        " Checkpoints after " (unit) " " (listed(&self.checkpoints))
                        @if let Some(rule) = &rule { ", dots in the curve of " (rule.metric) }
                        "."
                    }
                }
            }
        }
    }

    /// Where rates were cut, and why.
    pub(super) fn cuts(&self) -> Markup {
        let cuts = self.history.epochs.iter();
        let mut cuts = cuts
            .flat_map(|epoch| epoch.cuts.iter().map(move |cut| (epoch, cut)))
            .peekable();
        let title = if cuts.clone().any(|(_, cut)| cut.is_rise()) {
            "Rises and cuts"
        } else {
            "Cuts of the learning rate"
        };
        html! {
            @if cuts.peek().is_some() {
                h2 { (title) }
                div.wide { table {
                    tr {
                        th { "after" } th { "updates" } th { "of" } th { "from" } th { "to" }
                        th { "the metric was" } th { "best until then" } th { "bad in a row" }
                    }
                    @for (epoch, cut) in cuts {
                        tr {
                            td { (epoch.epoch) } td { (epoch.updates) }
                            td { (of_what(cut)) }
                            td { (five_digits(cut.from)) } td { (five_digits(cut.to)) }
                            td { (five_digits(cut.metric)) } td { (five_digits(cut.best)) }
                            td { (cut.bad_epochs) }
                        }
                    }
                } }
            }
        }
    }

    /// Which runs it comes from, and what was set otherwise.
    pub(super) fn lineage(&self) -> Markup {
        html! {
            @if !self.history.branches.is_empty() {
                h2 { "Where it comes from" }
                ul {
                    @for branch in &self.history.branches {
                        li {
                            (branch.parent) ", after epoch " (branch.epoch) " and "
                            (branch.updates) " updates, checkpoint " code { (branch.sha256) }
                            ul {
                                @for change in &branch.changes {
                                    li { (change.field) ": " (change.from) " became " (change.to) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    /// When, where and by which command it was started.
    pub(super) fn starts(&self) -> Markup {
        html! {
            @if !self.launches.is_empty() {
                h2 { "Starts" }
                ul {
                    @for launch in &self.launches {
                        li {
                            (launch.at)
                            @match launch.after_update {
                                Some(update) => { ", resumed after update " (update) }
                                None if launch.after_epoch > 0 => {
                                    ", resumed after epoch " (launch.after_epoch)
                                }
                                None => {}
                            }
                            ": burn-lr " (launch.burn_lr) " on " (launch.platform) ", "
                            (launch.threads) " threads"
                            @if let Some(processor) = &launch.processor { " of " (processor) }
                            pre { (launch.command.join(" ")) }
                        }
                    }
                }
            }
        }
    }

    /// Everything that was set.
    pub(super) fn configuration(&self) -> Markup {
        let fixed = &self.config["fixed"];
        let short = [
            ("schedule", &fixed["schedule"]),
            ("optimizer", &fixed["optimizer"]),
            ("seed", &fixed["seed"]),
            ("batch size", &fixed["train"]["batch_size"]),
            ("devices", &self.config["free"]["devices"]),
        ];
        // The caller's own, such as the seed and the model, each for itself.
        let settings = fixed["settings"].as_object().into_iter().flatten();
        let settings = settings.map(|(name, value)| (name.as_str(), value));
        let all = serde_json::to_string_pretty(&self.config).unwrap_or_default();
        html! {
            h2 { "Configuration" }
            ul {
                @for (name, value) in short.into_iter().chain(settings) {
                    @if !value.is_null() { li { (name) ": " code { (value) } } }
                }
            }
            details { summary { "All of it" } pre { (all) } }
        }
    }
}

/// What was cut: the rate, or a hyperparameter, and of which group.
fn of_what(cut: &LrCut) -> String {
    let what = cut.hyperparameter.as_deref().unwrap_or("rate");
    match &cut.group {
        Some(group) => format!("{what} of {group}"),
        None => what.to_owned(),
    }
}

/// Numbers that grow, the first and last of many.
fn listed(numbers: &[usize]) -> String {
    match numbers {
        [first, .., last] if numbers.len() > 8 => {
            format!("{first} to {last}, {} of them", numbers.len())
        }
        _ => {
            let numbers: Vec<String> = numbers.iter().map(usize::to_string).collect();
            numbers.join(", ")
        }
    }
}

fn figure(epoch: &EpochRecord, key: &MetricKey) -> String {
    epoch.get(key).map(five_digits).unwrap_or_default()
}
