//! How wide vectors are.

use pulp::{Arch, NullaryFnOnce};

/// What `operation` makes, in the widest vectors that the processor has.
pub(crate) fn widest<O: NullaryFnOnce>(operation: O) -> O::Output {
    arch().dispatch(operation)
}

/// That of the widest vectors, for operations on other threads.
pub(crate) fn arch() -> Arch {
    #[cfg(test)]
    if let Some(arch) = tests::ARCH.get() {
        return arch;
    }
    Arch::new()
}

#[cfg(test)]
pub(crate) mod tests {
    use std::cell::Cell;

    use pulp::Arch;

    thread_local! {
        /// In place of the widest, on this thread.
        pub(crate) static ARCH: Cell<Option<Arch>> = const { Cell::new(None) };
    }

    /// What `run` gives with each width that the processor has, the narrowest first.
    pub(crate) fn in_each_width<T>(run: impl Fn() -> T) -> Vec<T> {
        let mut archs = vec![Arch::Scalar];
        #[cfg(target_arch = "x86_64")]
        {
            archs.extend(pulp::x86::V3::try_new().map(Arch::V3));
            archs.extend(pulp::x86::V4::try_new().map(Arch::V4));
        }
        let outcomes = archs.into_iter().map(|arch| {
            ARCH.set(Some(arch));
            let outcome = run();
            ARCH.set(None);
            outcome
        });
        outcomes.collect()
    }
}
