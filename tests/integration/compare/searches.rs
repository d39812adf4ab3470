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

use super::{Base, base, constant, fitting, histories};

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
    for rung in [1, 2] {
        assert!(page.contains(&format!("<td>dropped after rung {rung} of 3</td>")));
    }
}

#[test]
fn a_report_says_what_became_of_each_candidate_those_that_were_ended_among_them() {
    let directory = TempDir::new().unwrap();
    let search = || {
        let experiment = Experiment::new(directory.path(), base).objective(fitting(0.5, 0.9));
        Search::new(experiment, catalogue(0.01, 1..=5))
            .sampler(Sampler::Tpe { together: 3 })
            .pruning(0.5)
            .budget(Budget::Trials(60))
            .confirmations(1)
            .run()
            .unwrap()
    };
    let found = search();
    let errors = |trials: &[(Candidate, Trial)]| -> Vec<String> {
        let errors = trials.iter().filter_map(|(_, trial)| trial.error());
        errors.map(str::to_owned).collect()
    };
    let ended = errors(&found.trials);
    assert!(!ended.is_empty());
    let page = Report::of_search(&found).to_html();
    assert!(page.contains(&format!("{} did not come to their end", ended.len())));
    for reason in &ended {
        assert!(reason.contains("behind the best 50 % of") && page.contains(reason));
    }
    for part in ["found", "in the last rung", "dropped after rung 1 of 3"] {
        assert!(page.contains(&format!("<td>{part}</td>")), "{part}");
    }
    // One that is ended in a later rung is not trained under the other seeds of it.
    let twice = found.trials.windows(3).filter(|trials| {
        let number = |place: usize| trials[place].1.candidate;
        number(0) == number(1) && number(1) != number(2) && trials[1].1.error().is_some()
    });
    assert!(twice.count() > 0 && found.trials.len() < 60);
    // Run again, it has the same.
    assert_eq!(errors(&search().trials), ended);
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
    // However long those took that were begun then, none was begun when the budget was spent: neither the last ones of
    // the first rung, two for each of two jobs or a quarter of those before, nor a later rung.
    let before = |seeds: u64, left_out: usize| -> f64 {
        let of_these = found.trials.iter().filter(|(_, trial)| trial.seed <= seeds);
        let seconds: Vec<f64> = of_these.map(seconds).collect();
        seconds[..seconds.len() - left_out].iter().sum()
    };
    let under = |seed: u64| {
        found
            .trials
            .iter()
            .filter(|(_, trial)| trial.seed == seed)
            .count()
    };
    let mut begun = vec![before(1, 4.max(under(1) / 4))];
    begun.extend((under(2) > 0).then(|| before(1, 0)));
    begun.extend((under(4) > 0).then(|| before(3, 0)));
    for spent in begun {
        assert!(spent / 2.0 <= BUDGET.as_secs_f64(), "{spent}");
    }
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

#[test]
fn settings_that_no_search_can_have_are_refused_before_anything_is_drawn() {
    let directory = TempDir::new().unwrap();
    type Set = Search<fn(&Setup) -> Base, fn(&mut Draw) -> Candidate>;
    let refused = |set: &dyn Fn(Set) -> Set| {
        let experiment = Experiment::new(directory.path(), base as fn(&Setup) -> Base);
        let space: fn(&mut Draw) -> Candidate = |_| unreachable!("nothing is drawn");
        let search = Search::new(experiment, space);
        set(search).run().unwrap_err().to_string()
    };
    assert_eq!(
        refused(&|search| search.budget(Budget::Trials(0))),
        "budget: expected at least 1 trial, got 0"
    );
    for kept in [0.0, 1.0, -0.5, f64::NAN, f64::INFINITY] {
        assert_eq!(
            refused(&|search| search.pruning(kept)),
            format!(
                "share of trials that are not pruned: expected a number between 0 and 1, got {kept}"
            )
        );
    }
    assert!(refused(&|search| search.seed(u64::MAX)).starts_with("seed of the search: "));
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}
