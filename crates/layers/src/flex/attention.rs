//! Attention.

use burn::backend::flex::FlexTensor;
use burn::nn::Linear;
use burn::nn::attention::MultiHeadAttention;
use burn::tensor::{Bool, Tensor, TensorData};
use pulp::NullaryFnOnce;

use super::dropout::Thinning;
use super::fused::{Gradient, Operation, fits, fused, mask, numbers};
use super::lanes::dot;
use super::softmax::softmax;
use super::width::widest;

/// `None` where that is not for here.
pub(crate) fn attention(
    layer: &MultiHeadAttention,
    [query, key, value]: [&Tensor<3>; 3],
    masked: Option<&Tensor<3, Bool>>,
) -> Option<Tensor<3>> {
    let [batch, queries, width] = query.dims();
    let keys = key.dims()[1];
    // What does not fit is for Burn to refuse.
    let all = [
        [batch, queries, layer.d_model],
        [batch, keys, layer.d_model],
    ];
    let are_of_a_size = [query, key, value].map(|x| x.dims()) == [all[0], all[1], all[1]]
        && masked.is_none_or(|mask| mask.dims() == [batch, queries, keys]);
    if layer.quiet_softmax || keys == 0 || !are_of_a_size || !fits(query) {
        return None;
    }
    let mask = match masked {
        Some(masked) => Some(mask(masked)?),
        None => None,
    };
    let rows = Rows {
        scale: 1.0 / (layer.d_k as f32).sqrt(),
        least: layer.min_float as f32,
        heads: layer.n_heads,
        queries,
        keys,
        mask,
    };
    let weights = Weights {
        rows,
        thinning: Thinning::of(&layer.dropout, &query.device()),
    };
    let heads = |x: &Tensor<3>, linear: &Linear| {
        let [batch, length, _] = x.dims();
        let x = linear.forward(x.clone());
        x.reshape([batch, length, layer.n_heads, layer.d_k])
            .swap_dims(1, 2)
    };
    // In Burn's order, in which a new layer draws its weights.
    let query = heads(query, &layer.query);
    let key = heads(key, &layer.key);
    let value = heads(value, &layer.value);
    let weights: Tensor<4> = fused(query.matmul(key.transpose()), weights).ok()?;
    let context = weights
        .matmul(value)
        .swap_dims(1, 2)
        .reshape([batch, queries, width]);
    Some(layer.output.forward(context))
}

/// What is the same for all rows of scores, of which every head has one a query.
#[derive(Debug, Clone)]
struct Rows {
    scale: f32,
    /// A score that is masked.
    least: f32,
    heads: usize,
    queries: usize,
    keys: usize,
    mask: Option<FlexTensor>,
}

impl Rows {
    fn mask(&self) -> Option<&[u8]> {
        self.mask.as_ref().map(|mask| mask.storage())
    }

    /// Of the mask, which the heads share, what belongs to a row.
    #[inline(always)]
    fn masked<'a>(&self, mask: &'a [u8], row: usize) -> &'a [u8] {
        let line = row / (self.queries * self.heads) * self.queries + row % self.queries;
        &mask[line * self.keys..][..self.keys]
    }
}

/// Makes of scores the weights of the values.
struct Weights {
    rows: Rows,
    thinning: Option<Thinning>,
}

impl Weights {
    fn softmax(&self, scores: &mut [f32]) {
        widest(Softmax {
            rows: &self.rows,
            mask: self.rows.mask(),
            scores,
        });
    }
}

impl Operation for Weights {
    type Gradient = OfScores;

    fn forward(self, mut input: TensorData) -> TensorData {
        let weights = numbers(&mut input);
        self.softmax(weights);
        if let Some(thinning) = self.thinning {
            thinning.thin(weights);
        }
        input
    }

    fn tracked(self, mut input: TensorData) -> (TensorData, OfScores) {
        self.softmax(numbers(&mut input));
        let probabilities = input.clone();
        let kept = self.thinning.map(|t| (t, t.thin(numbers(&mut input))));
        let gradient = OfScores {
            rows: self.rows,
            probabilities,
            kept,
        };
        (input, gradient)
    }
}

struct Softmax<'a> {
    rows: &'a Rows,
    mask: Option<&'a [u8]>,
    scores: &'a mut [f32],
}

impl NullaryFnOnce for Softmax<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Rows {
            scale, least, keys, ..
        } = *self.rows;
        for (number, row) in self.scores.chunks_exact_mut(keys).enumerate() {
            for score in row.iter_mut() {
                *score *= scale;
            }
            if let Some(mask) = self.mask {
                let masked = self.rows.masked(mask, number);
                for (score, masked) in row.iter_mut().zip(masked) {
                    *score = if *masked == 0 { *score } else { least };
                }
            }
            softmax(row);
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct OfScores {
    rows: Rows,
    /// The weights before dropout.
    probabilities: TensorData,
    kept: Option<(Thinning, Vec<u8>)>,
}

impl Gradient for OfScores {
    fn of_input(mut self, mut of_output: TensorData) -> TensorData {
        let values = numbers(&mut of_output);
        if let Some((thinning, kept)) = &self.kept {
            thinning.again(values, kept);
        }
        widest(Backward {
            rows: &self.rows,
            mask: self.rows.mask(),
            probabilities: numbers(&mut self.probabilities),
            values,
        });
        of_output
    }
}

/// Makes of the gradient of the probabilities that of the scores.
struct Backward<'a> {
    rows: &'a Rows,
    mask: Option<&'a [u8]>,
    probabilities: &'a [f32],
    values: &'a mut [f32],
}

impl NullaryFnOnce for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Rows { scale, keys, .. } = *self.rows;
        let rows = self.values.chunks_exact_mut(keys);
        let rows = rows.zip(self.probabilities.chunks_exact(keys));
        for (number, (row, probabilities)) in rows.enumerate() {
            let mean = dot(row, probabilities) as f32;
            for (value, probability) in row.iter_mut().zip(probabilities) {
                *value = probability * (*value - mean) * scale;
            }
            if let Some(mask) = self.mask {
                let masked = self.rows.masked(mask, number);
                for (value, masked) in row.iter_mut().zip(masked) {
                    *value = if *masked == 0 { *value } else { 0.0 };
                }
            }
        }
    }
}
