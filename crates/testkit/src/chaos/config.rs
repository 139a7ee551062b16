use std::time::Duration;

/// How likely each fault is, from 0 to 1, and how long what takes long may take.
///
/// The faults of a request exclude each other, so their sum should stay below 1.
#[derive(Clone, Debug, PartialEq)]
pub struct ChaosConfig {
    /// The request is lost, and its author is told so.
    pub fail_before: f64,
    /// The request takes effect, and its author is told that it failed.
    pub fail_after: f64,
    /// The request is lost, and nobody is told.
    pub hang_before: f64,
    /// The request takes effect, and the answer is lost.
    pub hang_after: f64,
    /// The request takes effect twice, now or later; the author hears one of the answers.
    pub duplicate: f64,
    /// The request takes effect later, when its author has been told that it failed, or has
    /// stopped waiting.
    pub late: f64,
    /// How late that may be.
    pub late_by: Duration,
    /// The request or its answer is delayed.
    pub delay: f64,
    /// By how much, each.
    pub delay_by: Duration,
    /// A change is not shown by a watch.
    pub watch_drop: f64,
    /// A watch shows nothing any more, and does not say so.
    pub watch_mute: f64,
    /// A change is shown late; by [`delay_by`](Self::delay_by), and those after it wait.
    pub watch_delay: f64,
    /// An older observation is shown again.
    pub watch_repeat: f64,
    /// A watch fails.
    pub watch_error: f64,
    /// A watch ends.
    pub watch_end: f64,
}

impl ChaosConfig {
    /// No faults at all.
    pub const fn quiet() -> Self {
        Self {
            fail_before: 0.0,
            fail_after: 0.0,
            hang_before: 0.0,
            hang_after: 0.0,
            duplicate: 0.0,
            late: 0.0,
            late_by: Duration::ZERO,
            delay: 0.0,
            delay_by: Duration::ZERO,
            watch_drop: 0.0,
            watch_mute: 0.0,
            watch_delay: 0.0,
            watch_repeat: 0.0,
            watch_error: 0.0,
            watch_end: 0.0,
        }
    }

    /// Every fault there is, each in so many of a hundred cases or fewer, at the pace of a lease:
    /// what is late is late by up to twice its duration.
    pub fn rough(percent: f64, lease: Duration) -> Self {
        let often = percent / 100.0;
        let seldom = often / 4.0;
        Self {
            fail_before: often,
            fail_after: often,
            hang_before: seldom,
            hang_after: often,
            duplicate: often,
            late: often,
            late_by: lease * 2,
            delay: often * 2.0,
            delay_by: lease / 3,
            watch_drop: often,
            watch_mute: seldom,
            watch_delay: often * 2.0,
            watch_repeat: often,
            watch_error: seldom,
            watch_end: seldom,
        }
    }

    /// Without the failures and ends of watches, after which an elector pauses for a time that no
    /// seed decides.
    #[must_use]
    pub fn with_watches_that_last(self) -> Self {
        Self { watch_error: 0.0, watch_end: 0.0, ..self }
    }
}
