//! Faults of a real kube-apiserver, and of the way to it.

mod lease;
mod mixed_fleet;
mod partition;
mod requests;
mod trouble;

use std::time::Duration;

use leasehold::Timing;

/// A call may take 600 ms. With [`Timing::fast`] it may take 200 ms, and an apiserver on a busy machine
/// takes longer for a new TLS connection.
fn timing() -> Timing {
    let ms = Duration::from_millis;
    Timing::new(ms(3_000), ms(2_000), ms(400)).expect("coherent")
}
