//! A dropped future is an unknown outcome, and nothing worse.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
};

use leasehold_core::{Observation, Swap};

use crate::conformance::{expect::within, fixture::Fixture, writer::Writer};

/// After how many polls futures are dropped: each is another place in the middle of a request.
const POLLS: std::ops::Range<usize> = 0..12;

/// The record before or the new one is there, whole, and both handles work as before.
pub async fn a_dropped_swap_is_written_or_not_and_harms_nothing(fixture: &dyn Fixture) {
    let (writer, mut seen) = Writer::holding(fixture).await;
    let other = Writer::of(fixture).await;
    for (token, polls) in (2..).zip(POLLS) {
        let record = writer.held(&seen, token);
        drop_after(polls, writer.lock.swap(&seen, &record)).await;
        for writer in [&writer, &other] {
            let there = writer.look().await;
            let whole = there == seen || there.record.as_ref() == Some(&record);
            assert!(whole, "after a swap was dropped at poll {polls} there is {there:?}");
        }
        seen = insist(&writer, token).await;
        assert_eq!(other.look().await, seen, "handles disagree after a swap was dropped");
    }
}

/// It may still be written later, but only over what it names.
pub async fn a_dropped_swap_is_not_written_over_a_later_one(fixture: &dyn Fixture) {
    let (writer, mut seen) = Writer::holding(fixture).await;
    let successor = Writer::of(fixture).await;
    for (token, polls) in (2..).zip(POLLS) {
        let renewal = writer.held(&seen, token);
        drop_after(polls, writer.lock.swap(&seen, &renewal)).await;
        let taken = insist(&successor, token).await;
        // Each round trip gives what was dropped the time to arrive.
        for _ in 0..8 {
            assert_eq!(writer.look().await, taken, "a dropped swap overwrote a later one");
        }
        seen = taken;
    }
}

/// The handle answers the next question with the next answer, not with the one that was dropped.
pub async fn a_dropped_observation_harms_nothing(fixture: &dyn Fixture) {
    let (writer, mut seen) = Writer::holding(fixture).await;
    for (token, polls) in (2..).zip(POLLS) {
        drop_after(polls, writer.lock.observe()).await;
        seen = writer.write(&seen, &writer.held(&seen, token)).await;
        assert_eq!(writer.look().await, seen, "a dropped observation was answered to another");
    }
}

/// Swaps over what is there until one is written: a dropped one may come in between.
async fn insist(writer: &Writer, token: u64) -> Observation {
    within("swap after a dropped swap", async {
        loop {
            let seen = writer.look().await;
            if let Swap::Written(seen) = writer.swap(&seen, &writer.held(&seen, token)).await {
                return seen;
            }
        }
    })
    .await
}

/// Polls a future so many times, whenever it asks to be, and drops it.
async fn drop_after(polls: usize, future: impl Future + Send) {
    let mut future = pin!(future);
    let mut left = polls;
    within(
        "a future to be polled again",
        poll_fn(|context| {
            if left == 0 {
                return Poll::Ready(());
            }
            left -= 1;
            match future.as_mut().poll(context) {
                Poll::Pending if left > 0 => Poll::Pending,
                _ => Poll::Ready(()),
            }
        }),
    )
    .await;
}
