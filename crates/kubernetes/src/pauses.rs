use std::time::Duration;

/// After so long is it tried again for the first time.
const FIRST: Duration = Duration::from_secs(2);

/// The longest pause, that of [`watch`](crate::watch) between two watches.
const LONGEST: Duration = Duration::from_secs(280);

/// Pauses between tries of what is forbidden. It may be granted soon (an apiserver that has just
/// started knows no role yet), or never: each is twice as long as the last.
pub(crate) struct Pauses(Duration);

impl Pauses {
    pub(crate) const fn new() -> Self {
        Self(FIRST)
    }

    /// The next one.
    pub(crate) fn next(&mut self) -> Duration {
        let pause = self.0;
        self.0 = (pause * 2).min(LONGEST);
        pause
    }

    /// Whether something was forbidden more than once.
    pub(crate) fn are_many(&self) -> bool {
        self.0 > FIRST * 2
    }
}
