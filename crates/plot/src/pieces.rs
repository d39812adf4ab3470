//! A line's parts that can be seen, in units of the drawing area.

use crate::Line;
use crate::axis::Axis;

/// A place in the drawing area: from 0 to 1, to the right and upwards.
pub(crate) type Place = (f64, f64);

/// The unbroken parts of the line.
///
/// A point without a place breaks the line; so does leaving the area, at its very edge.
pub(crate) fn pieces(line: &Line, x: &Axis, y: &Axis) -> Vec<Vec<Place>> {
    let mut pieces = Vec::new();
    let mut piece: Vec<Place> = Vec::new();
    let mut before: Option<Place> = None;
    for (px, py) in line.corners() {
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
    // The ends as they are, for the next step to begin where this one ends.
    let place = |share: f64| {
        if share == 0.0 {
            from
        } else if share == 1.0 {
            to
        } else {
            let height = (from.1 + share * rise).clamp(0.0, 1.0);
            (from.0 + share * (to.0 - from.0), height)
        }
    };
    (enter <= leave).then(|| (place(enter), place(leave)))
}

/// The piece with at most four points in each of `columns`: its first, lowest, highest and last.
pub(crate) fn thinned(piece: &[Place], columns: usize) -> Vec<Place> {
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

/// The piece without the points that a line through its others passes within `tolerance` pixels, in
/// an area of that many `pixels` to the right and upwards: Ramer's, Douglas' and Peucker's algorithm.
pub(crate) fn straightened(piece: &[Place], pixels: [f64; 2], tolerance: f64) -> Vec<Place> {
    let at = |index: usize| (piece[index].0 * pixels[0], piece[index].1 * pixels[1]);
    let mut kept = vec![false; piece.len()];
    let mut parts = Vec::from_iter(piece.len().checked_sub(1).map(|last| (0, last)));
    while let Some((first, last)) = parts.pop() {
        (kept[first], kept[last]) = (true, true);
        let (from, to) = (at(first), at(last));
        let far = (first + 1..last).map(|index| (index, distance(at(index), from, to)));
        if let Some((index, far)) = far.max_by(|a, b| a.1.total_cmp(&b.1))
            && far > tolerance
        {
            parts.extend([(first, index), (index, last)]);
        }
    }
    let places = piece.iter().zip(kept);
    places
        .filter_map(|(&place, kept)| kept.then_some(place))
        .collect()
}

/// How far `place` is from the straight line between two others.
fn distance(place: Place, from: Place, to: Place) -> f64 {
    let (x, y) = (to.0 - from.0, to.1 - from.1);
    let (px, py) = (place.0 - from.0, place.1 - from.1);
    let square = x * x + y * y;
    let share = if square > 0.0 {
        ((px * x + py * y) / square).clamp(0.0, 1.0)
    } else {
        0.0
    };
    (px - share * x).hypot(py - share * y)
}

/// The outlines of a line's band, one for each part where all of it has a place.
pub(crate) fn bands(line: &Line, x: &Axis, y: &Axis) -> Vec<Vec<Place>> {
    let sides: Vec<Option<(Place, Place)>> = line
        .points
        .iter()
        .zip(&line.band)
        .map(|(point, band)| {
            let at = x.at(point.0)?;
            let (low, high) = (y.at(band.0)?, y.at(band.1)?);
            Some(((at, low.clamp(0.0, 1.0)), (at, high.clamp(0.0, 1.0))))
        })
        .collect();
    sides
        .split(Option::is_none)
        .filter(|part| part.len() > 1)
        .map(|part| {
            let lower = part.iter().flatten().map(|side| side.0);
            let upper = part.iter().flatten().rev().map(|side| side.1);
            lower.chain(upper).collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut_up<const N: usize>(points: [(f64, f64); N]) -> Vec<Vec<Place>> {
        pieces(&Line::new("", points), &unit(), &unit())
    }

    fn unit() -> Axis {
        Axis::new(0.0, 1.0, false, 5)
    }

    #[test]
    fn lines_are_broken_by_nan_and_cut_at_the_edge() {
        let line = [(0.0, 0.5), (0.25, f64::NAN), (0.5, 0.5), (1.0, 1.5)];
        let parts = cut_up(line);
        assert_eq!(parts, [vec![(0.0, 0.5)], vec![(0.5, 0.5), (0.75, 1.0)]]);
    }

    #[test]
    fn a_line_through_the_area_is_seen_and_one_beside_it_is_not() {
        let through = [(0.0, -1.0), (1.0, 3.0), (1.0, 4.0), (0.5, 5.0)];
        let parts = cut_up(through);
        assert_eq!(parts, [vec![(0.25, 0.0), (0.5, 1.0)]]);
        assert!(cut_up([(0.0, 2.0), (1.0, 2.0)]).is_empty());
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

    #[test]
    fn a_line_keeps_the_corners_that_are_seen() {
        let straightened = |piece: &[Place]| straightened(piece, [100.0, 100.0], 0.1);
        let corner = [(0.0, 0.0), (0.4, 0.0), (0.5, 0.0), (0.5, 0.5), (0.5, 1.0)];
        assert_eq!(straightened(&corner), [corner[0], corner[2], corner[4]]);
        let flat = [(0.0, 0.5), (0.5, 0.5009), (1.0, 0.5)];
        assert_eq!(straightened(&flat), [flat[0], flat[2]]);
        // There and back again.
        let turn = [(0.0, 0.0), (1.0, 0.0), (0.0, 0.0)];
        assert_eq!(straightened(&turn), turn);
        for few in [&[][..], &[(0.1, 0.2)], &[(0.1, 0.2); 2]] {
            assert_eq!(straightened(few), few);
        }
    }
}
