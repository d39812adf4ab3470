//! Draws by weight.

/// Weights in a tree of sums, from which an index is drawn in logarithmic time.
///
/// Every inner node is the sum of the two below it, taken anew when one of them changes: nothing is
/// subtracted, so that the sum of what was drawn is exactly 0. Only additions, subtractions and
/// comparisons are made, which have the same bits on every machine; logarithms, by which one could
/// draw without replacement in one pass, have not.
#[derive(Clone)]
pub(super) struct WeightTree {
    /// The root at 1, the children of `i` at `2 * i` and `2 * i + 1`, the leaves in the second half.
    sums: Vec<f64>,
}

impl WeightTree {
    /// `weights` are finite and at least 0, one of them above.
    pub(super) fn new(weights: &[f64]) -> Self {
        let leaves = weights.len().next_power_of_two();
        let mut sums = vec![0.0; 2 * leaves];
        // The greatest becomes 1, so that no sum overflows.
        let greatest = weights.iter().copied().fold(0.0, f64::max);
        for (leaf, &weight) in sums[leaves..].iter_mut().zip(weights) {
            if weight > 0.0 {
                // One that is next to nothing can still be drawn when it is all that is left.
                *leaf = (weight / greatest).max(f64::MIN_POSITIVE);
            }
        }
        for node in (1..leaves).rev() {
            sums[node] = sums[2 * node] + sums[2 * node + 1];
        }
        Self { sums }
    }

    /// The index at `share` of the sum of all weights, 0 to 1. Its weight is above 0 if any is.
    pub(super) fn at(&self, share: f64) -> usize {
        let leaves = self.sums.len() / 2;
        let mut rest = share * self.sums[1];
        let mut node = 1;
        while node < leaves {
            let (left, right) = (2 * node, 2 * node + 1);
            // Rounding must not lead to where nothing is.
            if rest < self.sums[left] || self.sums[right] == 0.0 {
                node = left;
            } else {
                rest -= self.sums[left];
                node = right;
            }
        }
        node - leaves
    }

    /// Leaves `index` out of further draws.
    pub(super) fn remove(&mut self, index: usize) {
        let mut node = self.sums.len() / 2 + index;
        self.sums[node] = 0.0;
        while node > 1 {
            node /= 2;
            self.sums[node] = self.sums[2 * node] + self.sums[2 * node + 1];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_lead_to_their_weights() {
        let tree = WeightTree::new(&[0.0, 1.0, 0.0, 2.0, 1.0, 0.0]);
        let at = [0.0, 0.2499, 0.25, 0.7499, 0.75, 1.0 - f64::EPSILON, 1.0];
        assert_eq!(at.map(|share| tree.at(share)), [1, 1, 3, 3, 4, 4, 4]);
        assert_eq!(WeightTree::new(&[3.0]).at(0.5), 0);
    }

    #[test]
    fn weights_of_any_size_can_be_drawn_once_each() {
        let weights = [f64::MAX, 0.0, 5e-324, f64::MAX, 1.0, f64::MIN_POSITIVE];
        for share in [0.0, 0.3, 0.999_999, 1.0 - f64::EPSILON / 2.0] {
            let mut tree = WeightTree::new(&weights);
            let mut drawn: Vec<usize> = (0..5)
                .map(|_| {
                    let index = tree.at(share);
                    tree.remove(index);
                    index
                })
                .collect();
            drawn.sort_unstable();
            assert_eq!(drawn, [0, 2, 3, 4, 5]);
        }
    }
}
