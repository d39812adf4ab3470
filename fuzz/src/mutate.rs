//! Inputs that are nearly what they should be.

use rand::rngs::ChaCha8Rng;
use rand::{Rng, RngExt};

/// Texts at which readers have failed before.
const WORDS: &str = r#"0|-0|1|-1|2|0.0|-0.0|0.5|1.5|100|1e308|1e309|-1e309|5e-324|1e-400|NaN|nan|inf|-inf|Infinity|127|255|256|65536
|2147483648|4294967296|1e19|9007199254740993|9223372036854775807|9223372036854775808|-9223372036854775808
|-9223372036854775809|18446744073709551615|18446744073709551616|0x10|1_000|007|null|true|false|""|[]|{}|"1 %"|"1 epochs"
|"\u0000"|é"#;
/// Numbers at which a count or a length turns into something else.
const NUMBERS: [u64; 16] = [
    0,
    1,
    2,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0xffff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    1 << 40,
    1 << 62,
    i64::MAX as u64,
    1 << 63,
    u64::MAX,
];

pub struct Mutator {
    corpus: Vec<Vec<u8>>,
    /// The words of the corpus, and of all.
    words: Vec<Vec<u8>>,
}

impl Mutator {
    pub fn new(corpus: Vec<Vec<u8>>) -> Self {
        let texts = corpus
            .iter()
            .filter(|input| std::str::from_utf8(input).is_ok());
        let mut words: Vec<Vec<u8>> = texts
            .flat_map(|text| spans(text).map(|(a, b)| text[a..b].to_vec()))
            .collect();
        words.sort();
        words.dedup();
        let others = WORDS.split('|').map(str::trim_end);
        let others = others.chain(["\u{feff}"]);
        words.extend(others.map(|word| word.as_bytes().to_vec()));
        Self { corpus, words }
    }

    /// One of the corpus, changed in a few places.
    pub fn input(&self, rng: &mut ChaCha8Rng) -> Vec<u8> {
        let mut input = self.any(rng).clone();
        // Mostly one change or two: of a document with many, nothing but the first is looked at.
        while {
            self.change(&mut input, rng);
            rng.random_bool(0.4)
        } {}
        input
    }

    fn any(&self, rng: &mut ChaCha8Rng) -> &Vec<u8> {
        &self.corpus[rng.random_range(0..self.corpus.len())]
    }

    fn change(&self, input: &mut Vec<u8>, rng: &mut ChaCha8Rng) {
        let length = input.len();
        let at = rng.random_range(0..=length);
        let end = (at + 1 + short(rng)).min(length);
        let at = at.min(end);
        match rng.random_range(0..13) {
            0 if at < length => input[at] ^= 1 << rng.random_range(0..8),
            1 if at < length => input[at] = rng.random(),
            2 => input.truncate(at),
            3 => drop(input.drain(at..end)),
            4 => {
                let again = input[at..end].to_vec();
                let times = 1 + short(rng) % 64;
                input.splice(at..at, again.repeat(times));
            }
            5 => {
                let noise: Vec<u8> = (0..1 + short(rng)).map(|_| rng.random()).collect();
                input.splice(at..at, noise);
            }
            // A part of another one.
            6 => {
                let other = self.any(rng);
                let from = rng.random_range(0..=other.len());
                let to = (from + 8 * (1 + short(rng))).min(other.len());
                input.splice(at..end, other[from..to].iter().copied());
            }
            // The beginning of this one and the end of another.
            7 => {
                let other = self.any(rng);
                let from = rng.random_range(0..=other.len());
                input.truncate(at);
                input.extend(&other[from..]);
            }
            8 => number(input, at, rng),
            9 => drop(input.splice(at..at, self.word(rng))),
            _ => self.exchange(input, rng),
        }
    }

    /// Puts another word in the place of one, or a number if there is none.
    fn exchange(&self, input: &mut Vec<u8>, rng: &mut ChaCha8Rng) {
        let at = rng.random_range(0..=input.len());
        let Some((from, to)) = spans(&input[at..]).next() else {
            return number(input, at, rng);
        };
        input.splice(at + from..at + to, self.word(rng));
    }

    fn word(&self, rng: &mut ChaCha8Rng) -> Vec<u8> {
        self.words[rng.random_range(0..self.words.len())].clone()
    }
}

/// A number, of any width and order of bytes, over what is there.
fn number(input: &mut [u8], at: usize, rng: &mut ChaCha8Rng) {
    let mut number = NUMBERS[rng.random_range(0..NUMBERS.len())];
    if rng.random_bool(0.2) {
        number = (input.len() as u64 + rng.random_range(0..3)).saturating_sub(1);
    }
    let width = 1 << rng.random_range(0..4);
    let big = number.to_be_bytes();
    let little = number.to_le_bytes();
    let bytes = if rng.random_bool(0.5) {
        &big[8 - width..]
    } else {
        &little[..width]
    };
    for (place, byte) in input.iter_mut().skip(at).zip(bytes) {
        *place = *byte;
    }
}

/// 0 or a little more.
fn short(rng: &mut ChaCha8Rng) -> usize {
    (rng.next_u32().trailing_zeros() as usize).pow(2) + rng.random_range(0..4)
}

/// The places of words and numbers.
fn spans(text: &[u8]) -> impl Iterator<Item = (usize, usize)> {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.-+%".contains(byte);
    let mut at = 0;
    std::iter::from_fn(move || {
        let from = at + text.get(at..)?.iter().position(is_part)?;
        let length = text[from..].iter().position(|byte| !is_part(byte));
        at = length.map_or(text.len(), |length| from + length);
        Some((from, at))
    })
}
