//! Searches.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use burn_lr::experiment::results::Results;
use burn_lr::experiment::search::{Budget, Draw, Search, catalogue};
use burn_lr::experiment::{Candidate, Experiment, Setup};
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
fn a_search_by_time_is_as_wide_when_it_is_run_again() {
    let directory = TempDir::new().unwrap();
    let trained = AtomicUsize::new(0);
    let base = |setup: &Setup| {
        trained.fetch_add(1, Ordering::Relaxed);
        base(setup)
    };
    let search = || {
        let experiment = Experiment::new(directory.path(), base).jobs(2);
        let found = Search::new(experiment, catalogue(0.01, 1..=2))
            .budget(Budget::Time(Duration::from_millis(1)))
            .confirmations(1)
            .run()
            .unwrap();
        assert_eq!(found.confirmation.trials().len(), 1);
        found.trials.len()
    };
    // The probes alone, for nothing else fits: now and when they are all there already.
    let [first, second] = [search(), search()];
    assert_eq!((first, second), (4, 4));
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
