//! The algorithm, without input or output: `step(now, event) -> request`.
//!
//! There is no clock, no task and no socket here, so that every order of events can be explored
//! (`tests/exploration`) in the very code that the driver runs. It is public for that, and for
//! benchmarks; [`Elector`](crate::Elector) is what users want.
//!
//! * [`evidence`](Evidence): what the store was seen to hold, and how long it has to be waited out;
//! * `holding`: one term, or the attempt at one: its writes and which is confirmed;
//! * [`kernel`](Kernel): the candidate, its roles, and what moves it from one to the next;
//!   `answers`: what the store said; `requests`: what it is asked; `timers`: when.

mod answers;
pub(crate) mod event;
mod evidence;
mod holding;
#[expect(clippy::module_inception, reason = "the file is named after its type")]
mod kernel;
mod requests;
mod role;
mod timers;

pub use event::{Answer, Bounds, Event, Request, View};
pub use evidence::{Evidence, Verdict};
pub use kernel::Kernel;
