//! What an experiment led to.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use burn::train::LearnerModel;
use serde::Serialize;

use super::candidate::Candidate;
use super::comparison::{Comparison, Measure, holm};
use super::error::{BaseError, ExperimentError};
use super::runner::Experiment;
use super::summary::{At, Stat, Summary};
use super::target::{Target, Verdict};
use super::trial::Trial;
use crate::TrainingError;
use crate::checkpoint::Best;
use crate::files::write_atomically;
use crate::history::Metrics;
use crate::model_file::load_model;
use crate::training::Training;

/// All trials of an experiment, and the figures of each candidate.
#[derive(Debug, Clone)]
pub struct Results {
    pub(crate) directory: PathBuf,
    pub(crate) trials: Vec<Trial>,
    pub(crate) summaries: Vec<Summary>,
    pub(crate) target: Target,
    pub(crate) best: Best,
    pub(crate) tested: Option<Tested>,
}

/// What came of evaluating a choice on data that it was not made by.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tested {
    /// The candidate that was chosen.
    pub candidate: String,
    /// The epoch of each trial that its model is of.
    pub at: At,
    /// The metrics of each seed's model.
    pub per_seed: Vec<(u64, Metrics)>,
}

impl Tested {
    /// The mean and spread of a metric over the seeds.
    pub fn stat(&self, metric: &str) -> Stat {
        let value = |(_, metrics): &(u64, Metrics)| metrics.get(metric).copied();
        Stat::of(self.per_seed.iter().filter_map(value))
    }
}

/// A candidate that was chosen by its figures.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// Its place among the candidates.
    pub candidate: usize,
    /// The epoch of each trial that it was chosen by.
    pub at: At,
}

/// What `results.json` holds.
#[derive(Serialize)]
struct Document<'a> {
    burn_lr: &'static str,
    target: &'a Target,
    summaries: &'a [Summary],
    #[serde(skip_serializing_if = "Option::is_none")]
    tested: Option<&'a Tested>,
    comparisons: Vec<Comparison>,
    trials: &'a [Trial],
}

impl Results {
    pub(super) fn new(
        directory: PathBuf,
        candidates: Vec<Candidate>,
        trials: Vec<Trial>,
        target: Target,
        best: Best,
    ) -> Self {
        let summaries = candidates.iter().enumerate().map(|(number, candidate)| {
            let of = |trial: &&Trial| trial.candidate == number;
            let trials: Vec<&Trial> = trials.iter().filter(of).collect();
            Summary::new(candidate, &trials, &target, &best)
        });
        Self {
            summaries: summaries.collect(),
            directory,
            trials,
            target,
            best,
            tested: None,
        }
    }

    /// What the candidates are judged by.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The experiment's directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// All trials, candidate by candidate.
    pub fn trials(&self) -> &[Trial] {
        &self.trials
    }

    /// The figures of each candidate, in the candidates' order.
    pub fn summaries(&self) -> &[Summary] {
        &self.summaries
    }

    /// Every candidate but the first, compared with the first; p-values are adjusted for the number
    /// of candidates.
    pub fn comparisons(&self, measure: Measure, at: At) -> Vec<Comparison> {
        let trials = |number: usize| {
            let of = |trial: &&Trial| trial.candidate == number;
            self.trials.iter().filter(of).collect::<Vec<_>>()
        };
        let name = |number: usize| self.summaries[number].candidate.name.as_str();
        let mut comparisons: Vec<Comparison> = (1..self.summaries.len())
            .map(|number| {
                let baseline = (name(0), &*trials(0));
                let candidate = (name(number), &*trials(number));
                Comparison::new(candidate, baseline, measure, at, &self.best)
            })
            .collect();
        holm(&mut comparisons);
        comparisons
    }

    /// The candidate that misses the target by the least in the mean over the seeds, and among those
    /// that meet it under every seed, the one with the best validation accuracy.
    ///
    /// Candidates with failed trials are chosen only if there are no others. Its validation
    /// figures are flattered by having been chosen by: validate on data held out from training, and
    /// [test](Experiment::test) the choice.
    pub fn choose(&self, at: At) -> Choice {
        let finite = |value: f64| if value.is_nan() { f64::INFINITY } else { value };
        let rank = |summary: &Summary| {
            let figures = summary.at(at);
            let failed = !summary.failed.is_empty();
            (
                failed,
                finite(figures.distance.mean),
                finite(-figures.valid_accuracy.mean),
            )
        };
        let order = |a: &Summary, b: &Summary| {
            let (a, b) = (rank(a), rank(b));
            a.0.cmp(&b.0)
                .then(a.1.total_cmp(&b.1))
                .then(a.2.total_cmp(&b.2))
        };
        let best = self
            .summaries
            .iter()
            .enumerate()
            .min_by(|a, b| order(a.1, b.1));
        Choice {
            candidate: best.map_or(0, |(number, _)| number),
            at,
        }
    }

    /// The candidates' figures as a table for the terminal: means ± standard deviations over the
    /// seeds, accuracies in percent.
    pub fn table(&self) -> String {
        let percent = |stat: &Stat| stat.text(100.0, 2);
        let mut rows = vec![
            [
                "candidate",
                "epochs",
                "seeds",
                "train acc %",
                "val acc %",
                "gap",
                "train loss",
                "val loss",
                "gap",
                "last LR",
                "cuts",
                "best epoch",
                "s",
                "target",
            ]
            .map(str::to_owned),
        ];
        rows.extend(self.summaries.iter().map(|summary| {
            let Summary {
                candidate,
                seeds,
                failed,
                last,
                ..
            } = summary;
            let of = seeds.len() + failed.len();
            let met = last.verdict.per_seed.iter().filter(|(_, met)| *met).count();
            [
                candidate.name.clone(),
                candidate.epochs.to_string(),
                if failed.is_empty() {
                    of.to_string()
                } else {
                    format!("{}/{of}", seeds.len())
                },
                percent(&last.train_accuracy),
                percent(&last.valid_accuracy),
                percent(&last.accuracy_gap),
                last.train_loss.text(1.0, 4),
                last.valid_loss.text(1.0, 4),
                last.loss_gap.text(1.0, 4),
                summary.final_lr.scientific(),
                summary.cuts.text(1.0, 1),
                summary.best_epoch.text(1.0, 1),
                summary.seconds.text(1.0, 1),
                match (last.verdict.every_seed, met) {
                    (true, _) => "met".to_owned(),
                    (false, 0) => "missed".to_owned(),
                    (false, met) => format!("met {met}/{of}"),
                },
            ]
        }));
        aligned(&rows)
    }

    /// The candidates' figures as CSV: a row a candidate, means and standard deviations over the
    /// seeds in columns of their own, accuracies from 0 to 1.
    pub fn to_csv(&self) -> String {
        let mut csv = String::from("candidate,epochs,seeds,failed");
        for at in ["last", "best"] {
            for figure in [
                "train_accuracy",
                "valid_accuracy",
                "train_loss",
                "valid_loss",
                "accuracy_gap",
                "loss_gap",
            ] {
                let _ = write!(csv, ",{at}_{figure},{at}_{figure}_sd");
            }
            let _ = write!(
                csv,
                ",{at}_seeds_meeting_target,{at}_target_met,{at}_mean_meets_target"
            );
        }
        csv.push_str(",best_epoch,final_lr,cuts,seconds,epochs_meeting_target\n");
        for summary in &self.summaries {
            let name = summary.candidate.name.replace('"', "\"\"");
            let (seeds, failed) = (summary.seeds.len(), summary.failed.len());
            let _ = write!(
                csv,
                "\"{name}\",{},{seeds},{failed}",
                summary.candidate.epochs
            );
            for figures in [&summary.last, &summary.best] {
                for stat in [
                    figures.train_accuracy,
                    figures.valid_accuracy,
                    figures.train_loss,
                    figures.valid_loss,
                    figures.accuracy_gap,
                    figures.loss_gap,
                ] {
                    let _ = write!(csv, ",{},{}", stat.mean, stat.sd);
                }
                let met = figures
                    .verdict
                    .per_seed
                    .iter()
                    .filter(|(_, met)| *met)
                    .count();
                let Verdict {
                    every_seed, mean, ..
                } = figures.verdict;
                let _ = write!(csv, ",{met},{every_seed},{mean}");
            }
            for stat in [
                summary.best_epoch,
                summary.final_lr,
                summary.cuts,
                summary.seconds,
            ] {
                let _ = write!(csv, ",{}", stat.mean);
            }
            let epochs: Vec<String> = summary.epochs_met.iter().map(usize::to_string).collect();
            let _ = writeln!(csv, ",{}", epochs.join(" "));
        }
        csv
    }

    /// The figures, comparisons and all trials with their histories as JSON; what is NaN is null.
    ///
    /// # Errors
    /// [`TrainingError::File`] if a path is not Unicode.
    pub fn to_json(&self) -> Result<String, TrainingError> {
        let measures = [
            Measure::TrainAccuracy,
            Measure::ValidAccuracy,
            Measure::TrainLoss,
            Measure::ValidLoss,
        ];
        let ats = [At::Last, At::Best];
        let pairs = ats
            .into_iter()
            .flat_map(|at| measures.map(|measure| (measure, at)));
        let document = Document {
            burn_lr: env!("CARGO_PKG_VERSION"),
            target: &self.target,
            summaries: &self.summaries,
            tested: self.tested.as_ref(),
            comparisons: pairs
                .flat_map(|(measure, at)| self.comparisons(measure, at))
                .collect(),
            trials: &self.trials,
        };
        serde_json::to_string_pretty(&document)
            .map_err(|error| TrainingError::file("write", &self.directory, error.into()))
    }

    /// Writes `results.csv` and `results.json` into the experiment's directory.
    ///
    /// # Errors
    /// [`TrainingError::File`] naming the file.
    pub fn write(&self) -> Result<(), TrainingError> {
        let file = |name: &str| self.directory.join(name);
        write_atomically(&file("results.csv"), self.to_csv().as_bytes())?;
        write_atomically(&file("results.json"), self.to_json()?.as_bytes())
    }
}

impl<F, M> Experiment<F>
where
    M: LearnerModel,
    F: Fn(&Path, u64) -> Result<(Training<M>, M), BaseError> + Sync,
{
    /// Evaluates the chosen candidate's models on data that no choice was made by: each seed's best
    /// or final model, as the choice was made. The results keep what came of it.
    ///
    /// # Errors
    /// [`ExperimentError::Training`] naming a model file that cannot be loaded,
    /// [`ExperimentError::Evaluation`] with what `evaluate` fails with.
    pub fn test(
        &self,
        results: &mut Results,
        choice: &Choice,
        evaluate: impl Fn(M) -> Result<Metrics, BaseError>,
    ) -> Result<Tested, ExperimentError> {
        let Some(summary) = results.summaries.get(choice.candidate) else {
            return Err(ExperimentError::Invalid {
                name: "choice",
                expected: "one of the candidates",
                found: choice.candidate.to_string(),
            });
        };
        let file = match choice.at {
            At::Last => "final.bpk",
            At::Best => "best.bpk",
        };
        let chosen =
            |trial: &&Trial| trial.candidate == choice.candidate && trial.history().is_some();
        let test = |trial: &Trial| {
            let path = trial.directory.join(file);
            let (_, model) = self.base(&trial.directory, trial.seed)?;
            let metrics = evaluate(load_model(&path, model)?)
                .map_err(|source| ExperimentError::Evaluation { path, source })?;
            Ok((trial.seed, metrics))
        };
        let per_seed = results.trials.iter().filter(chosen).map(test);
        let tested = Tested {
            candidate: summary.candidate.name.clone(),
            at: choice.at,
            per_seed: per_seed.collect::<Result<_, ExperimentError>>()?,
        };
        results.tested = Some(tested.clone());
        Ok(tested)
    }
}

/// Columns under each other, the first one flush left.
fn aligned<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: [usize; N] = std::array::from_fn(|column| width(column).unwrap_or(0));
    let mut table = String::new();
    for row in rows {
        let mut line = String::new();
        for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
            let _ = match column {
                0 => write!(line, "{cell:width$}"),
                _ => write!(line, "  {cell:>width$}"),
            };
        }
        table.push_str(line.trim_end());
        table.push('\n');
    }
    table
}
