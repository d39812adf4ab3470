//! Scaling along one axis: which old pixels a new one is made of.

/// The stretch of old pixels, along one axis, that a new pixel is the mean of.
pub(crate) struct Window {
    from: f64,
    to: f64,
    /// The end of the picture; what lies beyond is background.
    end: usize,
}

/// The windows of the new pixels over `length` old ones from `start` in a picture of `end`.
pub(crate) fn windows(start: usize, length: usize, end: usize, scale: f64) -> Vec<Window> {
    // Rounding errors must not add a new pixel with nothing in it.
    let count = (length as f64 / scale - 1e-9).ceil().max(1.0) as usize;
    let half = scale.max(1.0) / 2.0;
    let window = |index| {
        let centre = start as f64 + (f64::from(index) + 0.5) * scale;
        Window {
            from: centre - half,
            to: centre + half,
            end,
        }
    };
    (0u32..).take(count).map(window).collect()
}

impl Window {
    /// The share that old pixel `index` has in the mean.
    pub(crate) fn weight(&self, index: usize) -> f64 {
        let (left, right) = (index as f64, index as f64 + 1.0);
        let covered = self.to.min(right) - self.from.max(left);
        covered.max(0.0) / (self.to - self.from)
    }

    /// The mean of `ink` over the stretch.
    pub(crate) fn mean(&self, ink: impl Fn(usize) -> f64) -> f64 {
        // Saturating: a window may begin before the picture.
        let pixels = self.from as usize..(self.to.ceil() as usize).min(self.end);
        pixels.map(|index| self.weight(index) * ink(index)).sum()
    }
}
