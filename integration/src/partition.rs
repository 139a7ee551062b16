use std::net::SocketAddr;

use leasehold::Timing;
use leasehold_testkit::Direction;

use crate::{Pair, rounds};

const ROUNDS: usize = 100;
/// How many leases are cut off at once. More of them would take the processors from the tests that run
/// beside this one.
const AT_ONCE: usize = 20;

/// Leaders are cut off from the store that listens there, by links that swallow packets; `url` names
/// a lease by way of an address. See [`Pair::cut_off`].
///
/// # Panics
/// If one of them has not stopped before its successor started.
pub async fn cut_off_leaders(
    store: SocketAddr,
    lost: Direction,
    url: fn(SocketAddr, &str) -> String,
) {
    rounds(ROUNDS, AT_ONCE, |lane, rounds| async move {
        for round in 0..rounds {
            let name = format!("{lost:?}-{lane}-{round}").to_lowercase();
            let url = |address| url(address, &name);
            let pair = Pair::start(store, url, Timing::fast()).await;
            pair.cut_off(lost).await;
            pair.end().await;
        }
    })
    .await;
}
