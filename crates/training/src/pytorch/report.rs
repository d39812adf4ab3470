//! How weights fit a model.

use std::fmt;

/// So many names are written out.
const SHOWN: usize = 5;

/// How the weights of a file fit a model.
///
/// Names of parameters are the model's, as in `fc1.weight`; [`unexpected`](Self::unexpected) ones are the
/// file's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WeightsReport {
    /// Parameters and buffers that have values of the file.
    pub loaded: Vec<String>,
    /// Those that the file does not have.
    pub missing: Vec<String>,
    /// What the file has, and the model does not. The `num_batches_tracked` of PyTorch's batch norms,
    /// which Burn's do not count, are not among them.
    pub unexpected: Vec<String>,
    /// Those that have another shape or kind of numbers in the file.
    pub mismatched: Vec<Mismatch>,
}

/// A parameter that is otherwise in the file than in the model.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mismatch {
    /// The parameter's name in the model.
    pub name: String,
    /// Kind and shape in the model, as in `float [784, 128]`.
    pub expected: String,
    /// Those of the file, with the axes in the model's order.
    pub found: String,
}

impl WeightsReport {
    /// Whether every parameter has a value, and every value a parameter.
    pub fn is_complete(&self) -> bool {
        self.missing.is_empty() && self.unexpected.is_empty() && self.mismatched.is_empty()
    }

    /// What all that is unexpected begins with, if it is else called as something that is missing:
    /// `module.`, as PyTorch's `DataParallel` adds it.
    fn prefix(&self) -> Option<&str> {
        let before = |missing: &String| {
            let suffix = format!(".{missing}");
            let mut names = self.unexpected.iter();
            let prefix = names.find_map(|name| name.strip_suffix(&suffix))?;
            self.unexpected[0].get(..=prefix.len())
        };
        let prefix = self.missing.iter().find_map(before)?;
        let all = self.unexpected.iter().all(|name| name.starts_with(prefix));
        all.then_some(prefix)
    }
}

impl fmt::Display for WeightsReport {
    /// In one line, with the first names of each kind.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} of {} parameters",
            self.loaded.len(),
            self.loaded.len() + self.missing.len() + self.mismatched.len()
        )?;
        let mismatched: Vec<String> = self.mismatched.iter().map(Mismatch::to_string).collect();
        let kinds = [
            ("missing", &self.missing),
            ("unexpected", &self.unexpected),
            ("of another shape", &mismatched),
        ];
        for (kind, names) in kinds.into_iter().filter(|(_, names)| !names.is_empty()) {
            let shown = names.len().min(SHOWN);
            write!(f, "; {} {kind}: {}", names.len(), names[..shown].join(", "))?;
            if names.len() > shown {
                write!(f, " and {} more", names.len() - shown)?;
            }
        }
        if let Some(prefix) = self.prefix() {
            write!(
                f,
                "; the names in the file begin with {prefix:?}: rename it to \"\""
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} (expected {}, found {})",
            self.name, self.expected, self.found
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_report_is_one_line() {
        let mut report = WeightsReport {
            loaded: names(&["fc1.weight"]),
            ..WeightsReport::default()
        };
        assert!(report.is_complete());
        assert_eq!(report.to_string(), "1 of 1 parameters");
        report.missing = names(&["a", "b", "c", "d", "e", "f", "g"]);
        report.mismatched = vec![Mismatch {
            name: "fc2.bias".to_owned(),
            expected: "float [10]".to_owned(),
            found: "float [5]".to_owned(),
        }];
        let expected = "1 of 9 parameters; 7 missing: a, b, c, d, e and 2 more; 1 of another shape: \
            fc2.bias (expected float [10], found float [5])";
        assert_eq!(report.to_string(), expected);
        assert!(!report.is_complete());
    }

    #[test]
    fn a_prefix_of_all_names_is_seen() {
        let mut report = WeightsReport {
            missing: names(&["fc1.weight", "fc1.bias"]),
            unexpected: names(&["module.fc1.bias", "module.fc1.weight"]),
            ..WeightsReport::default()
        };
        assert_eq!(report.prefix(), Some("module."));
        assert!(
            report
                .to_string()
                .ends_with("begin with \"module.\": rename it to \"\"")
        );
        report.missing.insert(0, "norm.gamma".to_owned());
        report.unexpected.insert(0, "module.norm.weight".to_owned());
        assert_eq!(report.prefix(), Some("module."));
        report.unexpected.push("other".to_owned());
        assert_eq!(report.prefix(), None);
    }
}
