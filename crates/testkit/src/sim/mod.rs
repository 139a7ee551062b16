//! Time that is simulated: on a runtime of tokio whose clock is paused.

pub(crate) mod clock;
pub(crate) mod turns;
