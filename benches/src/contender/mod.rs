//! What programs in Rust that are measured have in common: what they are told, and how they speak.

mod options;
mod orders;
mod voice;

pub use options::ContenderOptions;
pub use orders::{Order, Orders, hung_up};
pub use voice::Voice;
