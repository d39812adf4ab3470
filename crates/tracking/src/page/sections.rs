//! The tables of a run's page.

use burn_lr_plot::five_digits;
use burn_lr_training::metrics::{EpochRecord, MetricKey};
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
        html! {
            @if cuts.peek().is_some() {
                h2 { "Cuts of the learning rate" }
                div.wide { table {
                    tr {
                        th { "after" } th { "updates" } th { "group" } th { "from" } th { "to" }
                        th { "the metric was" } th { "best until then" } th { "bad in a row" }
                    }
                    @for (epoch, cut) in cuts {
                        tr {
                            td { (epoch.epoch) } td { (epoch.updates) }
                            td { (cut.group.as_deref().unwrap_or("")) }
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
                            @if launch.after_epoch > 0 { ", resumed after epoch " (launch.after_epoch) }
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
        let all = serde_json::to_string_pretty(&self.config).unwrap_or_default();
        html! {
            h2 { "Configuration" }
            ul {
                @for (name, value) in short {
                    @if !value.is_null() { li { (name) ": " code { (value) } } }
                }
            }
            details { summary { "All of it" } pre { (all) } }
        }
    }
}

fn figure(epoch: &EpochRecord, key: &MetricKey) -> String {
    epoch.get(key).map(five_digits).unwrap_or_default()
}
