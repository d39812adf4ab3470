//! Runs among the directories of many.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::directory::RunDirectory;

impl RunDirectory {
    /// The runs directly in `directory`, by name: the directories with a configuration. None if it
    /// cannot be read.
    pub fn all_in(directory: impl AsRef<Path>) -> Vec<Self> {
        let entries = fs::read_dir(directory).into_iter().flatten().flatten();
        let runs = entries.map(|entry| Self::new(entry.path()));
        let mut runs: Vec<Self> = runs.filter(|run| run.config().is_file()).collect();
        runs.sort_unstable_by(|a, b| a.path().cmp(b.path()));
        runs
    }

    /// The one of `runs` whose `file` was written last, with that file: the last one if several
    /// were. Runs for which `file` is none are passed over, and a time that cannot be read counts as
    /// the oldest.
    ///
    /// ```
    /// use burn_lr_training::run::RunDirectory;
    ///
    /// let runs = RunDirectory::all_in("artifacts");
    /// let newest = RunDirectory::newest(runs, |run| {
    ///     let model = run.best_model();
    ///     model.is_file().then_some(model)
    /// });
    /// # assert!(newest.is_none());
    /// ```
    pub fn newest(
        runs: impl IntoIterator<Item = Self>,
        file: impl Fn(&Self) -> Option<PathBuf>,
    ) -> Option<(Self, PathBuf)> {
        let files = runs
            .into_iter()
            .filter_map(|run| file(&run).map(|file| (run, file)));
        files.max_by_key(|(_, file)| {
            let written = fs::metadata(file).and_then(|metadata| metadata.modified());
            written.unwrap_or(SystemTime::UNIX_EPOCH)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tempfile::TempDir;

    use super::*;

    /// Writes `name` in the run `run`, so many seconds after the epoch.
    fn write(directory: &TempDir, run: &str, name: &str, seconds: u64) {
        let run = directory.path().join(run);
        fs::create_dir_all(&run).unwrap();
        let file = fs::File::create(run.join(name)).unwrap();
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        file.set_modified(time).unwrap();
    }

    fn names(runs: &[RunDirectory]) -> Vec<&str> {
        let names = runs.iter().map(|run| run.path().file_name().unwrap());
        names.map(|name| name.to_str().unwrap()).collect()
    }

    #[test]
    fn directories_with_a_configuration_are_runs() {
        let directory = TempDir::new().unwrap();
        assert!(RunDirectory::all_in(directory.path()).is_empty());
        assert!(RunDirectory::all_in(directory.path().join("nowhere")).is_empty());
        write(&directory, "b", "burn-lr.json", 1);
        write(&directory, "a", "burn-lr.json", 2);
        write(&directory, "c", "final.bpk", 3);
        write(&directory, "d/inside", "burn-lr.json", 4);
        fs::create_dir_all(directory.path().join("e/burn-lr.json")).unwrap();
        fs::write(directory.path().join("burn-lr.json"), "").unwrap();
        assert!(RunDirectory::all_in(directory.path().join("burn-lr.json")).is_empty());
        assert_eq!(names(&RunDirectory::all_in(directory.path())), ["a", "b"]);
    }

    #[test]
    fn the_newest_run_is_the_one_whose_file_was_written_last() {
        let directory = TempDir::new().unwrap();
        let newest = |file: fn(&RunDirectory) -> PathBuf| {
            let runs = RunDirectory::all_in(directory.path());
            let found = RunDirectory::newest(runs, |run| {
                let file = file(run);
                file.is_file().then_some(file)
            });
            found.map(|(run, file)| (names(&[run])[0].to_owned(), file))
        };
        assert_eq!(newest(RunDirectory::final_model), None);
        for (run, seconds) in [("a", 5), ("b", 7), ("c", 6)] {
            write(&directory, run, "burn-lr.json", 10 - seconds);
            write(&directory, run, "final.bpk", seconds);
        }
        write(&directory, "a", "best.bpk", 1);
        write(&directory, "d", "burn-lr.json", 20);
        let path = |place: &str| directory.path().join(place);
        let found = |run: &str, place: &str| Some((run.to_owned(), path(place)));
        assert_eq!(newest(RunDirectory::final_model), found("b", "b/final.bpk"));
        assert_eq!(newest(RunDirectory::best_model), found("a", "a/best.bpk"));
        assert_eq!(newest(RunDirectory::config), found("d", "d/burn-lr.json"));
        write(&directory, "c", "final.bpk", 7);
        assert_eq!(newest(RunDirectory::final_model), found("c", "c/final.bpk"));
    }
}
