//! Learning rates that fall from the output to the input.

use super::group::Group;
use super::select::Select;

/// Groups for learning rates that fall by a factor of `decay` from layer to layer, as in timm's
/// `layer_decay`: the layer `i` of the `n` that `prefixes` name, from the input to the output, has
/// `decay^(n-1-i)` times the run's rate, the last one the whole.
///
/// The names of the groups are the prefixes. Parameters below none of them keep the run's rate, like
/// those of the last. If prefixes contain each other the later wins, and a layer may be frozen, or have
/// another rate by a later group. A prefix of no parameter, and a decay that is negative or not finite,
/// are refused when the groups are resolved.
///
/// ```
/// use burn_lr_training::optim::layer_decay;
///
/// let groups = layer_decay(0.5, ["embedding", "blocks.0", "blocks.1", "head"]);
/// assert_eq!(groups.len(), 4); // 0.125, 0.25, 0.5 and 1 times the rate
/// ```
///
/// From: Clark et al. 2020, [ELECTRA](https://arxiv.org/abs/2003.10555), and timm's `param_groups_layer_decay`,
/// which also takes the weight decay from vectors: [`without_decay`](super::without_decay) does.
pub fn layer_decay<P: Into<String>>(
    decay: f64,
    prefixes: impl IntoIterator<Item = P>,
) -> Vec<Group> {
    let prefixes: Vec<String> = prefixes.into_iter().map(Into::into).collect();
    let last = prefixes.len().saturating_sub(1);
    let group = |(layer, prefix): (usize, String)| {
        let distance = i32::try_from(last - layer).unwrap_or(i32::MAX);
        let layer = Group::new(prefix.clone(), Select::prefix(prefix));
        layer.lr_scale(decay.powi(distance)).optional()
    };
    prefixes.into_iter().enumerate().map(group).collect()
}
