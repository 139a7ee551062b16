//! An empty holder: a release, or somebody who has blanked a leader of ours.

use leasehold_core::Tenure;
use serde_json::json;

use super::{blanked, held, of_client_go, tenure, write};
use crate::common::Subject;

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
