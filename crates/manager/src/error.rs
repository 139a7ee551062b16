use std::{any::Any, fmt, sync::Arc, time::Duration};

/// Whatever a runnable fails with.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why a manager could not be built or extended, or why it has stopped. It names the runnable or the
/// lease.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Something that was passed in cannot be right: says what, and what to do.
    #[error("{0}")]
    Invalid(String),
    /// The manager was started before, and runs or has stopped.
    #[error("the manager was started already: build another one")]
    Started,
    /// Nothing can be added any more.
    #[error("the runnable {name:?} cannot be added: the manager has stopped")]
    Stopped {
        /// What was to be added.
        name: Arc<str>,
    },
    /// A runnable returned an error.
    #[error("the runnable {name:?} failed: {source}")]
    Failed {
        /// Which.
        name: Arc<str>,
        /// What it returned.
        source: BoxError,
    },
    /// A runnable could not warm up.
    #[error("the runnable {name:?} could not warm up: {source}")]
    WarmUp {
        /// Which.
        name: Arc<str>,
        /// What it returned.
        source: BoxError,
    },
    /// A runnable panicked.
    #[error("the runnable {name:?} panicked: {message}")]
    Panicked {
        /// Which.
        name: Arc<str>,
        /// What it panicked with.
        message: String,
    },
    /// A lease cannot be stood for: its store has never answered, or its backend has failed.
    #[error("the lease {lease:?} cannot be stood for: {source}")]
    Election {
        /// Which.
        lease: Arc<str>,
        /// Why.
        source: leasehold_core::Error,
    },
    /// A lease was lost or given up, and [`OnLoss::Exit`](crate::OnLoss::Exit) says that this ends the
    /// process.
    #[error("the lease {lease:?} is led no more")]
    Lost {
        /// Which.
        lease: Arc<str>,
    },
    /// Runnables were asked to stop and had to be dropped, or block their thread and could not be; or a
    /// lease is not given back yet, for its store does not answer, or work that cannot be dropped goes on.
    #[error("asked to stop, and not ended within {limit:?}: {}", late(names, leases))]
    Late {
        /// Which runnables.
        names: Vec<Arc<str>>,
        /// Which leases. They are given back in the background, or lapse.
        leases: Vec<Arc<str>>,
        /// The limit of the graceful stop.
        limit: Duration,
    },
}

impl Error {
    pub(crate) fn panicked(name: Arc<str>, panic: &(dyn Any + Send)) -> Self {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let message = text
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "with something that is no text".to_owned());
        Self::Panicked { name, message }
    }
}

fn late(names: &[Arc<str>], leases: &[Arc<str>]) -> String {
    let names = names.iter().map(|name| format!("{name:?}"));
    let leases = leases.iter().map(|lease| format!("the lease {lease:?}"));
    names.chain(leases).collect::<Vec<_>>().join(", ")
}

/// As it reads: `main` shows its error in this way.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
