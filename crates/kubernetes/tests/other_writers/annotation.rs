//! The annotation is believed only while it agrees with what everybody can see.

use std::time::Duration;

use leasehold_core::{FencingToken, LeaseLock, RandomPart, Tenure};
use serde_json::{Value, json};

use super::{held, write};
use crate::common::{ANNOTATION, Subject, now};

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

/// Its author may be alive, cut off, and know nothing of what others write.
#[tokio::test]
async fn the_duration_that_one_of_ours_was_promised_is_waited_out_whatever_is_written_since() {
    let changes = [
        json!({ "holderIdentity": "" }),
        json!({ "leaseDurationSeconds": 1 }),
        json!({ "holderIdentity": "kubectl", "leaseDurationSeconds": 1 }),
        // As client-go takes it over, and gives it back.
        json!({ "holderIdentity": "go", "leaseDurationSeconds": 1, "leaseTransitions": 100 }),
        json!({ "holderIdentity": "", "leaseDurationSeconds": 1, "leaseTransitions": 100 }),
    ];
    for change in changes {
        let subject = Subject::new();
        let lock = subject.lock().await;
        let promised = held(&lock).await.record.unwrap().lease_duration;
        assert!(promised > Duration::from_secs(1));
        subject.patch(&json!({ "spec": change }));
        let seen = lock.observe().await.unwrap().record.unwrap();
        assert_eq!(seen.lease_duration, promised, "{change}: {seen:?}");
        assert_ne!(seen.tenure, Tenure::Free, "{change}");
    }
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
