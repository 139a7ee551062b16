//! Which clock is believed, by whom.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::common::{elector, free_lock, quick};
use futures::future::BoxFuture;
use leasehold_core::{Clock, End, HostClock, Moment};
use tokio_util::sync::CancellationToken;

const fn moment(boottime: u64, monotonic: u64, raw: u64) -> Moment {
    Moment { boottime, monotonic, raw }
}

#[test]
fn a_holder_believes_the_clock_that_claims_most_and_a_standby_the_one_that_claims_least() {
    let before = moment(100, 100, 100);
    for (now, age, wait) in [
        (moment(110, 110, 110), 10, 10),
        // The host was suspended: only the boot time went on.
        (moment(150, 110, 110), 50, 10),
        // The clock is slewed: slow, or fast, while the raw one is not.
        (moment(108, 108, 110), 10, 8),
        (moment(112, 112, 110), 12, 10),
        (before, 0, 0),
        // Never: but no arithmetic may panic, or make an age of it.
        (moment(90, 90, 90), 0, 0),
    ] {
        assert_eq!((now.age(before), now.wait(before)), (age, wait), "{now:?}");
    }
}

#[test]
fn the_clocks_of_the_host_go_on() {
    let before = HostClock.now();
    std::thread::sleep(Duration::from_millis(2));
    let now = HostClock.now();
    assert!(now.wait(before) >= 1_900_000, "{now:?} after {before:?}");
    assert!(now.age(before) >= now.wait(before));
}

/// The host's clocks, after a suspension that only the boot time has counted.
#[derive(Debug, Default)]
struct Resumed {
    suspended: AtomicU64,
}

impl Clock for Resumed {
    fn now(&self) -> Moment {
        let now = HostClock.now();
        Moment { boottime: now.boottime + self.suspended.load(Ordering::SeqCst), ..now }
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        HostClock.sleep(duration)
    }
}

#[tokio::test]
async fn a_leader_on_a_host_that_was_suspended_finds_its_term_over_when_it_wakes() {
    let lock = free_lock().await;
    let clock = Arc::new(Resumed::default());
    let elector = elector(&lock, "a").with_clock(clock.clone());
    let lead = elector.campaign(&CancellationToken::new()).await.unwrap();
    assert!(lead.is_current());
    clock.suspended.store(quick().lease_duration().as_nanos() as u64, Ordering::SeqCst);
    assert!(!lead.is_current());
    assert_eq!(lead.leading().end(), Some(End::Lapsed));
}

#[tokio::test]
async fn once_not_current_a_term_is_never_current_again() {
    let lock = free_lock().await;
    let clock = Arc::new(Resumed::default());
    let elector = elector(&lock, "a").with_clock(clock.clone());
    let lead = elector.campaign(&CancellationToken::new()).await.unwrap();
    clock.suspended.store(quick().lease_duration().as_nanos() as u64, Ordering::SeqCst);
    assert!(!lead.is_current());
    // A clock that goes back does not exist; should one, it gives nothing back.
    clock.suspended.store(0, Ordering::SeqCst);
    assert!(!lead.is_current());
    assert_eq!(lead.remaining(), Duration::ZERO);
}
