//! Searches.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use burn_lr::experiment::results::{Results, Trial};
use burn_lr::experiment::search::{Budget, Draw, Sampler, Search, catalogue};
use burn_lr::experiment::{Candidate, Experiment, ExperimentError, Report, Setup};
use burn_lr::scheduler::LambdaLr;
use burn_lr::training::metrics::{train, valid};
use tempfile::TempDir;

use super::{base, constant, fitting, histories};

#[test]
fn a_search_finds_the_same_for_the_same_seed_and_confirms_it_afresh() {
    let search = |directory: &Path| {
        let experiment = Experiment::new(directory, base)
            .candidates([constant("baseline", 0.01, 4)])
            .objective(fitting(0.5, 0.9));
        Search::new(experiment, catalogue(0.01, 1..=4))
            .seed(5)
            .budget(Budget::Trials(21))
            .confirmations(2)
            .run()
            .unwrap()
    };
    let [first, second] = [TempDir::new().unwrap(), TempDir::new().unwrap()];
    let (found, again) = (search(first.path()), search(second.path()));
    assert_eq!(found.candidate, again.candidate);
    assert_eq!(
        histories(&found.confirmation),
        histories(&again.confirmation)
    );
    // 9 under a seed, 3 under three, the best under nine.
    assert_eq!(found.trials.len(), 9 + 6 + 6);
    let seeds = |results: &Results| results.summaries()[0].seeds.clone();
    assert_eq!(seeds(&found.finalists), (5..14).collect::<Vec<_>>());
    assert_eq!(seeds(&found.confirmation), [14, 15]);
    let figures = &found.finalists.summaries()[0].last;
    let [train, valid] = [train("accuracy"), valid("accuracy")].map(|key| figures.stat(&key).mean);
    assert!(train < 0.9 && valid >= 0.5, "{train} {valid}");
    let beside = &found.confirmation.summaries()[1];
    assert_eq!(
        (&*beside.candidate.name, beside.seeds.as_slice()),
        ("baseline", [14, 15].as_slice())
    );
    found.write().unwrap();
    let json = std::fs::read_to_string(first.path().join("search.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["found"]["name"], found.candidate.name);
    assert_eq!(json["trials"].as_array().unwrap().len(), found.trials.len());
    // The same search in the same directory has nothing left to train.
    assert_eq!(search(first.path()).candidate, found.candidate);
}

#[test]
fn a_search_by_results_finds_the_same_for_the_same_seed_however_many_trials_run_at_a_time() {
    let search = |directory: &Path, jobs: usize| {
        let experiment = Experiment::new(directory, base)
            .jobs(jobs)
            .objective(fitting(0.5, 0.9));
        Search::new(experiment, catalogue(0.01, 1..=3))
            .sampler(Sampler::Tpe { together: 3 })
            .budget(Budget::Trials(40))
            .confirmations(1)
            .run()
            .unwrap()
    };
    let [first, second] = [TempDir::new().unwrap(), TempDir::new().unwrap()];
    let (found, again) = (search(first.path(), 2), search(second.path(), 1));
    let names = |trials: &[(Candidate, Trial)]| -> Vec<String> {
        trials
            .iter()
            .map(|(candidate, _)| candidate.name.clone())
            .collect()
    };
    assert_eq!(names(&found.trials), names(&again.trials));
    assert_eq!(found.candidate, again.candidate);
    let resumed = search(first.path(), 2);
    assert_eq!(names(&resumed.trials), names(&found.trials));

    let page = Report::of_search(&found).to_html();
    let candidates = found.trials.iter().map(|(_, trial)| trial.candidate);
    let candidates = std::collections::BTreeSet::from_iter(candidates).len();
    assert!(page.contains(&format!(
        "{candidates} candidates in {} trials",
        found.trials.len()
    )));
    assert!(page.contains("valid_accuracy over epochs"));
}

#[test]
fn a_search_by_time_finds_the_same_when_it_is_run_again() {
    const BUDGET: Duration = Duration::from_millis(1500);
    let directory = TempDir::new().unwrap();
    let (made, trained) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
    // To make the base takes longer than to train.
    let base = |setup: &Setup| {
        made.fetch_add(1, Ordering::Relaxed);
        std::thread::sleep(Duration::from_millis(60));
        let (training, model) = base(setup)?;
        let trained = trained.clone();
        let count = move |burns| {
            trained.fetch_add(1, Ordering::Relaxed);
            burns
        };
        Ok((training.configure(count), model))
    };
    let search = || {
        let experiment = Experiment::new(directory.path(), base).jobs(2);
        Search::new(experiment, catalogue(0.01, 1..=1))
            .budget(Budget::Time(BUDGET))
            .confirmations(1)
            .run()
            .unwrap()
    };
    let found = search();
    let trials = found.trials.len();
    let seconds = |(_, trial): &(Candidate, Trial)| trial.whole_seconds;
    let spent: f64 = found.trials.iter().map(seconds).sum();
    assert!(found.trials.iter().all(|trial| seconds(trial) >= 0.06));
    // Two at a time, two of which at least are there to tell how long one takes.
    assert!(
        trials == 4 || spent / 2.0 < 2.0 * BUDGET.as_secs_f64(),
        "{spent}"
    );
    // One for each trial, those of the confirmation among them, and one for each time that trials begin.
    let bases = made.swap(0, Ordering::Relaxed);
    assert!((trials..=trials + 10).contains(&bases), "{bases} {trials}");
    assert_eq!(trained.swap(0, Ordering::Relaxed), trials + 1);
    let again = search();
    assert_eq!(again.candidate, found.candidate);
    assert_eq!(again.trials.len(), trials);
    assert_eq!(again.trials.iter().map(seconds).sum::<f64>(), spent);
    assert_eq!(trained.load(Ordering::Relaxed), 0);
}

#[test]
fn closures_that_cannot_be_told_apart_are_refused() {
    let directory = TempDir::new().unwrap();
    let run = |space: &dyn Fn(&mut Draw) -> Candidate| {
        Search::new(Experiment::new(directory.path(), base), space)
            .budget(Budget::Trials(12))
            .confirmations(1)
            .run()
    };
    let refused = run(&|draw| {
        let decay = draw.uniform(0.5, 1.0);
        let schedule = LambdaLr::new(0.01, move |epoch| decay.powi(epoch as i32));
        Candidate::new("lambda")
            .epochs(1)
            .schedule(schedule.per_epoch())
    });
    assert!(
        matches!(
            &refused,
            Err(ExperimentError::Invalid { name: "space of the search", found, .. })
                if found.contains("lambda")
        ),
        "{refused:?}"
    );
    // Clones of one closure are one candidate.
    let schedule = LambdaLr::new(0.01, |_| 1.0);
    let found = run(&|_| {
        let schedule = schedule.clone().per_epoch();
        Candidate::new("lambda").epochs(1).schedule(schedule)
    });
    assert_eq!(found.unwrap().trials.len(), 1);
}

#[test]
fn a_small_space_is_searched_to_its_end() {
    let directory = TempDir::new().unwrap();
    let space = |draw: &mut Draw| {
        let hidden = draw.integer(2..=3);
        Candidate::new(format!("{hidden} units")).setting("hidden", hidden)
    };
    let found = Search::new(Experiment::new(directory.path(), base), space)
        .budget(Budget::Trials(30))
        .confirmations(1)
        .run()
        .unwrap();
    let mut drawn: Vec<&str> = found
        .trials
        .iter()
        .map(|(candidate, _)| &*candidate.name)
        .collect();
    drawn.sort_unstable();
    drawn.dedup();
    assert_eq!(drawn.len(), 2, "{drawn:?}");
}
