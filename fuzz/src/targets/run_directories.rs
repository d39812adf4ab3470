//! The files of a run, one of them changed.

use std::path::PathBuf;

use burn_lr::tracking::RunPage;
use burn_lr::training::checkpoint::{
    CONFIG, CheckpointStore, HISTORY, MODEL, OPTIM, SCHEDULER, Snapshot,
};
use burn_lr::training::metrics::{EpochRecord, History};
use burn_lr::training::run::RunDirectory;
use tempfile::TempDir;

use super::{Target, scratch};

const CONFIGURATION: &str = r#"{"burn_lr": "0.1.0", "fixed": {"schedule": {"schedule": {"StepLr": {"initial_lr": 0.01,
    "step_size": 3, "gamma": 0.5}}, "clock": "per_epoch"}, "updates_per_epoch": 10, "optimizer": {"Adam": {}},
    "average": {"kind": {"running": {"ema": {"decay": 0.99}}}, "every": {"updates": 1}}, "seed": 42,
    "observed": "valid_loss", "settings": {"seed": 42}}, "free": {"epochs": 2}}"#;
const LAUNCHES: &str = r#"[{"at": "2026-11-26T12:30:00Z", "after_epoch": 0, "command": ["train", "--resume"],
    "burn_lr": "0.1.0", "platform": "linux x86_64", "threads": 2}, {"at": "2026-11-26T12:31:00Z", "after_epoch": 1,
    "after_update": 13, "command": ["train"], "burn_lr": "0.1.0", "platform": "linux x86_64", "threads": 2}]"#;
const PAGE: &str = r#"<html><script type="application/json" id="followed">{"begun": "2026-11-26T12:30:00Z", "starts": 2,
    "stopped": "Ctrl-C", "keep_every": 1, "updates": [{"update": 1, "epoch": 1, "metrics": {"loss": 0.5}}]}</script></html>"#;
const SUM: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  best.bpk\n";

/// A run's directory; the first byte of an input says which of its files the others are put in the place of.
pub struct RunDirectories {
    _directory: TempDir,
    run: RunDirectory,
    files: Vec<(PathBuf, Vec<u8>)>,
}

impl RunDirectories {
    pub fn new() -> Self {
        let directory = scratch();
        let run = RunDirectory::new(directory.path());
        let mut history = History::default();
        for epoch in [1, 2] {
            let mut record = EpochRecord::new(epoch);
            record.updates = 10 * epoch as u64;
            record.train.insert("loss".to_owned(), 0.5);
            record.valid.insert("loss".to_owned(), 0.25);
            history.epochs.push(record);
        }
        run.write_history(&history).unwrap();
        for (path, content) in [
            (run.config(), CONFIGURATION),
            (run.launches_json(), LAUNCHES),
            (run.page(), PAGE),
            (run.best_model(), "abc"),
            (run.path().join("best.bpk.sha256"), SUM),
        ] {
            std::fs::write(path, content).unwrap();
        }
        let store = CheckpointStore::open(
            run.checkpoints(),
            &[MODEL, OPTIM, SCHEDULER, HISTORY, CONFIG],
        )
        .unwrap();
        let part = |snapshot: Snapshot, name: &str, content: &str| {
            snapshot.bytes(name, content.as_bytes().to_vec())
        };
        let snapshot = [
            (MODEL, "model"),
            (OPTIM, "optim"),
            (SCHEDULER, "scheduler"),
            (HISTORY, "{}"),
            (CONFIG, CONFIGURATION),
        ]
        .into_iter()
        .try_fold(Snapshot::new(), |snapshot, (name, content)| {
            part(snapshot, name, content)
        });
        store.save(2, snapshot.unwrap()).unwrap();
        let checkpoint = run.checkpoints().join("epoch-0002");
        let paths = [
            run.config(),
            run.launches_json(),
            run.page(),
            run.history_json(),
            run.path().join("best.bpk.sha256"),
            checkpoint.join("manifest.json"),
            checkpoint.join(CONFIG),
        ];
        let files = paths.map(|path| {
            let content = std::fs::read(&path).unwrap();
            (path, content)
        });
        Self {
            _directory: directory,
            files: files.to_vec(),
            run,
        }
    }
}

impl Target for RunDirectories {
    fn corpus(&self) -> Vec<Vec<u8>> {
        let files = (0..).zip(&self.files);
        files
            .map(|(number, (_, content))| [&[number], &content[..]].concat())
            .collect()
    }

    fn run(&mut self, input: &[u8]) -> bool {
        let Some((&number, content)) = input.split_first() else {
            return false;
        };
        let (path, written) = &self.files[usize::from(number) % self.files.len()];
        std::fs::write(path, content).unwrap();
        let run = &self.run;
        let sound = run.verify().is_ok_and(|found| found.is_sound());
        let configured = run.configuration().is_ok() && run.settings().is_ok();
        let launched = run.launches().is_ok() && run.history().is_ok();
        let shown = RunPage::read(run.path()).is_ok_and(|page| page.to_html().contains("</html>"));
        assert_eq!(shown, configured && launched);
        std::fs::write(path, written).unwrap();
        sound && shown
    }

    /// A page of HTML.
    fn memory(&self, input: &[u8]) -> u64 {
        (1 << 24) + 10_000 * input.len() as u64
    }
}
