//! Attention.

use burn::nn::attention::{MhaInput, MultiHeadAttention};
use burn::tensor::{Bool, Tensor};

/// What `layer.forward(input).context` is for an input of `[query, key, value]` and a mask by
/// [`mask_attn`](MhaInput::mask_attn).
///
/// Shapes: `query` `[batch, queries, width]`, `key` and `value` `[batch, keys, width]`, `mask` `[batch, queries, keys]`, true where
/// a query must not see a key; the result `[batch, queries, width]`.
///
/// The products are Burn's. What is between them is in one pass: scale, mask, softmax and dropout, which is chosen as in
/// [`dropout`](crate::dropout()). Padding `[batch, keys]`, Burn's [`mask_pad`](MhaInput::mask_pad), is a mask that is the same
/// for all queries, `padding.unsqueeze_dim::<3>(1).expand([batch, queries, keys])`, and one of both is `mask.bool_or(padding)`.
///
/// With a quiet softmax, without keys, and with a mask of another shape, which Burn
/// broadcasts or refuses, it is all Burn's.
///
/// # Panics
/// As Burn's, where shapes do not fit.
///
/// Source: Vaswani and others, ["Attention Is All You Need"](https://arxiv.org/abs/1706.03762) (2017).
///
/// ```
/// use burn::nn::attention::{MultiHeadAttentionConfig, generate_autoregressive_mask};
/// use burn::tensor::{Device, Tensor};
///
/// let device = Device::flex().autodiff();
/// let layer = MultiHeadAttentionConfig::new(16, 4).init(&device);
/// let past = generate_autoregressive_mask(2, 5, &device);
/// let x = Tensor::<3>::ones([2, 5, 16], &device);
/// let y = burn_lr_layers::attention(&layer, [x.clone(), x.clone(), x], Some(past));
/// assert_eq!(y.dims(), [2, 5, 16]);
/// ```
pub fn attention(
    layer: &MultiHeadAttention,
    [query, key, value]: [Tensor<3>; 3],
    mask: Option<Tensor<3, Bool>>,
) -> Tensor<3> {
    #[cfg(feature = "flex")]
    if let Some(context) = crate::flex::attention(layer, [&query, &key, &value], mask.as_ref()) {
        return context;
    }
    let input = MhaInput::new(query, key, value);
    let input = match mask {
        Some(mask) => input.mask_attn(mask),
        None => input,
    };
    layer.forward(input).context
}
