use std::time::Duration;

/// What a backend promises beyond the contract of [`LeaseLock`](crate::LeaseLock).
///
/// The table of the project's README is made from these values by a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guarantees {
    /// The backend's name: `redis`.
    pub backend: &'static str,
    /// What is left of exclusion and of the tokens' order when the store loses its memory, in a
    /// sentence for people.
    pub memory_loss: &'static str,
    /// Changes are pushed, so that a handover takes milliseconds; else candidates poll.
    pub pushes: bool,
    /// The death of a holder is proven at once, so that a crash is not waited out.
    pub proves_death: bool,
    /// The shortest lease duration that is sensible on this store.
    pub shortest_lease: Duration,
}
