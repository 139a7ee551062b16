//! What is wrong at the server, with the way to it, or with what is kept there: an error that says
//! what to do, never a lease, and nothing of anybody's is lost.
mod contents;
mod permissions;
mod places;
mod servers;
mod sockets;
mod tls;

use std::{error, time::Duration};

use futures::StreamExt as _;
use leasehold_core::{
    Era, Error, ErrorKind, FencingToken, LeaseLock, Observation, RandomPart, Record, Stamp, Tenure,
    Version,
};
use leasehold_redis::{Redis, RedisConfig, RedisLock};
use leasehold_testkit::redis::{RedisServer, Value};

/// A lock that has not asked its server for anything.
fn lock(url: &str) -> RedisLock {
    let (config, name) = RedisConfig::from_url(url).unwrap();
    Redis::new(config).lock(name)
}

fn absent() -> Observation {
    Observation::absent(Era::new("0"), Version::ABSENT)
}

/// A record of somebody who would lead.
fn held(seen: &Observation) -> Record {
    Record {
        era: seen.era.clone(),
        token: FencingToken::new(seen.version.number() + 1).unwrap(),
        lease_duration: Duration::from_secs(1),
        stamp: Some(Stamp { author: RandomPart::random(), attempt: 1 }),
        tenure: Tenure::Held { holder: "somebody".into() },
    }
}

/// What a URL's server says to whoever connects, looks, would lead or watches: an error, each time
/// of the same kind. Returned is the connection's.
async fn refused(url: &str, kind: ErrorKind) -> Error {
    let looked = lock(url).observe().await.unwrap_err();
    let swapped = lock(url).swap(&absent(), &held(&absent())).await.unwrap_err();
    let watched = lock(url).watch().next().await.unwrap().unwrap_err();
    let connected = RedisLock::connect(url).await.unwrap_err();
    for error in [&looked, &swapped, &watched, &connected] {
        assert_eq!(error.kind(), kind, "{error:?}");
        assert_says_all_once(error);
    }
    connected
}

/// Printed with all its sources, as `anyhow` does, no sentence comes twice.
#[track_caller]
fn assert_says_all_once(error: &Error) {
    let mut said = error.to_string();
    let mut source = error::Error::source(error);
    while let Some(below) = source {
        said += &format!(": {below}");
        source = below.source();
    }
    let sentences = said.split([';', ':']).map(str::trim);
    for sentence in sentences.filter(|sentence| sentence.split(' ').count() > 2) {
        assert_eq!(said.matches(sentence).count(), 1, "{sentence:?} comes twice: {said}");
    }
}

/// It is said, and no secret is: neither as it is nor as it stands in a URL.
#[track_caller]
fn assert_says(error: &Error, parts: &[&str], secrets: &[&str]) {
    assert_says_all_once(error);
    let said = error.to_string();
    for part in parts {
        assert!(said.contains(part), "{part:?} is missing: {said}");
    }
    let all = format!("{error} {error:?} {error:#?}");
    for secret in secrets {
        assert!(!all.contains(secret), "{all}");
    }
}

fn key(lease: &str) -> String {
    format!("leasehold:{lease}")
}

/// What is kept in a place, byte for byte.
fn kept(server: &RedisServer, lease: &str) -> Value {
    server.command(&["DUMP", &key(lease)])
}
