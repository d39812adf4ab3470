//! The learning-rate range test as a chart.

use burn_lr_plot::{Chart, Line, Mark};
use burn_lr_training::range_test::{LrPoint, LrSweep};

/// The losses of a range test over the learning rate with all suggestions marked, up to the greatest
/// smoothed loss before the last five.
///
/// ```
/// use burn_lr_experiment::sweep_chart;
/// use burn_lr_training::range_test::LrSweep;
///
/// fn show(sweep: &LrSweep) {
///     println!("{}", sweep_chart(sweep).terminal((80, 16)));
/// }
/// ```
pub fn sweep_chart(sweep: &LrSweep) -> Chart {
    let suggestions = [
        ("steepest", sweep.steepest()),
        ("valley", sweep.valley()),
        ("minimum / 10", sweep.minimum_over_ten()),
    ];
    let marks = suggestions
        .into_iter()
        .filter_map(|(name, lr)| Some(Mark::vertical(lr?, format!("{name} {:.1e}", lr?))));
    let chart = of_points(&sweep.points);
    let chart = if sweep.linear { chart } else { chart.log_x() };
    marks.fold(chart, Chart::mark)
}

fn of_points(points: &[LrPoint]) -> Chart {
    let finite = |value: &f64| value.is_finite();
    // The last points would leave no room for the others if the loss diverged.
    let shown = points.len().saturating_sub(5).max(1);
    let smoothed = points.iter().take(shown).map(|point| point.smoothed);
    let losses = points.iter().map(|point| point.loss);
    let low = losses.filter(finite).fold(f64::INFINITY, f64::min);
    let high = smoothed.filter(finite).fold(f64::NEG_INFINITY, f64::max);
    let room = 0.05 * (high - low);
    let line = |name, value: fn(&LrPoint) -> f64| {
        Line::new(name, points.iter().map(|point| (point.lr, value(point))))
    };
    Chart::new("Learning-rate range test")
        .x_label("learning rate")
        .y_label("loss")
        .y_range(low - room, high + room)
        .line(line("smoothed", |point| point.smoothed))
        .line(line("each batch", |point| point.loss).colour(5))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_sweep_can_be_drawn() {
        for losses in [&[][..], &[1.0], &[3.0, 1.0, f64::NAN], &[f64::INFINITY]] {
            let point = |(&loss, lr): (&f64, u8)| LrPoint::new(lr.into(), loss, loss);
            let points: Vec<LrPoint> = losses.iter().zip(1..).map(point).collect();
            let chart = of_points(&points).log_x();
            assert!(!chart.svg((640, 360)).unwrap().contains("NaN"));
            let text = chart.terminal((80, 12));
            assert!(text.starts_with("Learning-rate range test\n"), "{text}");
        }
    }
}
