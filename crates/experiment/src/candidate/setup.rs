//! What the base of an experiment is asked for.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::definition::Candidate;

/// What the base makes a training and a model for: a run directory, a seed, and the settings of a
/// candidate.
///
/// Schedule, epochs and optimizer are set by the experiment afterwards. A setting that the base does
/// not read is refused, so that a name that is spelled wrongly does not train the same thing twice.
#[derive(Debug)]
pub struct Setup {
    directory: PathBuf,
    seed: u64,
    candidate: Candidate,
    read: RefCell<BTreeSet<String>>,
}

/// A setting that the base cannot read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingError {
    /// The candidate does not have it.
    #[error("candidate {candidate:?} has no setting {name:?}; it has {known:?}")]
    Missing {
        /// The candidate.
        candidate: String,
        /// The setting.
        name: String,
        /// The settings that there are.
        known: Vec<String>,
    },
    /// It is not of the type that the base reads.
    #[error("candidate {candidate:?}, setting {name:?}: {source}, got {found}")]
    Type {
        /// The candidate.
        candidate: String,
        /// The setting, or `settings` for all of them.
        name: String,
        /// What was expected.
        source: serde_json::Error,
        /// The value.
        found: String,
    },
}

impl Setup {
    /// What an experiment asks for of that candidate under that seed, for a base to be tried alone.
    pub fn new(directory: impl AsRef<Path>, seed: u64, candidate: &Candidate) -> Self {
        Self {
            directory: directory.as_ref().to_owned(),
            seed,
            candidate: candidate.clone(),
            read: RefCell::new(BTreeSet::new()),
        }
    }

    /// The directory of the trial's run.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The seed of the trial: of the initial weights, of the order of the data and of whatever else
    /// is drawn.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The candidate's name.
    pub fn name(&self) -> &str {
        &self.candidate.name
    }

    /// The candidate's setting of that name.
    ///
    /// ```
    /// # use burn_lr_experiment::{SettingError, Setup};
    /// fn hidden_units(setup: &Setup) -> Result<usize, SettingError> {
    ///     setup.setting("hidden")
    /// }
    /// ```
    ///
    /// # Errors
    /// [`SettingError`] naming the candidate and the setting.
    pub fn setting<T: DeserializeOwned>(&self, name: &str) -> Result<T, SettingError> {
        self.find(name)?.ok_or_else(|| SettingError::Missing {
            candidate: self.name().to_owned(),
            name: name.to_owned(),
            known: self.candidate.settings.keys().cloned().collect(),
        })
    }

    /// The candidate's setting of that name, or `default` if it has none.
    ///
    /// # Errors
    /// [`SettingError::Type`] if it has one of another type.
    pub fn setting_or<T: DeserializeOwned>(
        &self,
        name: &str,
        default: T,
    ) -> Result<T, SettingError> {
        Ok(self.find(name)?.unwrap_or(default))
    }

    /// All settings of the candidate as one value, such as a struct that refuses unknown fields.
    ///
    /// # Errors
    /// [`SettingError::Type`] naming the candidate.
    pub fn settings<T: DeserializeOwned>(&self) -> Result<T, SettingError> {
        self.read
            .borrow_mut()
            .extend(self.candidate.settings.keys().cloned());
        self.typed("settings", &Value::Object(self.candidate.settings.clone()))
    }

    fn find<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, SettingError> {
        self.read.borrow_mut().insert(name.to_owned());
        let value = self.candidate.settings.get(name);
        value.map(|value| self.typed(name, value)).transpose()
    }

    fn typed<T: DeserializeOwned>(&self, name: &str, value: &Value) -> Result<T, SettingError> {
        serde_json::from_value(value.clone()).map_err(|source| SettingError::Type {
            candidate: self.name().to_owned(),
            name: name.to_owned(),
            source,
            found: value.to_string(),
        })
    }

    /// The names of settings that the base read, and the first one that it did not.
    pub(crate) fn unread(&self) -> Option<(String, Vec<String>)> {
        let read = self.read.borrow();
        let unread = self
            .candidate
            .settings
            .keys()
            .find(|name| !read.contains(*name))?;
        Some((unread.clone(), read.iter().cloned().collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setup(candidate: Candidate) -> Setup {
        Setup::new(Path::new("run"), 7, &candidate)
    }

    #[test]
    fn settings_have_the_type_that_is_asked_for() {
        let setup = setup(
            Candidate::new("a")
                .setting("hidden", 64)
                .setting("name", "x"),
        );
        assert_eq!(setup.setting::<usize>("hidden").unwrap(), 64);
        assert_eq!(setup.setting::<f64>("hidden").unwrap(), 64.0);
        assert_eq!(setup.setting_or("dropout", 0.5).unwrap(), 0.5);
        assert!(matches!(
            setup.setting::<f64>("dropout"),
            Err(SettingError::Missing { name, known, .. })
                if name == "dropout" && known == ["hidden", "name"]
        ));
        assert!(matches!(
            setup.setting_or::<usize>("name", 1),
            Err(SettingError::Type { found, .. }) if found == "\"x\""
        ));
    }

    #[test]
    fn what_is_not_read_is_known() {
        let candidate = || Candidate::new("a").setting("dropuot", 0.5);
        let wrong = setup(candidate());
        wrong.setting_or("dropout", 0.0).unwrap();
        let unread = ("dropuot".to_owned(), vec!["dropout".to_owned()]);
        assert_eq!(wrong.unread(), Some(unread));
        let all = setup(candidate());
        let _: Value = all.settings().unwrap();
        assert_eq!(all.unread(), None);
        assert_eq!(setup(Candidate::new("a")).unread(), None);
    }
}
