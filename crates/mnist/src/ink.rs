//! What in a picture is ink, and what is paper.

/// The smallest difference between ink and background, of 255, that counts as a digit.
pub(crate) const MIN_CONTRAST: u8 = 16;

/// What counts as ink in a picture, and how much.
pub(crate) struct Ink {
    background: f64,
    /// What a pixel's difference from the background is multiplied by; negative for dark ink.
    gain: f64,
    /// The ink that is noise, 0 to 1.
    noise: f64,
}

impl Ink {
    /// The ink among `pixels`, of which the outermost ones are counted in `border`, grey by grey.
    ///
    /// None if nothing differs from the background by more than noise.
    pub(crate) fn find(pixels: &[u8], border: &[u64; 256]) -> Option<Self> {
        let background = median(border);
        let mut deviations = [0; 256];
        for (grey, count) in (0..=255u8).zip(border) {
            deviations[usize::from(grey.abs_diff(background))] += count;
        }
        let noise = 6.0 * f64::from(median(&deviations));

        let darkest = pixels.iter().min().copied()?;
        let brightest = pixels.iter().max().copied()?;
        let (dark, bright) = (background - darkest, brightest - background);
        let contrast = dark.max(bright);
        if contrast < MIN_CONTRAST || f64::from(contrast) <= noise {
            return None;
        }
        let sign = if dark > bright { -1.0 } else { 1.0 };
        Some(Self {
            background: f64::from(background),
            gain: sign / f64::from(contrast),
            noise: noise / f64::from(contrast),
        })
    }

    /// The ink in a pixel, 0 to 1.
    pub(crate) fn of(&self, pixel: u8) -> f64 {
        let ink = (f64::from(pixel) - self.background) * self.gain;
        if ink > self.noise { ink } else { 0.0 }
    }
}

/// The grey in the middle of all that were counted.
fn median(counts: &[u64; 256]) -> u8 {
    let half = counts.iter().sum::<u64>().div_ceil(2);
    let mut sum = 0;
    let reached = |&(_, &count): &(u8, &u64)| {
        sum += count;
        sum >= half
    };
    (0..=255)
        .zip(counts)
        .find(reached)
        .map_or(255, |(grey, _)| grey)
}
