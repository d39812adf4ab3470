//! The built examples with a task of their own, killed twice and resumed: each must end with the bits
//! of a run that nothing has disturbed. And the unit tests inside them.

mod example;
mod results;
#[allow(dead_code)]
mod unit_tests;

use std::time::Duration;

use example::Example;
use results::{history, models};
use tempfile::TempDir;

/// When a process is killed: some time after it has printed the line of an epoch.
struct Kill {
    epoch: usize,
    later: Duration,
}

/// Kills a process after each of these epochs and so many milliseconds.
fn after<const N: usize>(moments: [(usize, u64); N]) -> [Kill; N] {
    moments.map(|(epoch, later)| Kill {
        epoch,
        later: Duration::from_millis(later),
    })
}

/// A run that was killed at each of the moments. A busy machine may be late, and the run be through: then another one
/// is killed sooner.
fn killed(example: &Example, kills: &[Kill; 2]) -> TempDir {
    for attempt in 1..=10 {
        let run = TempDir::new().unwrap();
        let is_killed = |kill: &Kill| {
            example.kill_after(run.path(), kill.epoch, kill.later / attempt)
                && !run.path().join("final.bpk").exists()
        };
        if kills.iter().all(is_killed) {
            return run;
        }
    }
    panic!("{} was through each time", example.name);
}

/// Runs the example undisturbed, and again with a SIGKILL at each of two moments; compares what they
/// led to.
fn assert_exact(example: &Example, kills: &[Kill; 2]) {
    let whole = TempDir::new().unwrap();
    let output = example.complete(whole.path(), &[]);
    assert_eq!(output.code, 0, "{output:?}");
    assert_eq!(output.epochs.first(), Some(&1), "{output:?}");
    let again = example.complete(whole.path(), &[]);
    assert_eq!(again.code, 2, "{again:?}");
    assert!(again.error.contains("holds a run already"), "{again:?}");

    let killed = killed(example, kills);
    let resumed = example.complete(killed.path(), &["--resume"]);
    assert_eq!(resumed.code, 0, "{resumed:?}");
    let first = *resumed.epochs.first().expect("an epoch");
    assert!(first > kills[0].epoch, "it began again: {resumed:?}");

    assert_eq!(history(killed.path()), history(whole.path()));
    for file in example.models {
        let [killed, whole] = [killed.path(), whole.path()].map(|run| models(&run.join(file)));
        assert!(!whole.is_empty());
        for (name, tensor) in &whole {
            assert!(killed[name] == *tensor, "{file}: {name} differs");
        }
        assert_eq!(killed.len(), whole.len(), "{file}");
    }
}

#[test]
fn cnn() {
    let example = Example {
        name: "cnn",
        arguments: "--samples 320 --epochs 6 --early-stop 6",
        models: &["final.bpk", "best.bpk"],
    };
    assert_exact(&example, &after([(1, 20), (3, 150)]));
}

#[test]
fn regression() {
    let example = Example {
        name: "regression",
        arguments: "--epochs 60",
        models: &["final.bpk", "best.bpk"],
    };
    assert_exact(&example, &after([(1, 3), (30, 11)]));
}

#[test]
fn language_model() {
    let example = Example {
        name: "language_model",
        arguments: "--samples 12000 --epochs 5",
        models: &["final.bpk", "best.bpk"],
    };
    assert_exact(&example, &after([(1, 300), (3, 40)]));
}

#[test]
fn lstm_loop() {
    let example = Example {
        name: "lstm_loop",
        arguments: "--samples 300 --epochs 8",
        models: &["final.bpk", "checkpoint/epoch-0008/model.bpk"],
    };
    assert_exact(&example, &after([(1, 5), (4, 60)]));
}

#[test]
fn two_optimizers() {
    let example = Example {
        name: "two_optimizers",
        arguments: "--samples 500 --epochs 6",
        models: &["final.bpk", "checkpoint/epoch-0006/discriminator.bpk"],
    };
    assert_exact(&example, &after([(1, 40), (4, 100)]));
}

#[test]
fn a_loop_leaves_the_runs_of_others_alone() {
    let directory = TempDir::new().unwrap();
    let cnn = Example {
        name: "cnn",
        arguments: "--samples 64 --epochs 1",
        models: &[],
    };
    assert_eq!(cnn.complete(directory.path(), &[]).code, 0);
    let parts = ["final.bpk", "history.json", "burn-lr.json"];
    let read = || parts.map(|file| std::fs::read(directory.path().join(file)).unwrap());
    let left = read();
    for name in ["lstm_loop", "two_optimizers"] {
        let example = Example {
            name,
            arguments: "--samples 300 --epochs 2",
            models: &[],
        };
        let refused = example.complete(directory.path(), &[]);
        assert_eq!(refused.code, 2, "{refused:?}");
        assert!(refused.error.contains("holds a run already"), "{refused:?}");
        let refused = example.complete(directory.path(), &["--resume"]);
        assert_eq!(refused.code, 2, "{refused:?}");
        assert!(refused.error.contains("of another example"), "{refused:?}");
        assert!(left == read());

        // Of its own, however damaged.
        let own = TempDir::new().unwrap();
        assert_eq!(example.complete(own.path(), &[]).code, 0);
        std::fs::remove_file(own.path().join("final.bpk")).unwrap();
        std::fs::remove_file(own.path().join("history.json")).unwrap();
        std::fs::remove_file(own.path().join("history.csv")).unwrap();
        for epoch in ["epoch-0001", "epoch-0002"] {
            let path = own.path().join("checkpoint").join(epoch);
            std::fs::write(path.join("manifest.json"), "{").unwrap();
        }
        let refused = example.complete(own.path(), &[]);
        assert!(refused.error.contains("holds a run already"), "{refused:?}");
        // Settings are named, and so is what cannot be written.
        let own = TempDir::new().unwrap();
        assert_eq!(example.complete(own.path(), &[]).code, 0);
        let changed = example.complete(own.path(), &["--resume", "--seed", "7"]);
        assert_eq!(changed.code, 2, "{changed:?}");
        assert!(
            changed.error.contains("seed was 42 and is 7 now"),
            "{changed:?}"
        );
        let file = own.path().join("final.bpk");
        let unwritable = example.complete(&file, &[]);
        assert!(unwritable.error.contains("final.bpk"), "{unwritable:?}");
    }
}
