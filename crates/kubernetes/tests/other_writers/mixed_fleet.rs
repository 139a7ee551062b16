//! Candidates of client-go stand for the same lease.

use std::{sync::Arc, time::Duration};

use leasehold_core::{Candidate, Elector, LeaseLock, Tenure, Timing, create_free};
use leasehold_kubernetes::KubernetesLock;
use tokio_util::sync::CancellationToken;

use crate::{common::Subject, held, write};

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

#[tokio::test]
async fn in_a_mixed_fleet_no_two_renewals_fall_into_one_second() {
    let subject = Subject::new();
    let lock = subject.lock_with(subject.config().mixed_fleet()).await;
    let mut seen = held(&lock).await;
    let second = || subject.spec()["renewTime"].as_str().unwrap()[..19].to_owned();
    for attempt in 2..4 {
        let before = second();
        seen = write(&lock, &seen, Tenure::Held { holder: "pod-a".into() }, attempt).await;
        assert_ne!(second(), before);
    }
}
