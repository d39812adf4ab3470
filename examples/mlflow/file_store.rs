//! MLflow's file store: a directory for each run, with a file for each parameter, metric and tag.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use burn_lr::tracking::settings;
use burn_lr::training::TrainingError;
use burn_lr::training::metrics::EpochRecord;
use burn_lr::training::track::{RunStart, Tracker, TrackerError, UpdateRecord};
use serde_json::Value;

/// What MLflow calls the states of a run.
const RUNNING: u8 = 1;
const FINISHED: u8 = 3;
const FAILED: u8 = 4;

/// Writes a run into the default experiment of a file store, `mlruns` by MLflow's own default.
///
/// The run is known by its directory: resumed, it goes on where it was, without what was given up.
pub struct FileStore {
    store: PathBuf,
    /// The run's directory in the store.
    run: PathBuf,
    updates: u64,
}

impl FileStore {
    pub fn new(store: impl AsRef<Path>) -> Self {
        Self {
            store: store.as_ref().to_owned(),
            run: PathBuf::new(),
            updates: 0,
        }
    }

    fn add(&self, metric: &str, value: f64, step: u64) -> io::Result<()> {
        let path = self.run.join("metrics").join(metric);
        fs::create_dir_all(path.parent().unwrap_or(&self.run))?;
        let mut file = OpenOptions::new().create(true).append(true).open(path)?;
        // One line in one write: a kill leaves all of it or nothing.
        file.write_all(format!("{} {value} {step}\n", milliseconds()).as_bytes())
    }

    fn write_meta(&self, status: u8) -> io::Result<()> {
        let path = self.run.join("meta.yaml");
        let before = fs::read_to_string(&path).unwrap_or_default();
        let mut lines = before.lines();
        let begun = lines.find_map(|line| line.strip_prefix("start_time: "));
        let now = milliseconds().to_string();
        let (begun, end) = (
            begun.unwrap_or(&now),
            if status == RUNNING { "null" } else { &now },
        );
        let id = file_name(&self.run);
        let name = fs::read_to_string(self.run.join("tags/mlflow.runName"))?;
        let (uri, name) = (quoted(&uri(&self.run.join("artifacts"))), quoted(&name));
        let meta = format!(
            "artifact_uri: {uri}\nend_time: {end}\nentry_point_name: ''\nexperiment_id: '0'\n\
             lifecycle_stage: active\nrun_id: {id}\nrun_name: {name}\nsource_name: ''\nsource_type: 4\n\
             source_version: ''\nstart_time: {begun}\nstatus: {status}\ntags: []\nuser_id: ''\n"
        );
        fs::write(path, meta)
    }
}

impl Tracker for FileStore {
    fn begin(&mut self, run: &RunStart<'_>) -> Result<(), TrackerError> {
        let experiment = std::path::absolute(&self.store)?.join("0");
        let directory = std::path::absolute(run.directory)?;
        self.run = experiment.join(identity(&directory));
        self.updates = run.updates_before;
        for part in ["params", "metrics", "tags", "artifacts"] {
            fs::create_dir_all(self.run.join(part))?;
        }
        if !experiment.join("meta.yaml").exists() {
            let (now, uri) = (milliseconds(), quoted(&uri(&experiment)));
            let meta = format!(
                "artifact_location: {uri}\ncreation_time: {now}\nexperiment_id: '0'\n\
                 last_update_time: {now}\nlifecycle_stage: active\nname: Default\n"
            );
            fs::write(experiment.join("meta.yaml"), meta)?;
        }
        give_up(&self.run.join("metrics"), run.updates_before)?;
        for (name, value) in settings(&run.config["fixed"]) {
            // MLflow's limits: of the characters of a name, and of the length of a value.
            let allowed = |c: char| {
                if c.is_alphanumeric() || "._- ".contains(c) {
                    c
                } else {
                    '_'
                }
            };
            let name: String = name.chars().map(allowed).collect();
            let value = match value {
                Value::String(text) => text,
                other => other.to_string(),
            };
            let value: String = value.chars().take(6000).collect();
            fs::write(self.run.join("params").join(name), value)?;
        }
        let name = file_name(&directory);
        fs::write(self.run.join("tags/mlflow.runName"), name)?;
        Ok(self.write_meta(RUNNING)?)
    }

    fn update(&mut self, update: &UpdateRecord) -> Result<(), TrackerError> {
        for (name, &value) in &update.metrics {
            self.add(&format!("update/{name}"), value, update.update)?;
        }
        Ok(self.add("update/lr", update.lr, update.update)?)
    }

    fn epoch(&mut self, epoch: &EpochRecord) -> Result<(), TrackerError> {
        for (split, metrics) in [("train", &epoch.train), ("valid", &epoch.valid)] {
            for (name, &value) in metrics {
                self.add(&format!("{split}/{name}"), value, epoch.updates)?;
            }
        }
        Ok(self.add("lr", epoch.lr, epoch.updates)?)
    }

    fn end(&mut self, error: Option<&TrainingError>) -> Result<(), TrackerError> {
        Ok(self.write_meta(if error.is_none() { FINISHED } else { FAILED })?)
    }
}

/// Removes what the metrics below `directory` have of later steps.
fn give_up(directory: &Path, last: u64) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            give_up(&path, last)?;
            continue;
        }
        let lines = fs::read_to_string(&path)?;
        let step = |line: &&str| line.rsplit(' ').next()?.parse::<u64>().ok();
        let kept = lines
            .lines()
            .filter(|line| step(line).is_some_and(|step| step <= last));
        let kept: String = kept.map(|line| format!("{line}\n")).collect();
        fs::write(path, kept)?;
    }
    Ok(())
}

/// 32 hexadecimal digits by FNV-1a, for MLflow's identifier of the run in `directory`.
fn identity(directory: &Path) -> String {
    let fold = |hash: u128, byte: &u8| {
        (hash ^ u128::from(*byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b)
    };
    let bytes = directory.as_os_str().as_encoded_bytes();
    let hash = bytes
        .iter()
        .fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d, fold);
    format!("{hash:032x}")
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn uri(path: &Path) -> String {
    format!("file://{}", path.display())
}

/// A text of YAML.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn milliseconds() -> u128 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis())
}
