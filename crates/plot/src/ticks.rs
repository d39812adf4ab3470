//! The round numbers beside an axis.

/// A number beside an axis.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tick {
    /// Where it is, from 0 at the start of the axis to 1 at its end.
    pub at: f64,
    pub text: String,
}

/// Powers of ten, and between them 2 and 5 times these where there is room: their logarithms to base
/// 10 from about `from` to about `to`, and their texts.
pub(crate) fn powers(from: f64, to: f64, at_most: usize) -> Vec<(f64, String)> {
    let decades = to - from;
    let step = (decades / at_most as f64).ceil().max(1.0) as i32;
    let factors: &[f64] = if decades < 2.0 {
        &[1.0, 2.0, 5.0]
    } else {
        &[1.0]
    };
    // Logarithms of finite numbers are within -324..=309.
    let exponents = from.floor() as i32..=to.ceil() as i32;
    exponents
        .filter(|exponent| exponent % step == 0)
        .flat_map(|exponent| factors.iter().map(move |&factor| (factor, exponent)))
        .map(|(factor, exponent)| {
            let place = factor.log10() + f64::from(exponent);
            (place, power(factor, exponent))
        })
        .collect()
}

/// The multiples of a round number of at least `least_unit` from about `low` to about `high`, and
/// their texts.
pub(crate) fn multiples(
    low: f64,
    high: f64,
    at_most: usize,
    least_unit: f64,
) -> Vec<(f64, String)> {
    let unit = unit(high - low, at_most).max(least_unit);
    let first = (low / unit - 1e-9).ceil();
    let largest = low.abs().max(high.abs());
    (0..=2 * at_most)
        .map(|i| (first + i as f64) * unit)
        .map(|value| (value, number(value, unit, largest)))
        .collect()
}

/// 1, 2 or 5 times a power of ten, so that at most about `ticks` of it fill `length`.
pub(crate) fn unit(length: f64, ticks: usize) -> f64 {
    let rough = length / ticks as f64;
    let exponent = rough.log10().floor();
    let magnitude = 10f64.powi(exponent as i32);
    let factors = [1.0, 2.0, 5.0].into_iter();
    let factor = factors.filter(|&factor| rough / magnitude <= factor);
    factor.fold(10.0, f64::min) * magnitude
}

/// A multiple of `unit` on an axis whose largest number is `largest`.
fn number(value: f64, unit: f64, largest: f64) -> String {
    // Rounding errors leave a little where 0 is meant.
    if value.abs() < unit * 1e-6 {
        return "0".to_owned();
    }
    let digits = |of: f64| of.log10().floor() as i32;
    let last = digits(unit * (1.0 + 1e-9));
    if (1e-3..1e6).contains(&largest) {
        return format!("{value:.*}", usize::try_from(-last).unwrap_or(0));
    }
    let decimals = digits(value.abs() * (1.0 + 1e-9)) - last;
    format!("{value:.*e}", usize::try_from(decimals).unwrap_or(0))
}

/// `factor * 10^exponent`.
fn power(factor: f64, exponent: i32) -> String {
    match exponent {
        -3..=4 => {
            let decimals = usize::try_from(-exponent).unwrap_or(0);
            format!("{:.decimals$}", factor * 10f64.powi(exponent))
        }
        _ => format!("{factor}e{exponent}"),
    }
}
