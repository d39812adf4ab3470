//! A line's parts that can be seen, in units of the drawing area.

use super::axis::Axis;

/// A place in the drawing area: from 0 to 1, to the right and upwards.
pub(super) type Place = (f64, f64);

/// The unbroken parts of the line through `points`.
///
/// A point without a place breaks the line; so does leaving the area, at its very edge.
pub(super) fn pieces(points: &[(f64, f64)], x: &Axis, y: &Axis) -> Vec<Vec<Place>> {
    let mut pieces = Vec::new();
    let mut piece: Vec<Place> = Vec::new();
    let mut before: Option<Place> = None;
    for &(px, py) in points {
        let place = x.at(px).zip(y.at(py));
        let step = match (before, place) {
            (_, None) => None,
            (None, Some(place)) => cut(place, place),
            (Some(before), Some(place)) => cut(before, place),
        };
        if step.is_none_or(|(start, _)| piece.last() != Some(&start)) {
            pieces.push(std::mem::take(&mut piece));
        }
        if let Some((start, end)) = step {
            if piece.is_empty() {
                piece.push(start);
            }
            if start != end {
                piece.push(end);
            }
        }
        before = place;
    }
    pieces.push(piece);
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

/// The places where a straight line is within the height of the area.
fn cut(from: Place, to: Place) -> Option<(Place, Place)> {
    let rise = to.1 - from.1;
    // The share of the way at which the line reaches a height.
    let at = |height: f64| (height - from.1) / rise;
    let inside = |place: Place| (-1e-9..=1.0 + 1e-9).contains(&place.1);
    if inside(from) && inside(to) {
        return Some((from, to));
    }
    if rise == 0.0 {
        return None;
    }
    let (low, high) = (at(0.0), at(1.0));
    let (enter, leave) = (low.min(high).max(0.0), low.max(high).min(1.0));
    let place = |share: f64| match share {
        0.0 => from,
        1.0 => to,
        _ => (
            from.0 + share * (to.0 - from.0),
            (from.1 + share * rise).clamp(0.0, 1.0),
        ),
    };
    (enter <= leave).then(|| (place(enter), place(leave)))
}

/// The piece with at most four points in each of `columns`: its first, lowest, highest and last.
pub(super) fn thinned(piece: &[Place], columns: usize) -> Vec<Place> {
    if piece.len() <= 4 * columns {
        return piece.to_vec();
    }
    let column = |place: &Place| (place.0 * columns as f64).floor();
    let mut thin: Vec<Place> = Vec::new();
    for group in piece.chunk_by(|a, b| column(a) == column(b)) {
        let by_height = |&a: &usize, &b: &usize| group[a].1.total_cmp(&group[b].1);
        let lowest = (0..group.len()).min_by(by_height).unwrap_or(0);
        let highest = (0..group.len()).max_by(by_height).unwrap_or(0);
        let mut kept = [0, lowest, highest, group.len() - 1];
        kept.sort_unstable();
        thin.extend(kept.map(|index| group[index]));
    }
    thin.dedup();
    thin
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit() -> Axis {
        Axis::new(0.0, 1.0, false, 5)
    }

    #[test]
    fn lines_are_broken_by_nan_and_cut_at_the_edge() {
        let line = [(0.0, 0.5), (0.25, f64::NAN), (0.5, 0.5), (1.0, 1.5)];
        let parts = pieces(&line, &unit(), &unit());
        assert_eq!(parts, [vec![(0.0, 0.5)], vec![(0.5, 0.5), (0.75, 1.0)]]);
    }

    #[test]
    fn a_line_through_the_area_is_seen_and_one_beside_it_is_not() {
        let through = [(0.0, -1.0), (1.0, 3.0), (1.0, 4.0), (0.5, 5.0)];
        let parts = pieces(&through, &unit(), &unit());
        assert_eq!(parts, [vec![(0.25, 0.0), (0.5, 1.0)]]);
        assert!(pieces(&[(0.0, 2.0), (1.0, 2.0)], &unit(), &unit()).is_empty());
    }

    #[test]
    fn a_spike_survives_thinning() {
        let mut line: Vec<Place> = (0..100_000).map(|i| (f64::from(i) / 1e5, 0.1)).collect();
        line[54_321].1 = 0.9;
        let thin = thinned(&line, 100);
        assert!(thin.len() <= 400);
        assert!(thin.contains(&(0.543_21, 0.9)));
        assert_eq!((thin[0], thin.last()), (line[0], line.last()));
    }
}
