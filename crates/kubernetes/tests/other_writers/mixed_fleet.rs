//! Candidates of client-go stand for the same lease.

use std::{sync::Arc, time::Duration};

use k8s_openapi::jiff::{SignedDuration, Timestamp};
use leasehold_core::{Candidate, Elector, LeaseLock, Tenure, Timing, create_free};
use leasehold_kubernetes::KubernetesLock;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{held, write};
use crate::common::Subject;

#[tokio::test]
async fn a_mixed_fleet_refuses_a_timing_that_robs_a_healthy_leader() {
    let subject = Subject::new();
    let url = format!("{}&mixed_fleet=true", subject.url());
    let lock: Arc<dyn LeaseLock> = Arc::new(KubernetesLock::connect(&url).await.unwrap());
    let seconds = Duration::from_secs;
    let sound = Timing::new(seconds(15), seconds(10), seconds(2)).unwrap();
    for (timing, said) in [
        (Timing::fast(), "retry interval of 150ms"),
        (sound.with_drift(0.08).unwrap(), "drift of 8 %"),
    ] {
        let elector = Elector::new(lock.clone(), Candidate::new("a").unwrap()).with_timing(timing);
        let error = elector.campaign(&CancellationToken::new()).await.unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
    }
    create_free(&lock).await.unwrap();
    let elector = Elector::new(lock.clone(), Candidate::new("a").unwrap()).with_timing(sound);
    elector.campaign(&CancellationToken::new()).await.unwrap().resign().await;
}

/// Where `renewTime` is: what is written there, to the second.
fn renewed(subject: &Subject) -> Timestamp {
    let renewed: Timestamp = subject.spec()["renewTime"].as_str().unwrap().parse().unwrap();
    Timestamp::from_second(renewed.as_second()).unwrap()
}

/// client-go compares what it reads with its last look alone: a second that comes again is no renewal.
#[tokio::test]
async fn in_a_mixed_fleet_no_two_renewals_fall_into_one_second() {
    let subject = Subject::new();
    let lock = subject.lock_with(subject.config().with_mixed_fleet()).await;
    let mut seen = held(&lock).await;
    let mut attempt = 1;
    let mut before = renewed(&subject);
    // One's own clock is as it is, was set back, and is ahead of what somebody wrote.
    for offset in [None, Some(30), Some(5_000), Some(-3_600)] {
        if let Some(offset) = offset {
            let written = Timestamp::now() + SignedDuration::from_secs(offset);
            subject.patch(&json!({ "spec": { "renewTime": format!("{written:.6}") } }));
            seen = lock.observe().await.unwrap();
            before = renewed(&subject);
        }
        for _ in 0..5 {
            attempt += 1;
            seen = write(&lock, &seen, Tenure::Held { holder: "pod-a".into() }, attempt).await;
            let now = renewed(&subject);
            assert!(now > before, "{now} after {before}, with a clock set back by {offset:?} s");
            before = now;
        }
    }
    let now = Timestamp::now();
    assert!(before.duration_since(now).abs() < SignedDuration::from_secs(10), "{before} at {now}");
}

/// client-go knows a new term by its holder and its number. Were each a second later than the last, they
/// would say when nobody has renewed yet.
#[tokio::test]
async fn in_a_mixed_fleet_handovers_within_a_second_do_not_run_ahead_of_the_clock() {
    let subject = Subject::new();
    let lock = subject.lock_with(subject.config().with_mixed_fleet()).await;
    let mut seen = held(&lock).await;
    for attempt in 1..=10 {
        seen = write(&lock, &seen, Tenure::Free, 2 * attempt).await;
        let held = Tenure::Held { holder: "pod-b".into() };
        seen = write(&lock, &seen, held, 2 * attempt + 1).await;
        let ahead = renewed(&subject).duration_since(Timestamp::now());
        assert!(ahead <= SignedDuration::ZERO, "{ahead} after {attempt} handovers");
    }
}

/// It is a mistake, and would be gone on from for ever.
#[tokio::test]
async fn a_time_that_no_clock_shows_is_not_gone_on_from() {
    let subject = Subject::new();
    let lock = subject.lock_with(subject.config().with_mixed_fleet()).await;
    held(&lock).await;
    for absurd in ["9999-12-30T23:59:59.999999Z", "2099-01-01T00:00:00.000000Z"] {
        subject.patch(&json!({ "spec": { "renewTime": absurd } }));
        let seen = lock.observe().await.unwrap();
        write(&lock, &seen, Tenure::Held { holder: "pod-a".into() }, 2).await;
        let ahead = renewed(&subject).duration_since(Timestamp::now());
        assert!(ahead.abs() < SignedDuration::from_secs(5), "{ahead} after {absurd}");
    }
}
