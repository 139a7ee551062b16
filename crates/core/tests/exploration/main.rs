//! The kernel, explored to closure: every order of what can happen to two or three candidates, one
//! store, its watch, the wire and the clocks, within named bounds ([`scope::Scope`]).
//!
//! What is explored is the code that the driver runs. A state is the kernels themselves, the
//! calls that they are making, the swaps that nobody waits for any more, and the store. No event
//! is ever due: a candidate that is frozen, starved or asleep is one that nothing happens to while
//! the clocks go on. Its *work*, however, ends by the clock ([`candidate::Candidate::is_current`]),
//! for that is what the warden sees to.
//!
//! The rules, each judged in every state (`election.rs`):
//!
//! * never two candidates whose work may act in the same instant;
//! * tokens strictly grow, in the order in which terms begin;
//! * a term begins with a write of that term that the store has taken;
//! * a release replaces nothing but a record of the very term that is released;
//! * what is held, or nobody's, is taken after a whole lease on the taker's clock, not before;
//! * a timer that would do something is asked for, and none is asked for that does nothing;
//! * what is free is taken at once, unless the store went back;
//! * once faults stop, somebody leads, and goes on leading (`liveness.rs`).
//!
//! Each class of fault is explored alone, then in pairs. The larger bounds are ignored by default:
//! `cargo test --release -p leasehold-core --test exploration -- --ignored`. Numbers of states are
//! shown with `--nocapture`.

mod candidate;
mod election;
mod liveness;
mod report;
mod scope;
mod store;
mod world;

mod clocks;
mod death;
mod lively;
mod pairs;
mod store_faults;
mod three;
mod watch;
mod wire;
