//! The page, as text.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use crate::cases::{Case, Library, Outcome, TOLERANCE};

const HEAD: &str = "\
# Fidelity

How true the [migration table](migration.md) is. Configurations of other libraries' schedulers are drawn at
random from what a library accepts, edges included, translated as the table says, and compared with the
rates that the library's own code gives in float64: at eleven steps, the first ones, some around its
boundaries, in between and past the end, or at all that a shorter one has; of a plateau after every one of 40
metrics. Another seed draws others.

- **Equal**: at every step, within a relative difference of 1e-12. Rates below a thousandth of the highest, compared or at
  a boundary, are held to 1e-15 of that: rounding errors of `1 - p`, and of a ramp that is counted from its end, as
  optax's, do not shrink with them.
- **Refused**: the library accepts it; building our document for it is an error, which names the parameter that
  is said below. The test fails if the document is accepted, or if the error is about anything else.
- **Departs**: both accept it and the rates differ, for the reason said below. It is stored what ours are then; the
  test fails if they are others, or no longer differ.
- **None**: no counterpart, so that there is no document to write and nothing is compared.

The values and the program that draws them are in
[`crates/scheduler/tests/golden/fidelity`](../../../crates/scheduler/tests/golden/fidelity/__main__.py). This page
is written by `cargo run --example fidelity`; differences are rounded up to a power of ten, from 1e-14.
At its end is [the training step](#the-training-step), beside PyTorch's.
";

#[derive(Default)]
struct Row {
    cases: usize,
    equal: usize,
    refused: usize,
    departs: usize,
    none: usize,
    worst: f64,
}

impl Row {
    fn add(&mut self, case: &Case) {
        self.cases += 1;
        match case.compare() {
            Outcome::Equal(worst) => {
                self.equal += 1;
                self.worst = self.worst.max(worst);
            }
            Outcome::Refused => self.refused += 1,
            Outcome::Departs => self.departs += 1,
            Outcome::NoCounterpart => self.none += 1,
            Outcome::Differs(_) => {}
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            cases,
            equal,
            refused,
            departs,
            none,
            worst,
        } = self;
        let differ = cases - equal - refused - departs - none;
        let worst = match (equal, worst) {
            (0, _) => String::new(),
            // Rounded up: the last digits depend on the platform's sine and logarithm.
            (_, worst) => format!("{:.0e}", 10_f64.powf(worst.max(1e-14).log10().ceil())),
        };
        write!(
            f,
            "{cases} | {equal} | {refused} | {departs} | {none} | {differ} | {worst} |"
        )
    }
}

const COLUMNS: &str = "cases | equal | refused | departs | none | differ | worst difference |";
const RULE: &str = "--:|--:|--:|--:|--:|--:|--:|";

pub fn page(libraries: &[Library], training_step: &str) -> Result<String, fmt::Error> {
    let mut page = HEAD.to_owned();
    write!(page, "\n| library | version | {COLUMNS}\n|---|---|{RULE}\n")?;
    for library in libraries {
        let mut row = Row::default();
        library.cases.iter().for_each(|case| row.add(case));
        let name = &library.library;
        writeln!(page, "| [{name}](#{name}) | {} | {row}", library.version)?;
    }
    for library in libraries {
        section(&mut page, library)?;
    }
    write!(page, "\n{training_step}")?;
    Ok(page)
}

fn section(page: &mut String, library: &Library) -> fmt::Result {
    let Library {
        library: name,
        version,
        source,
        seed,
        cases,
    } = library;
    let source = if version.is_empty() {
        source.clone()
    } else {
        format!("Version {version}; {source}")
    };
    write!(page, "\n## {name}\n\n{source}. Seed {seed}.\n")?;
    write!(page, "\n| scheduler | {COLUMNS}\n|---|{RULE}\n")?;
    let mut rows: BTreeMap<&str, Row> = BTreeMap::new();
    let mut reasons: BTreeMap<(&str, (&str, &str, &str)), usize> = BTreeMap::new();
    for case in cases {
        rows.entry(&case.scheduler).or_default().add(case);
        if let Some(reason) = case.reason() {
            *reasons.entry((&case.scheduler, reason)).or_default() += 1;
        }
    }
    for (scheduler, row) in rows {
        writeln!(page, "| `{scheduler}` | {row}")?;
    }
    if !reasons.is_empty() {
        page.push('\n');
    }
    for ((scheduler, (kind, parameter, reason)), count) in reasons {
        write!(page, "- `{scheduler}`, {count} {kind}")?;
        if !parameter.is_empty() {
            write!(page, " at `{parameter}`")?;
        }
        writeln!(page, ": {reason}")?;
    }
    const { assert!(TOLERANCE == 1e-12, "the page says so") };
    Ok(())
}
