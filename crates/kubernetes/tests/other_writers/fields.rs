//! What stands in the fields that everybody understands.

use std::time::Duration;

use leasehold_core::{LeaseLock, RandomPart, Record, Stamp, Swap, Tenure};
use serde_json::json;

use super::{held, of_client_go, tenure, write};
use crate::common::{Subject, holder, now};

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
async fn a_holder_that_was_overwritten_by_hand_is_held_by_that_one() {
    let subject = Subject::new();
    let lock = subject.lock().await;
    held(&lock).await;
    subject.patch(&json!({ "spec": { "holderIdentity": "kubectl" } }));
    let seen = lock.observe().await.unwrap();
    assert_eq!(holder(&seen), Some("kubectl"));
    assert!(!seen.record.unwrap().is_held_by(RandomPart::new(7)));
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
