use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use tokio::time::Instant;

/// Less than an elector waits for any answer. A request that is given up sooner was not waited for
/// in vain: somebody did not want the answer any more.
const IN_VAIN: Duration = Duration::from_millis(2);

/// How many answers came, to whomever: so that one who gives up, perhaps because he was not
/// scheduled for long, takes from nobody what answers the others.
#[derive(Debug, Default)]
pub struct Answers(AtomicU64);

/// One waits for an answer.
#[derive(Clone, Copy, Debug)]
pub struct Wait {
    began: Instant,
    /// There were so many answers before it.
    answers: u64,
}

impl Answers {
    /// One more came.
    pub fn came(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Somebody begins to wait for one.
    pub fn wait(&self) -> Wait {
        Wait { began: Instant::now(), answers: self.0.load(Ordering::Relaxed) }
    }

    /// Whether one who waits no more, and was not answered, has waited in vain: for long enough, and
    /// nobody else was answered meanwhile.
    pub fn none_since(&self, wait: &Wait) -> bool {
        self.0.load(Ordering::Relaxed) == wait.answers && wait.began.elapsed() >= IN_VAIN
    }
}
