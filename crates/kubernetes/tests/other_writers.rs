//! Others write to the Lease, too: client-go, operators, backups. Nothing is given away by it.

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

mod common;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use common::{ANNOTATION, Subject, holder, now};
use futures::StreamExt;
use leasehold_core::{
    Candidate, Elector, FencingToken, LeaseLock, Observation, RandomPart, Record, Stamp, Swap,
    Tenure, Timing, create_free,
};
use leasehold_kubernetes::KubernetesLock;
use serde_json::{Value, json};
use tokio::time;
use tokio_util::sync::CancellationToken;

/// What client-go writes while it leads.
fn of_client_go(holder: &str, seconds: i64, transitions: i64) -> Value {
    json!({
        "holderIdentity": holder,
        "leaseDurationSeconds": seconds,
        "acquireTime": now(),
        "renewTime": now(),
        "leaseTransitions": transitions,
    })
}

/// What client-go writes when it gives up a lease, whoever's it is by then.
fn blanked(transitions: &Value) -> Value {
    json!({ "spec": {
        "holderIdentity": "",
        "leaseDurationSeconds": 1,
        "acquireTime": now(),
        "renewTime": now(),
        "leaseTransitions": transitions,
    }})
}

async fn write(
    lock: &KubernetesLock,
    seen: &Observation,
    tenure: Tenure,
    attempt: u64,
) -> Observation {
    let record = Record {
        era: seen.era.clone(),
        token: FencingToken::new(3).unwrap(),
        lease_duration: Duration::from_millis(2_500),
        stamp: Some(Stamp { author: RandomPart::new(7), attempt }),
        tenure,
    };
    match lock.swap(seen, &record).await.unwrap() {
        Swap::Written(seen) => seen,
        Swap::Refused(there) => panic!("refused: {there:?}"),
    }
}

async fn held(lock: &KubernetesLock) -> Observation {
    create_free(lock).await.unwrap();
    let seen = lock.observe().await.unwrap();
    write(lock, &seen, Tenure::Held { holder: "pod-a".into() }, 1).await
}

async fn tenure(lock: &KubernetesLock) -> Tenure {
    lock.observe().await.unwrap().record.unwrap().tenure
}

#[tokio::test]
async fn others_see_a_holder_a_duration_rounded_up_and_times_that_make_sense() {
    let subject = Subject::new();
    let lock = subject.lock().await;
    let first = held(&lock).await;
    let spec = subject.spec();
    assert_eq!(spec["holderIdentity"], "pod-a_0000000000000007");
    assert_eq!(spec["leaseDurationSeconds"], 3);
    assert_eq!(spec["leaseTransitions"], 1);
    assert!(spec.get("strategy").is_none() && spec.get("preferredHolder").is_none(), "{spec}");

    let renewed = write(&lock, &first, Tenure::Held { holder: "pod-a".into() }, 2).await;
    let again = subject.spec();
    for field in ["holderIdentity", "acquireTime", "leaseTransitions"] {
        assert_eq!(again[field], spec[field], "{field} changed with a renewal");
    }
    assert_ne!(again["renewTime"], spec["renewTime"]);

    let released = write(&lock, &renewed, Tenure::Free, 3).await;
    assert_eq!(subject.spec()["holderIdentity"], "");
    write(&lock, &released, Tenure::Held { holder: "pod-a".into() }, 4).await;
    let spec = subject.spec();
    assert_eq!(spec["leaseTransitions"], 2);
    assert_ne!(spec["acquireTime"], again["acquireTime"]);
}

#[tokio::test]
async fn what_others_put_there_stays() {
    let subject = Subject::new();
    let lock = subject.lock().await;
    let seen = held(&lock).await;
    subject.patch(&json!({ "metadata": {
        "labels": { "team": "shop" },
        "annotations": { "note": "do not touch" },
        "finalizers": ["example.com/keep"],
    }}));
    let touched = lock.observe().await.unwrap();
    assert_eq!(touched.record, seen.record);
    let renewed = write(&lock, &touched, Tenure::Held { holder: "pod-a".into() }, 2).await;
    write(&lock, &renewed, Tenure::Free, 3).await;
    let metadata = subject.object()["metadata"].clone();
    subject.patch(&json!({ "metadata": { "finalizers": null } }));
    assert_eq!(metadata["labels"]["team"], "shop");
    assert_eq!(metadata["annotations"]["note"], "do not touch");
    assert_eq!(metadata["finalizers"][0], "example.com/keep");
}

#[tokio::test]
async fn a_holder_of_another_library_is_held_for_the_whole_duration_of_the_record() {
    let subject = Subject::new();
    subject.create(&of_client_go("pod-b_1234", 7, 4));
    let lock = subject.lock().await;
    let seen = lock.observe().await.unwrap();
    let record = seen.record.clone().unwrap();
    assert_eq!(holder(&seen), Some("pod-b_1234"));
    assert_eq!(record.lease_duration, Duration::from_secs(7));
    assert_eq!(record.era, seen.era, "it would be waited out twice");
    // A label is no renewal, a renewal is one.
    subject.label("a=b");
    assert_eq!(lock.observe().await.unwrap().record, Some(record.clone()));
    subject.patch(&json!({ "spec": { "renewTime": now() } }));
    assert_ne!(lock.observe().await.unwrap().record, Some(record));
}

#[tokio::test]
async fn an_empty_lease_without_a_word_of_ours_is_free() {
    let subject = Subject::new();
    subject.create(&json!({}));
    assert_eq!(tenure(&subject.lock().await).await, Tenure::Free);
}

#[tokio::test]
async fn a_lease_that_was_blanked_under_a_leader_of_ours_is_not_free() {
    let subject = Subject::new();
    let lock = subject.lock().await;
    held(&lock).await;
    let transitions = subject.spec()["leaseTransitions"].clone();
    subject.patch(&blanked(&transitions));
    assert_eq!(tenure(&lock).await, Tenure::Vacant);
    // One that was frozen since long before.
    subject.patch(&blanked(&json!(0)));
    assert_eq!(tenure(&lock).await, Tenure::Vacant);
    subject.patch(&json!({ "spec": null }));
    assert_eq!(tenure(&lock).await, Tenure::Vacant);
}

/// Is held by another library, and released by it.
fn passes_through_other_hands(subject: &Subject) {
    let next = subject.spec()["leaseTransitions"].as_i64().unwrap() + 1;
    subject.patch(&json!({ "spec": of_client_go("pod-b_1234", 15, next) }));
    assert_eq!(subject.spec()["holderIdentity"], "pod-b_1234");
    subject.patch(&blanked(&json!(next)));
}

#[tokio::test]
async fn what_ours_have_released_and_another_library_has_held_since_and_released_is_free() {
    let subject = Subject::new();
    let lock = subject.lock().await;
    let seen = held(&lock).await;
    write(&lock, &seen, Tenure::Free, 2).await;
    passes_through_other_hands(&subject);
    assert_eq!(tenure(&lock).await, Tenure::Free);
}

/// It was blanked under a leader of ours, who may be cut off and at work, and taken and released by
/// others at once.
#[tokio::test]
async fn what_ours_have_not_released_is_not_free_by_passing_through_other_hands() {
    let subject = Subject::new();
    let lock = subject.lock().await;
    held(&lock).await;
    passes_through_other_hands(&subject);
    assert_eq!(tenure(&lock).await, Tenure::Vacant);
}

#[tokio::test]
async fn a_holder_that_was_overwritten_by_hand_is_held_by_that_one() {
    let subject = Subject::new();
    let lock = subject.lock().await;
    held(&lock).await;
    subject.patch(&json!({ "spec": { "holderIdentity": "kubectl" } }));
    let seen = lock.observe().await.unwrap();
    assert_eq!(holder(&seen), Some("kubectl"));
    assert!(!seen.record.unwrap().is_held_by(RandomPart::new(7)));
}

/// Each of them was written together with it.
#[tokio::test]
async fn an_annotation_that_a_field_does_not_agree_with_is_not_believed() {
    let subject = Subject::new();
    let lock = subject.lock().await;
    let mut seen = held(&lock).await;
    for (field, value) in [
        ("acquireTime", json!(now())),
        ("acquireTime", json!(null)),
        ("leaseTransitions", json!(0)),
        ("leaseTransitions", json!(100)),
        ("leaseDurationSeconds", json!(2)),
        ("holderIdentity", json!("pod-a")),
    ] {
        subject.patch(&json!({ "spec": { field: value } }));
        let void = lock.observe().await.unwrap();
        assert!(!void.record.clone().unwrap().is_held_by(RandomPart::new(7)), "{field}: {void:?}");
        seen = write(&lock, &void, Tenure::Held { holder: "pod-a".into() }, 1).await;
        assert!(seen.record.clone().unwrap().is_held_by(RandomPart::new(7)), "{field}: {seen:?}");
    }
    // What is for people alone is nobody's affair.
    subject.patch(&json!({ "spec": { "renewTime": now() } }));
    assert_eq!(lock.observe().await.unwrap().record, seen.record);
}

/// A fence that has once seen the greatest token refuses everybody for ever.
#[tokio::test]
async fn a_token_that_was_forged_is_not_believed() {
    let subject = Subject::new();
    let lock = subject.lock().await;
    held(&lock).await;
    let object = subject.object();
    let text = object["metadata"]["annotations"][ANNOTATION].as_str().unwrap();
    let mut forged: Value = serde_json::from_str(text).unwrap();
    let version: u64 = object["metadata"]["resourceVersion"].as_str().unwrap().parse().unwrap();
    for token in [version + 100_000, 1 << 52, 1 << 62] {
        forged["token"] = json!(token);
        subject
            .patch(&json!({ "metadata": { "annotations": { ANNOTATION: forged.to_string() } } }));
        let seen = lock.observe().await.unwrap();
        let record = seen.record.unwrap();
        assert_eq!(record.token, FencingToken::ZERO, "{record:?}");
        assert_eq!(record.holder(), Some("pod-a_0000000000000007"));
    }
}

#[tokio::test]
async fn a_release_that_comes_back_from_a_backup_is_of_another_era() {
    let subject = Subject::new();
    let lock = subject.lock().await;
    let seen = held(&lock).await;
    write(&lock, &seen, Tenure::Free, 2).await;
    subject.create_again(subject.object());
    let seen = lock.observe().await.unwrap();
    assert_ne!(seen.record.unwrap().era, seen.era);
}

#[tokio::test]
async fn impossible_values_are_waited_out() {
    let subject = Subject::new();
    subject.create(&json!({}));
    let lock = subject.lock().await;
    for spec in [
        json!({ "holderIdentity": "x", "leaseDurationSeconds": i32::MAX }),
        json!({ "holderIdentity": "x", "leaseDurationSeconds": null }),
        json!({ "holderIdentity": "x", "leaseDurationSeconds": 86_401 }),
        json!({ "holderIdentity": "(vacant)", "leaseDurationSeconds": 1 }),
    ] {
        subject.patch(&json!({ "spec": spec }));
        assert_eq!(tenure(&lock).await, Tenure::Vacant, "{spec}");
    }
    let odd = "\u{1}\n".repeat(2_000);
    for spec in [
        json!({ "holderIdentity": odd, "leaseDurationSeconds": 15 }),
        json!({ "holderIdentity": "x", "renewTime": "9999-12-31T23:59:59.999999Z" }),
        json!({ "acquireTime": "0001-01-01T00:00:00.000001Z", "renewTime": "0001-01-01T00:00:00.000000Z" }),
        json!({ "leaseTransitions": i32::MAX }),
    ] {
        subject.patch(&json!({ "spec": spec }));
        let seen = lock.observe().await.unwrap();
        let holder = holder(&seen).unwrap();
        assert!(!holder.contains('\n') && holder.chars().count() <= 253, "{holder:?}");
        // Whatever stands there, it can be written over.
        let written = write(&lock, &seen, Tenure::Held { holder: "pod-a".into() }, 1).await;
        assert!(written.record.unwrap().is_held_by(RandomPart::new(7)), "{spec}");
        subject.patch(&json!({ "spec": { "holderIdentity": "x", "leaseDurationSeconds": 15 } }));
    }
}

#[tokio::test]
async fn others_wait_for_a_vacant_lease_as_for_a_held_one() {
    let subject = Subject::new();
    let lock = subject.lock().await;
    let absent = lock.observe().await.unwrap();
    let record = Record {
        lease_duration: Duration::from_secs(15),
        stamp: Some(Stamp { author: RandomPart::new(7), attempt: 1 }),
        ..Record::unreadable(absent.era.clone())
    };
    assert!(matches!(lock.swap(&absent, &record).await.unwrap(), Swap::Written(_)));
    let spec = subject.spec();
    assert_eq!(spec["holderIdentity"], "(vacant)");
    assert_eq!(spec["leaseDurationSeconds"], 15);
}

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

fn fast() -> Timing {
    Timing::fast()
}

/// The holder is dead, and somebody labels its Lease all the time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_label_restarts_nobodys_wait() {
    let subject = Subject::new();
    subject.create(&of_client_go("pod-b_1234", 2, 1));
    let elector =
        Elector::new(subject.lock().await, Candidate::new("a").unwrap()).with_timing(fast());
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
async fn stops(what: &str, disturb: impl FnOnce(&Subject)) -> Subject {
    let subject = Subject::new();
    let lock = subject.lock().await;
    create_free(&lock).await.unwrap();
    // Its renewals are far apart: it is the watch that tells.
    let seconds = Duration::from_secs;
    let timing = Timing::new(seconds(60), seconds(45), seconds(20)).unwrap();
    let elector = Elector::new(lock, Candidate::new("a").unwrap()).with_timing(timing);
    let leadership = elector.campaign(&CancellationToken::new()).await.unwrap();
    let renewed = leadership.token();
    disturb(&subject);
    time::timeout(seconds(5), leadership.stopping())
        .await
        .unwrap_or_else(|_| panic!("{what}: still leads"));
    assert!(!leadership.is_current(), "{what}");
    leadership.resign().await;
    // Nothing was written by it after that, and nobody's token goes back.
    let lock = subject.lock().await;
    if let Some(record) = lock.observe().await.unwrap().record {
        assert!(!matches!(record.tenure, Tenure::Free), "{what}: its end has freed the lease");
        assert!(record.token <= renewed, "{what}: {record:?}");
    }
    subject
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_whose_lease_is_not_its_own_any_more_stops_at_once() {
    let deleted = stops("deleted", Subject::delete).await;
    assert_eq!(deleted.lock().await.observe().await.unwrap().record, None, "it was brought back");
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
    let elector = Elector::new(lock, Candidate::new("a").unwrap()).with_timing(fast());
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
