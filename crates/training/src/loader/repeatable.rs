//! Which of Burn's data sets give the same item at the same index whenever they are asked.

use super::exactness::Exactness;

/// Why a data set that draws its items is not among them, and what to do about it.
const HIDDEN: &str = "Burn's SamplerDataset draws items from a generator of its own, which a \
    resumed run starts anew: give the data set inside to EpochLoader with a Sampler instead";

/// The same of one that is shuffled when it is made.
const SHUFFLED: &str = "Burn's ShuffledDataset and SelectionDataset may be in an order that was drawn \
    when they were made, and is another one in the next process: give the data set inside to \
    EpochLoader::shuffled, or, if they have a seed, say so by DatasetSource::repeatable";

/// The same of one whose items a function of the user's makes.
const MAPPED: &str = "the mapper of Burn's MapperDataset may draw random numbers, as augmentation does: if it \
    does not, say so by DatasetSource::repeatable, else let DatasetSource::augment draw them";

/// The same of one of which nothing is known.
const UNKNOWN: &str = "it is not known whether the data set gives the same item whenever it is asked for \
    the same index, in any process: if it does, say so by DatasetSource::repeatable";

/// Burn's data sets that keep their items.
const KEEPING: [&str; 6] = [
    "InMemDataset",
    "SqliteDataset",
    "DataframeDataset",
    "ImageFolderDataset",
    "TextFolderDataset",
    "MnistDataset",
];

/// Burn's data sets that have them from the one inside.
const PASSING: [&str; 3] = ["PartialDataset", "ComposedDataset", "WindowsDataset"];

/// Whether the data set whose type is called `name` is known to repeat its items.
///
/// It is known of Burn's own, if all that are inside are too. A type of someone else's may do anything,
/// and a `dyn Dataset` may be any.
pub(super) fn exactness_of(name: &str) -> Exactness {
    if name.contains("burn_dataset::transform::sampler::SamplerDataset<") {
        return Exactness::Unknown(HIDDEN);
    }
    let (path, inside) = match name.split_once('<') {
        Some((path, inside)) => (path, inside.strip_suffix('>').unwrap_or(inside)),
        None => (name, ""),
    };
    let last = path.rsplit("::").next().unwrap_or(path);
    let is_burns = path.starts_with("burn_dataset::");
    let is_pointer = matches!(path, "alloc::sync::Arc" | "alloc::boxed::Box");
    if is_burns && KEEPING.contains(&last) {
        Exactness::Exact
    } else if is_pointer || (is_burns && PASSING.contains(&last)) {
        exactness_of(first(inside))
    } else if is_burns && last == "MapperDataset" {
        match exactness_of(first(inside)) {
            Exactness::Exact => Exactness::Unknown(MAPPED),
            unknown => unknown,
        }
    } else if is_burns && ["ShuffledDataset", "SelectionDataset"].contains(&last) {
        Exactness::Unknown(SHUFFLED)
    } else {
        Exactness::Unknown(UNKNOWN)
    }
}

/// The first of the types between the brackets of a generic one.
fn first(types: &str) -> &str {
    let mut depth = 0;
    let end = types.find(|c| {
        match c {
            '<' | '(' | '[' => depth += 1,
            '>' | ')' | ']' => depth -= 1,
            _ => {}
        }
        c == ',' && depth == 0
    });
    &types[..end.unwrap_or(types.len())]
}

#[cfg(test)]
mod tests {
    use std::any::type_name;
    use std::sync::Arc;

    use burn::data::dataset::transform::{
        ComposedDataset, MapperDataset, PartialDataset, SamplerDataset, SelectionDataset,
        ShuffledDataset, WindowsDataset,
    };
    use burn::data::dataset::{Dataset, DatasetError, InMemDataset};

    use super::*;

    type Item = (u32, Vec<u8>);
    type Kept = InMemDataset<Item>;

    fn of<D: ?Sized>() -> Exactness {
        exactness_of(type_name::<D>())
    }

    struct MySamplerDataset<D>(D);

    #[expect(dead_code)]
    struct Own(Kept);

    impl Dataset<u32> for Own {
        fn get(&self, _: usize) -> Result<u32, DatasetError> {
            Ok(0)
        }

        fn len(&self) -> usize {
            0
        }
    }

    #[test]
    fn only_what_keeps_its_items_is_known_to_repeat_them() {
        for known in [
            of::<Kept>(),
            of::<Arc<Kept>>(),
            of::<Box<PartialDataset<Arc<Kept>, Item>>>(),
            of::<ComposedDataset<Kept>>(),
            of::<PartialDataset<WindowsDataset<Kept, u32>, Item>>(),
        ] {
            assert_eq!(known, Exactness::Exact);
        }
        for unknown in [
            of::<Own>(),
            of::<Arc<Own>>(),
            of::<Arc<dyn Dataset<u32>>>(),
            of::<Box<dyn Dataset<u32>>>(),
            of::<PartialDataset<Own, u32>>(),
            of::<MapperDataset<Own, Kept, u32>>(),
            of::<MySamplerDataset<Kept>>(),
        ] {
            assert_eq!(unknown, Exactness::Unknown(UNKNOWN));
        }
        for drawn in [
            of::<SamplerDataset<Kept, u32>>(),
            of::<MapperDataset<SamplerDataset<Kept, u32>, u8, u32>>(),
        ] {
            assert_eq!(drawn, Exactness::Unknown(HIDDEN));
        }
        let mapped = of::<MapperDataset<WindowsDataset<Kept, u32>, fn(u32) -> Own, u32>>();
        assert_eq!(mapped, Exactness::Unknown(MAPPED));
        for shuffled in [
            of::<ShuffledDataset<Kept, Item>>(),
            of::<PartialDataset<SelectionDataset<Kept, Item>, Item>>(),
        ] {
            assert_eq!(shuffled, Exactness::Unknown(SHUFFLED));
        }
    }
}
