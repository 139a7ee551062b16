//! Candidates go on, or stop, while others write.

use std::time::{Duration, Instant};

use futures::StreamExt;
use leasehold_core::{Candidate, Elector, LeaseLock, Observation, Tenure, Timing, create_free};
use serde_json::{Value, json};
use tokio::time;
use tokio_util::sync::CancellationToken;

use super::{blanked, held, of_client_go, tenure};
use crate::common::{ANNOTATION, Subject, holder};

/// The holder is dead, and somebody labels its Lease all the time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_label_restarts_nobodys_wait() {
    let subject = Subject::new();
    subject.create(&of_client_go("pod-b_1234", 2, 1));
    let elector = Elector::new(subject.lock().await, Candidate::new("a").unwrap())
        .with_timing(Timing::fast());
    let began = Instant::now();
    let shutdown = CancellationToken::new();
    let mut campaign = Box::pin(elector.campaign(&shutdown));
    let mut labels = 0;
    let leadership = loop {
        assert!(began.elapsed() < Duration::from_secs(10), "{labels} labels kept it waiting");
        tokio::select! {
            leadership = &mut campaign => break leadership.unwrap(),
            () = time::sleep(Duration::from_millis(200)) => {
                labels += 1;
                let label = format!("touched={labels}");
                subject.label(&label);
            }
        }
    };
    assert!(began.elapsed() >= Duration::from_secs(2), "robbed after {:?}", began.elapsed());
    assert!(began.elapsed() < Duration::from_secs(4) && labels > 2, "{:?}", began.elapsed());
    drop(campaign);
    leadership.resign().await;
}

/// What is done to the Lease of a leader, and that it stops at once.
async fn stops(what: &str, disturb: impl FnOnce(&Subject)) {
    let subject = Subject::new();
    let lock = subject.lock().await;
    create_free(&lock).await.unwrap();
    // Its renewals are far apart: it is the watch that tells.
    let seconds = Duration::from_secs;
    let timing = Timing::new(seconds(60), seconds(45), seconds(20)).unwrap();
    let elector = Elector::new(lock, Candidate::new("a").unwrap()).with_timing(timing);
    let leadership = elector.campaign(&CancellationToken::new()).await.unwrap();
    disturb(&subject);
    let disturbed = subject.server.try_kubectl(&["get", "lease", &subject.name, "--output=json"]);
    time::timeout(seconds(5), leadership.stopping())
        .await
        .unwrap_or_else(|_| panic!("{what}: still leads"));
    assert!(!leadership.is_current(), "{what}");
    leadership.resign().await;
    // Nothing was written by it after that, and nothing was brought back.
    match disturbed {
        Ok(disturbed) => {
            let disturbed: Value = serde_json::from_str(&disturbed).unwrap();
            assert_eq!(subject.object(), disturbed, "{what}: it was written to");
        }
        Err(_) => {
            let there = subject.lock().await.observe().await.unwrap().record;
            assert_eq!(there, None, "{what}: it was brought back");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_whose_lease_is_not_its_own_any_more_stops_at_once() {
    stops("deleted", Subject::delete).await;
    stops("overwritten", |it| it.patch(&json!({ "spec": { "holderIdentity": "kubectl" } }))).await;
    stops("emptied", |it| it.patch(&json!({ "spec": null }))).await;
    stops("blanked", |it| it.patch(&blanked(&it.spec()["leaseTransitions"]))).await;
    stops("forged", |it| {
        let text = it.object()["metadata"]["annotations"][ANNOTATION].as_str().unwrap().to_owned();
        let mut forged: Value = serde_json::from_str(&text).unwrap();
        forged["token"] = json!(1u64 << 61);
        it.patch(&json!({ "metadata": { "annotations": { ANNOTATION: forged.to_string() } } }));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_whose_lease_is_labelled_leads_on() {
    let subject = Subject::new();
    let lock = subject.lock().await;
    create_free(&lock).await.unwrap();
    let elector = Elector::new(lock, Candidate::new("a").unwrap()).with_timing(Timing::fast());
    let leadership = elector.campaign(&CancellationToken::new()).await.unwrap();
    for label in 0..20 {
        let label = format!("touched={label}");
        subject.label(&label);
        assert!(leadership.is_current(), "lost by {label}");
    }
    leadership.resign().await;
    assert_eq!(tenure(&subject.lock().await).await, Tenure::Free);
}

#[tokio::test]
async fn a_watch_shows_what_others_do() {
    let subject = Subject::new();
    let lock = subject.lock().await;
    held(&lock).await;
    let mut watch = lock.watch();
    assert_eq!(holder(&watch.next().await.unwrap().unwrap()), Some("pod-a"));
    subject.patch(&json!({ "spec": { "holderIdentity": "kubectl" } }));
    let shows = async |watch: &mut futures::stream::BoxStream<'static, _>, wanted: Option<&str>| {
        loop {
            let next = time::timeout(Duration::from_secs(10), watch.next());
            let seen: Result<Observation, leasehold_core::Error> = next.await.unwrap().unwrap();
            let seen = seen.unwrap();
            if holder(&seen) == wanted {
                return seen;
            }
        }
    };
    shows(&mut watch, Some("kubectl")).await;
    subject.delete();
    assert_eq!(shows(&mut watch, None).await, lock.observe().await.unwrap());
}
