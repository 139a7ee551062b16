//! What etcd gives at a login is valid for a while, and forgotten at a restart. A leader logs in
//! again, and keeps its lease.

use std::{fs, time::Duration};

use crate::common::{held, lock};
use futures::{StreamExt as _, future};
use leasehold_core::{Candidate, Elector, LeaseLock, Swap, Timing, create_free};
use leasehold_testkit::etcd::{EtcdOptions, EtcdServer};
use tempfile::NamedTempFile;
use tokio_util::sync::CancellationToken;

/// Logins of any candidate since the server began.
fn logins(server: &EtcdServer) -> f64 {
    server.metric(
        "grpc_server_handled_total",
        &[("grpc_method", "Authenticate"), ("grpc_code", "OK")],
    )
}

/// With tokens that say themselves how long after the login they end, whatever they are used for, and
/// what users and roles there were then. Their secret lives for as long as the server.
fn with_tokens_for(lifetime: &str) -> (EtcdServer, NamedTempFile) {
    let secret = NamedTempFile::new().unwrap();
    fs::write(secret.path(), "a secret of thirty-two bytes and more").unwrap();
    let path = secret.path().display();
    let token = format!("--auth-token=jwt,sign-method=HS256,priv-key={path},ttl={lifetime}");
    (EtcdOptions::new().auth().argument(token).start().unwrap(), secret)
}

#[tokio::test]
async fn a_leader_keeps_its_lease_beyond_the_lifetime_of_its_token() {
    let (server, _secret) = with_tokens_for("2s");
    let url = server.url("jobs");
    create_free(&lock(&url)).await.unwrap();
    let ms = Duration::from_millis;
    let elector = Elector::new(lock(&url), Candidate::new("pod-a").unwrap())
        .with_timing(Timing::new(ms(1_000), ms(700), ms(150)).unwrap());
    let lead = elector.campaign(&CancellationToken::new()).await.unwrap();
    let before = logins(&server);
    let standby = lock(&url);
    let mut watch = standby.watch();
    // Seven seconds: three lifetimes.
    let ended = tokio::time::timeout(ms(7_000), async {
        let renewals = async {
            while let Some(seen) = watch.next().await {
                seen.unwrap();
            }
        };
        future::select(std::pin::pin!(lead.stopping()), std::pin::pin!(renewals)).await;
    });
    assert!(ended.await.is_err(), "the lease was lost, or the watch");
    assert!(lead.is_current());
    let anew = logins(&server) - before;
    assert!((2.0..=12.0).contains(&anew), "{anew} logins");
    lead.resign().await;
}

#[tokio::test]
async fn a_token_that_ended_is_replaced_within_the_call() {
    let (server, _secret) = with_tokens_for("2s");
    let lock = lock(&server.url("jobs"));
    let mut seen = lock.observe().await.unwrap();
    for _ in 0..2 {
        // etcd's clock: it removes a token after two seconds, and counts whole seconds.
        tokio::time::sleep(Duration::from_millis(2_500)).await;
        match lock.swap(&seen, &held(&seen)).await.unwrap() {
            Swap::Written(written) => seen = written,
            Swap::Refused(there) => panic!("{there:?}"),
        }
    }
}

#[tokio::test]
async fn what_others_change_about_users_disturbs_no_candidate() {
    let (server, _secret) = with_tokens_for("10m");
    let lock = lock(&server.url("jobs"));
    let mut seen = lock.observe().await.unwrap();
    for round in 0..3 {
        // Each makes the tokens that were given before outdated.
        server.etcdctl(&["role", "add", &format!("role-{round}")]);
        match lock.swap(&seen, &held(&seen)).await.unwrap() {
            Swap::Written(written) => seen = written,
            Swap::Refused(there) => panic!("{there:?}"),
        }
    }
}
