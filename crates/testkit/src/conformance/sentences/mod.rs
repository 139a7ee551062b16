#![allow(
    clippy::missing_panics_doc,
    reason = "each is a test, and panics where the backend does not keep the sentence"
)]

pub mod absence;
pub mod cancelling;
pub mod describing;
pub mod eras;
pub mod garbage;
pub mod observing;
pub mod racing;
pub mod swapping;
pub mod versions;
pub mod watching;
