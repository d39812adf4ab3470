//! Learning rates as a chart and as comma-separated values.

use std::io::{self, Write};

use burn_lr_plot::{Chart, Line};

/// One schedule's learning rates.
pub struct Rates {
    /// What the legend calls it.
    pub label: String,
    /// The learning rate of every step, from step 0 on.
    pub lrs: Vec<f64>,
}

/// The rates over steps. Each holds until the next one.
pub fn chart(lines: &[Rates], x_label: &str) -> Chart {
    let chart = Chart::new("")
        .x_label(x_label)
        .whole_x()
        .y_label("lr")
        .y_include(0.0);
    lines.iter().map(line).fold(chart, Chart::line)
}

fn line(Rates { label, lrs }: &Rates) -> Line {
    let first = lrs.first().copied().unwrap_or(0.0);
    let last = lrs.last().copied().unwrap_or(0.0);
    let highest = lrs.iter().copied().fold(0.0, f64::max);
    let ends = lrs.iter().copied().chain([last]).enumerate();
    Line::new(label, ends.map(|(step, lr)| (step as f64, lr)))
        .held()
        .note(format!(
            "first {first:?}, highest {highest:?}, last {last:?}"
        ))
}

/// A header and a row per step. Rates are written as Rust reads them back to the bit.
pub fn write_csv(out: &mut impl Write, lines: &[Rates]) -> io::Result<()> {
    let write = || -> Result<(), csv::Error> {
        let mut csv = csv::Writer::from_writer(out);
        let labels = lines.iter().map(|line| &*line.label);
        let one = ["lr"].into_iter().filter(|_| lines.len() == 1);
        let several = labels.filter(|_| lines.len() > 1);
        csv.write_record(["step"].into_iter().chain(one).chain(several))?;
        let steps = lines.iter().map(|line| line.lrs.len()).max().unwrap_or(0);
        for step in 0..steps {
            let rates = lines.iter().map(|line| format!("{:?}", line.lrs[step]));
            csv.write_record([step.to_string()].into_iter().chain(rates))?;
        }
        Ok(csv.flush()?)
    };
    write().map_err(|error| match error.into_kind() {
        // Its kind tells a reader that has gone from a disk that is full.
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_length_and_rate_can_be_drawn() {
        for lrs in [
            vec![],
            vec![0.0],
            vec![f64::MAX, 0.0, 1e-320],
            vec![1e-7; 10_000],
            (0..10_000).map(f64::from).collect(),
        ] {
            let label = "<a & b>".to_owned();
            let chart = chart(&[Rates { label, lrs }], "step");
            assert_eq!(chart.terminal((40, 5)).lines().count(), 1 + 5 + 3 + 1);
            let picture = chart.svg_file((640, 320)).unwrap();
            assert!(picture.contains("&lt;a &amp; b&gt;") && !picture.contains("NaN"));
        }
    }

    #[test]
    fn rates_hold_until_the_next_step() {
        let rates = |label: &str, lrs: &[f64]| Rates {
            label: label.to_owned(),
            lrs: lrs.to_vec(),
        };
        let text = chart(&[rates("falling", &[1.0, 0.5])], "step").terminal((24, 4));
        assert!(text.ends_with("━━ falling  first 1.0, highest 1.0, last 0.5\n"));
        assert!(text.contains("1.0 ┤⠉⠉⠉⠉⠉⠉⠉⠉⠉⢹\n"), "{text}");
        let two = chart(
            &[rates("falling", &[1.0, 0.5]), rates("flat", &[0.0; 2])],
            "step",
        );
        let text = two.terminal((40, 5));
        assert!(text.contains("** falling  first 1.0, highest 1.0, last 0.5"));
        assert!(text.contains("oo flat     first 0.0"));
    }
}
