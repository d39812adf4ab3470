//! Looks for a candidate that is good by the objective.

mod budget;
mod draw;
mod field;
mod found;
mod guide;
mod sampler;
mod space;

use burn::train::LearnerModel;
use burn_lr_training::Training;

pub use budget::Budget;
pub use draw::Draw;
pub use found::Found;
pub use sampler::Sampler;
pub use space::catalogue;

use crate::candidate::Candidate;
use crate::candidate::Setup;
use crate::error::{BaseError, ExperimentError};
use crate::run::{Checked, Experiment, cores};
pub(crate) use budget::ETA;
use budget::{MOST_TRIALS, RUNGS, width};
use field::Field;

/// How many candidates are drawn at random before others are drawn by their results.
const STARTUP: usize = 10;
const MOST_STARTUP: usize = 60;
/// The seeds of the search; those of the confirmation come after them.
const SEARCH_SEEDS: u64 = (ETA as u64).pow(RUNGS - 1);

/// A search for a candidate that is good by an experiment's objective.
///
/// It is successive halving (Jamieson and Talwalkar 2016, arXiv:1502.07943) whose resource is the
/// number of seeds: many candidates are trained under one seed, the best third under three, the best
/// ninth under nine. Epochs are no resource here, because a schedule over fewer epochs is another
/// schedule. The winner is then trained under fresh seeds, whose results played no part in choosing
/// it; report those.
///
/// The first rung is drawn at random, or [where earlier candidates](Sampler::Tpe) have come to good results.
///
/// Candidates are [ranked](crate::results::Results::ranked) after the last epoch.
pub struct Search<F, S> {
    experiment: Experiment<F>,
    space: S,
    seed: u64,
    budget: Budget,
    sampler: Sampler,
    /// The share of trials that none may be behind.
    kept: Option<f64>,
    confirmations: usize,
}

impl<F, S, M> Search<F, S>
where
    M: LearnerModel,
    F: Fn(&Setup) -> Result<(Training<M>, M), BaseError> + Sync,
    S: Fn(&mut Draw) -> Candidate,
{
    /// A search over what `space` draws, on the base and by the objective of `experiment`. Its own
    /// candidates are trained beside the winner under the fresh seeds, for comparison; its own seeds
    /// play no part. 60 trials by default.
    ///
    /// The names of the candidates that are drawn are numbered.
    pub fn new(experiment: Experiment<F>, space: S) -> Self {
        Self {
            experiment,
            space,
            seed: 1,
            budget: Budget::Trials(60),
            sampler: Sampler::Random,
            kept: None,
            confirmations: 5,
        }
    }

    /// Sets the seed of the candidates that are drawn, and the first seed they are trained under.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Sets what the search may cost.
    pub fn budget(mut self, budget: Budget) -> Self {
        self.budget = budget;
        self
    }

    /// Sets how the candidates are drawn; at random by default.
    pub fn sampler(mut self, sampler: Sampler) -> Self {
        self.sampler = sampler;
        self
    }

    /// Ends trials that are not among the best of complete ones at the same share of their epochs, from a tenth of
    /// it on. `kept`, between 0 and 1, is the share of these that are the best: 0.5 is the median rule (Golovin et al. 2017,
    /// Google Vizier); 0.33, what a rung keeps, costs less. Trials that were ended count as failed, with that reason, and
    /// against the budget like any other.
    ///
    /// In the first rung those are compared with whatever was complete before, which takes candidates that are drawn
    /// [by results](Sampler::Tpe). In the later ones the third that would be kept is trained first, under all seeds, and the
    /// others follow a seed at a time, each of them until a trial of it is behind these, at its end too. So fewer
    /// trials may be begun than the budget has.
    pub fn pruning(mut self, kept: f64) -> Self {
        self.kept = Some(kept);
        self
    }

    /// Sets under how many fresh seeds the winner is trained; 5 by default, at least 1.
    pub fn confirmations(mut self, seeds: usize) -> Self {
        self.confirmations = seeds.max(1);
        self
    }

    /// The experiment that is searched on, to test what was found.
    pub fn experiment(&self) -> &Experiment<F> {
        &self.experiment
    }

    /// Searches, and confirms the best candidate.
    ///
    /// A drawn candidate that only the base or its model can refuse, such as an optimizer that is not for
    /// the model's parameters, is not worth the others' time: its trial fails, and its error is in the
    /// results, as long as another one of the first candidates can be trained.
    ///
    /// # Errors
    /// As [`Experiment::run`], and [`ExperimentError::Invalid`] for a budget of no trials, for a share of
    /// [`pruning`](Self::pruning) that is not between 0 and 1, and for candidates that differ in a closure alone.
    /// Before the first trial, [`ExperimentError::Candidate`] for a schedule, an optimizer or a number of epochs that
    /// nothing can be trained with, of all candidates that may start, and for whatever is wrong with the experiment's own.
    ///
    /// A search that was interrupted goes on where it stopped when it is run again.
    pub fn run(&self) -> Result<Found, ExperimentError> {
        let needed = SEARCH_SEEDS.saturating_add(self.confirmations as u64);
        if self.seed.checked_add(needed).is_none() {
            return Err(ExperimentError::Invalid {
                name: "seed of the search",
                expected: "room for the seeds after it",
                found: self.seed.to_string(),
            });
        }
        if let Some(kept) = self.kept
            && !(kept > 0.0 && kept < 1.0)
        {
            return Err(ExperimentError::Invalid {
                name: "share of trials that are not pruned",
                expected: "a number between 0 and 1",
                found: kept.to_string(),
            });
        }
        let mut field = Field::new(&self.experiment, &self.space, self.seed);
        let most = self.most()?;
        field.draw(match self.sampler {
            Sampler::Random => most,
            Sampler::Tpe { .. } => most.min(most.div_ceil(3).clamp(STARTUP, MOST_STARTUP)),
        })?;
        let fresh = self.seed + SEARCH_SEEDS;
        field.check(fresh)?;

        let first_rung = match self.sampler {
            Sampler::Random => self.first_rung(&mut field)?,
            Sampler::Tpe { together } => self.guided_rung(&mut field, most, together.max(1))?,
        };
        let mut rung: Vec<usize> = (0..first_rung).collect();
        let (mut size, mut seeds) = (first_rung, 1);
        rung = field.ranked(&rung)?;
        for _ in 1..RUNGS {
            if rung.len() == 1 {
                break;
            }
            size = size.div_ceil(ETA);
            rung.truncate(size);
            seeds *= ETA;
            if let Budget::Time(time) = self.budget {
                let more = field.count_missing(&rung, seeds);
                if !field.spent().leaves_room(time, more) {
                    break;
                }
            }
            match self.kept {
                Some(kept) => field.race(&mut rung, seeds / ETA, seeds, kept)?,
                None => field.train(&rung, seeds)?,
            }
            rung = field.ranked(&rung)?;
        }

        let winner = field.candidates()[rung[0]].clone();
        let finalists = field.results(&rung)?;
        let trials = field.into_trials();
        let mut confirmed = vec![winner.clone()];
        confirmed.extend_from_slice(&self.experiment.candidates);
        let fresh = fresh..fresh + self.confirmations as u64;
        let plan: Vec<(usize, u64)> = fresh
            .flat_map(|seed| (0..confirmed.len()).map(move |number| (number, seed)))
            .collect();
        let (confirmation, _) = self
            .experiment
            .train(&confirmed, &plan, Checked::All, None)?;
        Ok(Found {
            confirmation: self.experiment.results(&confirmed, confirmation)?,
            candidate: winner,
            finalists,
            trials,
        })
    }

    /// How many candidates may start.
    fn most(&self) -> Result<usize, ExperimentError> {
        match self.budget {
            Budget::Trials(0) => Err(ExperimentError::Invalid {
                name: "budget",
                expected: "at least 1 trial",
                found: "0".to_owned(),
            }),
            Budget::Trials(trials) => Ok(width(trials)),
            Budget::Time(_) => Ok(width(MOST_TRIALS)),
        }
    }

    /// Draws and trains the first rung, of at most so many candidates, by what came of those before; gives how
    /// many it has.
    fn guided_rung(
        &self,
        field: &mut Field<'_, F, S>,
        mut most: usize,
        together: usize,
    ) -> Result<usize, ExperimentError> {
        loop {
            let drawn = field.candidates().len();
            let rung: Vec<usize> = (0..drawn).collect();
            match self.kept {
                Some(kept) => field.train_pruned(&rung, together, kept)?,
                None => field.train(&rung, 1)?,
            }
            if let Budget::Time(time) = self.budget {
                most = width(field.spent().trials_within(time)).min(most);
            }
            if drawn >= most {
                return Ok(drawn);
            }
            field.draw_guided(most.min(drawn + together))?;
            if field.candidates().len() == drawn {
                return Ok(drawn);
            }
        }
    }

    /// Trains the first rung, and gives how many of the candidates that were drawn it has.
    fn first_rung(&self, field: &mut Field<'_, F, S>) -> Result<usize, ExperimentError> {
        let drawn = field.candidates().len();
        // Two trials a job tell how long one takes, if they do not fail.
        let least = 2 * self.experiment.jobs.unwrap_or_else(cores).max(1);
        let (mut rung, mut fits) = match self.budget {
            Budget::Trials(_) => (0, drawn),
            Budget::Time(_) => (0, least.min(drawn)),
        };
        while rung < fits {
            rung = match self.budget {
                Budget::Trials(_) => fits,
                Budget::Time(_) => fits.min(rung + least.max(rung / 4)),
            };
            let first: Vec<usize> = (0..rung).collect();
            field.train(&first, 1)?;
            if let Budget::Time(time) = self.budget {
                fits = width(field.spent().trials_within(time)).min(drawn);
            }
        }
        Ok(rung)
    }
}
