//! A TCP link that can be disturbed: between a client and a server, both real.
//!
//! * [`proxy`](Proxy): what a test holds; `faults`: what is wrong with the link at the moment;
//! * `door`: who comes in; `connection`: one of them, from its beginning to its end;
//! * `way`: what is on its way through a connection in one direction.

mod connection;
mod direction;
mod door;
mod faults;
#[expect(clippy::module_inception, reason = "the file is named after its type")]
mod proxy;
mod way;

pub use direction::Direction;
pub use proxy::Proxy;
