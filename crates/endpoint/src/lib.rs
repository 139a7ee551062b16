//! How stores are reached that are named by a URL and speak over one connection: what the backends
//! for Redis and etcd share.
//!
//! **An implementation detail of the backends.** It is public because crates that are published
//! need it, and may change with any release. [`Tls`] alone is for users, who have it from their
//! backend.
//!
//! * What a URL says: its [`Form`], the [`Parameters`] behind the question mark, [`Credentials`],
//!   [`Tls`], and where a server is: [`HostPort`].
//! * A [`Host`] and the [`Connection`] to it, which is kept while it is good; the [`Rest`] between
//!   attempts in vain; and the [`Answers`] that tell a call in vain from one that was given up.
//! * What is wrong, and what to do about it: [`advice`], [`cause()`], [`within`].

pub mod advice;
mod answers;
mod call;
mod cause;
mod credentials;
mod form;
mod host;
mod host_port;
mod parameters;
mod rest;
mod tcp;
mod tls;

pub use answers::{Answers, Wait};
pub use call::{LONGEST_CALL, disconnected, within};
pub use cause::cause;
pub use credentials::Credentials;
pub use form::{Form, invalid, number};
pub use host::{Connection, Host};
pub use host_port::HostPort;
pub use parameters::{Known, Parameters};
pub use rest::Rest;
pub use tcp::{CONNECT_TIMEOUT, connect};
pub use tls::Tls;
