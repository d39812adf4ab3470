//! What goes by the records of a run, whatever those are of: averages, plateaus and patience.

use std::path::{Path, PathBuf};

use burn_lr::scheduler::ThresholdMode;
use burn_lr::training::TrainingError;
use burn_lr::training::average::Average;
use burn_lr::training::checkpoint::KeepPolicy;
use burn_lr::training::metrics::{EarlyStopping, History};
use burn_lr::training::run::Branch;
use tempfile::TempDir;

use super::branch_lengths::{assert_resumes, kept, updates};
use super::branches::plateau;
use super::net::{Net, run, stopped, values};

#[test]
fn an_average_begins_by_the_records_that_a_branch_has() {
    let root = TempDir::new().unwrap();
    let parent = root.path().join("parent");
    let in_updates = kept(&parent).max_updates(7).every(3);
    in_updates.fit(Net::new(1)).unwrap();
    // Of the records 3, 6, 7, 10, 15 and 20, the last one alone.
    let swa = |left_out| {
        let path = root.path().join("branch");
        let training = kept(&path).average(Average::swa().after_epochs(left_out));
        training.branch(Branch::newest(&parent))
    };
    let refused = swa(6).check(&Net::new(1));
    assert!(
        matches!(&refused, Err(TrainingError::Average(_))),
        "{refused:?}"
    );
    stopped(swa(5), 5, Net::new(2));
    let unsaid = kept(&root.path().join("branch")).average(Average::swa().after_epochs(5));
    let trained = unsaid.fit(Net::new(3)).unwrap();
    assert_eq!(
        trained.average.as_ref().map(values),
        Some(values(&trained.model))
    );
    assert_eq!(trained.history.epochs.len(), 6);
}

#[test]
fn plateaus_go_on_by_the_records_whatever_those_are() {
    let root = TempDir::new().unwrap();
    // Cuts after every record but the first.
    let cutting = |path: &Path| {
        let plateau = plateau().with_threshold(0.999, ThresholdMode::Rel);
        kept(path).schedule(plateau.per_epoch())
    };
    let rates = |history: &History| -> Vec<f64> {
        let rates = history.epochs.iter().map(|record| record.next_lr / 0.05);
        rates.collect()
    };
    let parent = root.path().join("epochs");
    cutting(&parent).epochs(2).fit(Net::new(1)).unwrap();
    let in_updates = |path: PathBuf| {
        let training = cutting(&path).max_updates(17).every(3);
        training.branch(Branch::newest(&parent))
    };
    let (_, _, history) = assert_resumes(root.path(), "updates", 2, &in_updates);
    let halved: Vec<f64> = (0..5).map(|cuts| 0.5_f64.powi(cuts)).collect();
    assert_eq!(rates(&history), halved);
    let parent = root.path().join("updates");
    let epochs = |path: PathBuf| cutting(&path).epochs(5).branch(Branch::newest(&parent));
    let (_, _, history) = assert_resumes(root.path(), "back", 5, &epochs);
    let halved: Vec<f64> = (0..7).map(|cuts| 0.5_f64.powi(cuts)).collect();
    assert_eq!(rates(&history), halved);
    assert_eq!(updates(&history)[4..], [17, 20, 25]);
}

#[test]
fn patience_counts_what_comes_after_the_branch() {
    let root = TempDir::new().unwrap();
    let [parent, path] = ["parent", "branch"].map(|name| root.path().join(name));
    let of = |path: &Path| {
        // So high a rate that it soon gets worse.
        let training = run(path).schedule(3.0).keep(KeepPolicy::all());
        training.early_stopping(EarlyStopping::new(2))
    };
    let parents = of(&parent).epochs(20).fit(Net::new(1)).unwrap().history;
    let begun = parents.epochs.len();
    assert!(begun < 20);
    let branch = of(&path)
        .max_updates(500)
        .every(3)
        .branch(Branch::newest(&parent));
    let history = branch.fit(Net::new(2)).unwrap().history;
    assert!(history.epochs.len() >= begun + 2);
}
