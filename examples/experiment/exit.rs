//! What an example exits with.

use std::process::ExitCode;

use burn_lr::mnist::DataError;
use burn_lr::training::TrainingError;
use burn_lr::training::device::BackendError;

use super::terminal::{Error, INTERRUPTED};

/// Prints why the run failed; an option that was wrong exits with 2, as clap does.
pub fn exit(result: Result<(), Error>) -> ExitCode {
    let Err(error) = result else {
        return ExitCode::SUCCESS;
    };
    eprintln!("error: {error}");
    let option = error.is::<BackendError>()
        || error.is::<DataError>()
        || matches!(
            error.downcast_ref(),
            Some(
                TrainingError::Schedule(_)
                    | TrainingError::Average(_)
                    | TrainingError::Invalid { .. }
                    | TrainingError::RunExists { .. }
                    | TrainingError::InUse { .. }
                    | TrainingError::ConfigChanged { .. }
                    | TrainingError::Extended { .. }
                    | TrainingError::NoCheckpoint { .. }
                    | TrainingError::BranchChanged { .. }
            )
        );
    let interrupted = matches!(
        error.downcast_ref(),
        Some(TrainingError::Interrupted { .. } | TrainingError::AlreadyStopped { .. })
    );
    ExitCode::from(if option {
        2
    } else if interrupted {
        INTERRUPTED
    } else {
        1
    })
}
