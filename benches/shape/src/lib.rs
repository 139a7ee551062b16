//! What programs in Rust that are measured have in common, Leasehold's own and its peers: what they are
//! told, how they speak, and what work is. It knows nothing of Leasehold, so that a peer that depends
//! on it has none of Leasehold's dependencies.

#[cfg(feature = "http")]
mod announce;
mod clock;
mod durations;
mod kubernetes;
mod options;
mod orders;
mod shift;
mod voice;

#[cfg(feature = "http")]
pub use announce::{Announce, Announcing};
pub use clock::monotonic;
pub use durations::Durations;
pub use kubernetes::KubernetesUrl;
pub use options::ContenderOptions;
pub use orders::{Order, Orders, hung_up};
pub use shift::Shift;
pub use voice::Voice;
