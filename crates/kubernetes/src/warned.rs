use std::sync::atomic::{AtomicBool, Ordering};

/// Whether something was warned of: once is enough, for as long as it lasts.
#[derive(Default)]
pub(crate) struct Warned(AtomicBool);

impl Warned {
    /// Whether nobody was warned yet. From now on, somebody was.
    pub(crate) fn is_first(&self) -> bool {
        !self.0.swap(true, Ordering::Relaxed)
    }

    /// It is well again.
    pub(crate) fn forget(&self) {
        self.0.store(false, Ordering::Relaxed);
    }
}
