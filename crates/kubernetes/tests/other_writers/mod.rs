//! Others write to the Lease, too: client-go, operators, backups. Nothing is given away by it.

mod annotation;
mod blanks;
mod elections;
mod fields;
mod mixed_fleet;

use std::time::Duration;

use crate::common::now;
use leasehold_core::{
    FencingToken, LeaseLock, Observation, RandomPart, Record, Stamp, Swap, Tenure, create_free,
};
use leasehold_kubernetes::KubernetesLock;
use serde_json::{Value, json};

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
