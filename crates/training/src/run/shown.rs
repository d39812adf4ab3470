//! What shows a run.

use burn::train::LearnerModel;
use burn::train::renderer::MetricsRenderer;

use super::display::{BarRenderer, Display};
use super::stop::Stops;
use super::training::Training;

impl<M: LearnerModel> Training<M> {
    /// What shows the run, which is resumed after that epoch if there is one.
    #[cfg_attr(not(feature = "tui"), expect(unused_variables))]
    pub(super) fn shown_by(
        &mut self,
        resumed: Option<usize>,
        in_updates: bool,
        stops: &Stops,
    ) -> Box<dyn MetricsRenderer> {
        if let Some(renderer) = self.hooks.renderer.take() {
            return renderer;
        }
        match self.hooks.display {
            Display::Silent => Box::new(BarRenderer::new(false, in_updates)),
            Display::Bar => Box::new(BarRenderer::new(true, in_updates)),
            #[cfg(feature = "tui")]
            Display::Dashboard => {
                Box::new(burn::train::renderer::tui::TuiMetricsRendererWrapper::new(
                    stops.dashboard(),
                    resumed,
                ))
            }
        }
    }
}
