//! A confusion matrix as a table.

use std::fmt;

use super::confusion_matrix::ConfusionMatrix;

/// An aligned table: a row for each target with its accuracy, and below the precision of each
/// class.
impl fmt::Display for ConfusionMatrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const CORNER: &str = "target \\ predicted";
        let largest = self.counts().iter().copied().max().unwrap_or(0);
        let last = self.classes().saturating_sub(1) as u64;
        // Precisions stand in the same columns as the counts, as bare percentages.
        let width = largest.max(last).to_string().len().max("100.0".len());
        let corner = CORNER.len();

        write!(f, "{CORNER}")?;
        for class in 0..self.classes() {
            write!(f, "  {class:>width$}")?;
        }
        writeln!(f, "  {:>8}", "accuracy")?;
        for target in 0..self.classes() {
            write!(f, "{target:>corner$}")?;
            for predicted in 0..self.classes() {
                write!(f, "  {:>width$}", self.count(target, predicted))?;
            }
            match self.recall(target) {
                Some(recall) => writeln!(f, "  {:>6.2} %", 100.0 * recall)?,
                None => writeln!(f, "  {:>8}", "-")?,
            }
        }
        write!(f, "{:>corner$}", "precision in %")?;
        for class in 0..self.classes() {
            match self.precision(class) {
                Some(precision) => write!(f, "  {:>width$.1}", 100.0 * precision)?,
                None => write!(f, "  {:>width$}", "-")?,
            }
        }
        writeln!(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix(rows: &[&[u64]]) -> ConfusionMatrix {
        let rows: Vec<Vec<u64>> = rows.iter().map(|row| row.to_vec()).collect();
        rows.try_into().unwrap()
    }

    #[test]
    fn the_table_is_aligned() {
        let table = matrix(&[&[980, 2, 0], &[1, 4, 0], &[0, 0, 0]]).to_string();
        assert_eq!(
            table,
            "target \\ predicted      0      1      2  accuracy\n\
             \u{20}                0    980      2      0   99.80 %\n\
             \u{20}                1      1      4      0   80.00 %\n\
             \u{20}                2      0      0      0         -\n\
             \u{20}   precision in %   99.9   66.7      -\n"
        );
    }
}
