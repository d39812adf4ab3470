//! The curves of a run.

use std::collections::BTreeSet;

use burn_lr_plot::{Chart, Line, Mark};
use burn_lr_training::metrics::{Best, EpochRecord, LrCut, MetricKey, train, valid};
use burn_lr_training::track::UpdateRecord;

use super::state::RunPage;

/// The width and height of a chart, at which its text is legible on a phone.
pub(super) const SIZE: (u32, u32) = (480, 300);

impl RunPage {
    /// Charts of every metric on both splits, of the gap between them, of the rates and what else is scheduled, and of what
    /// the updates led to.
    pub(super) fn charts(&self) -> Vec<Chart> {
        let keys = self.history.keys();
        let names: BTreeSet<&str> = keys.iter().map(MetricKey::name).collect();
        let mut charts: Vec<Chart> = names.iter().map(|name| self.of_metric(name)).collect();
        charts.extend(names.iter().filter_map(|name| self.gap(name)));
        if !self.history.epochs.is_empty() {
            charts.push(self.rates());
        }
        charts.extend(self.hyperparameters());
        charts.extend(self.of_updates());
        charts
    }

    /// Where an epoch is on the horizontal axis.
    fn place(&self, epoch: &EpochRecord) -> f64 {
        if self.is_in_updates() {
            epoch.updates as f64
        } else {
            epoch.epoch as f64
        }
    }

    fn points(&self, value: impl Fn(&EpochRecord) -> Option<f64>) -> Vec<(f64, f64)> {
        let epochs = self.history.epochs.iter();
        epochs
            .filter_map(|epoch| Some((self.place(epoch), value(epoch)?)))
            .collect()
    }

    /// A chart over epochs, or over updates of a run that is measured in them, with the cuts marked.
    fn over_epochs(&self, title: &str, y: &str) -> Chart {
        let chart = Chart::new(title).y_label(y).whole_x();
        let chart = chart.x_label(if self.is_in_updates() {
            "update"
        } else {
            "epoch"
        });
        let cut = |epoch: &&EpochRecord| !epoch.cuts.is_empty();
        let cuts = self.history.epochs.iter().filter(cut);
        // Of many, labels would be a wall.
        let is_labelled = cuts.clone().count() <= 8;
        let label = |epoch: &EpochRecord| {
            if !is_labelled {
                ""
            } else if epoch.cuts.iter().all(LrCut::is_rise) {
                "rise"
            } else {
                "cut"
            }
        };
        cuts.map(|epoch| Mark::vertical(self.place(epoch), label(epoch)))
            .fold(chart, Chart::mark)
    }

    fn of_metric(&self, name: &str) -> Chart {
        let mut chart = self.over_epochs(name, name);
        let splits = [("training", train(name)), ("validation", valid(name))];
        for (index, (split, key)) in splits.into_iter().enumerate() {
            let points = self.points(|epoch| epoch.get(&key));
            if !points.is_empty() {
                chart = chart.line(Line::new(split, points).colour(index));
            }
        }
        let best = self.best_rule().filter(|best| best.metric == valid(name));
        if best.is_some() {
            let epochs = self.history.epochs.iter();
            let saved = epochs.filter(|epoch| self.checkpoints.binary_search(&epoch.epoch).is_ok());
            chart = saved
                .map(|epoch| Mark::point(self.place(epoch), epoch.valid(name), ""))
                .fold(chart, Chart::mark);
        }
        let best = best.and_then(|best| best.of(&self.history));
        match best {
            Some(epoch) => {
                let mark = Mark::point(self.place(epoch), epoch.valid(name), "best");
                chart.mark(mark)
            }
            None => chart,
        }
    }

    /// How far validation is from training, of metrics that both have.
    fn gap(&self, name: &str) -> Option<Chart> {
        let (train, valid) = (train(name), valid(name));
        let points = self.points(|epoch| Some(epoch.get(&valid)? - epoch.get(&train)?));
        let title = format!("{name}: validation minus training");
        let chart = self.over_epochs(&title, name);
        (!points.is_empty()).then(|| chart.line(Line::new("", points)))
    }

    fn rates(&self) -> Chart {
        let title = if self.is_in_updates() {
            "learning rate of each period's last update"
        } else {
            "learning rate of each epoch's last update"
        };
        let mut chart = self.over_epochs(title, "learning rate");
        chart = chart.line(Line::new("", self.points(|epoch| Some(epoch.lr))));
        let epochs = self.history.epochs.iter();
        let groups: BTreeSet<&String> = epochs.flat_map(|epoch| epoch.group_lrs.keys()).collect();
        for (group, index) in groups.into_iter().zip(1..) {
            let points = self.points(|epoch| epoch.group_lrs.get(group).copied());
            chart = chart.line(Line::new(group, points).colour(index).dashed());
        }
        chart.y_include(0.0)
    }

    /// What schedules set beside the rate, each by itself.
    fn hyperparameters(&self) -> Vec<Chart> {
        let epochs = self.history.epochs.iter();
        let names: BTreeSet<&String> = epochs.flat_map(|e| e.hyperparameters.keys()).collect();
        let chart = |name: &String| {
            let points = self.points(|epoch| epoch.hyperparameters.get(name).copied());
            let title = format!("{name} of each epoch's last update");
            self.over_epochs(&title, name).line(Line::new("", points))
        };
        names.into_iter().map(chart).collect()
    }

    /// What single updates led to, if they were followed.
    fn of_updates(&self) -> Vec<Chart> {
        let updates = &self.updates;
        let chart = |title: &str, y: &str, value: &dyn Fn(&UpdateRecord) -> Option<f64>| {
            let points = updates.iter();
            let points: Vec<(f64, f64)> = points
                .filter_map(|update| Some((update.update as f64, value(update)?)))
                .collect();
            let chart = Chart::new(title).x_label("update").y_label(y).whole_x();
            (points.len() > 1).then(|| chart.line(Line::new("", points)))
        };
        let loss = |update: &UpdateRecord| update.metrics.get("loss").copied();
        let charts = [
            chart("loss of single batches", "loss", &loss),
            chart("learning rate", "learning rate", &|update| Some(update.lr)),
            chart("norm of the gradients", "L2 norm", &|update| {
                Some(update.gradient_norm)
            }),
            chart("throughput", "samples per second", &|update| {
                update.samples_per_second
            }),
        ];
        charts.into_iter().flatten().collect()
    }

    /// By what the best epoch is told, as the run's checkpoints go by it.
    pub(super) fn best_rule(&self) -> Option<Best> {
        let best = &self.config["free"]["keep"]["best"];
        serde_json::from_value(best.clone()).ok()
    }

    pub(super) fn is_in_updates(&self) -> bool {
        self.history.epochs.iter().any(|epoch| epoch.data.is_some())
            || !self.config["fixed"]["every"].is_null()
    }
}
