//! What is wrong at etcd, with the way to it, or with what is kept there: an error that says what
//! to do, never a lease, and nothing of anybody's is lost.
mod contents;
mod permissions;
mod sockets;
mod space;
mod tls;

use std::error::Error as _;

use crate::common::{held, lock};
use futures::StreamExt as _;
use leasehold_core::{Era, Error, ErrorKind, LeaseLock, Observation, Version};
use leasehold_etcd::EtcdLock;

fn absent() -> Observation {
    Observation::absent(Era::new("0"), Version::ABSENT)
}

/// What a URL's etcd says to whoever connects, looks, would lead or watches: an error, each time of
/// the same kind. Returned is the connection's.
async fn refused(url: &str, kind: ErrorKind) -> Error {
    let looked = lock(url).observe().await.unwrap_err();
    let swapped = lock(url).swap(&absent(), &held(&absent())).await.unwrap_err();
    let watched = lock(url).watch().next().await.unwrap().unwrap_err();
    let connected = EtcdLock::connect(url).await.unwrap_err();
    for error in [&looked, &swapped, &watched, &connected] {
        assert_eq!(error.kind(), kind, "{error:?}");
    }
    connected
}

/// It is said, and no secret is; and nothing is said twice where causes are printed too.
#[track_caller]
fn assert_says(error: &Error, parts: &[&str], secrets: &[&str]) {
    let said = error.to_string();
    for part in parts {
        assert!(said.contains(part), "{part:?} is missing: {said}");
    }
    let all = format!("{error} {error:?} {error:#?}");
    for secret in secrets {
        assert!(!all.contains(secret), "{all}");
    }
    let mut cause = error.source();
    while let Some(error) = cause {
        assert!(!said.contains(&error.to_string()), "{said}: {error}");
        cause = error.source();
    }
}
