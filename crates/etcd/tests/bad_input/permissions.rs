//! Who may not get in, or may not do what a candidate does.

use std::sync::LazyLock;

use futures::StreamExt as _;
use leasehold_core::{ErrorKind, LeaseLock, LeaseName, Swap, create_free};
use leasehold_etcd::{Etcd, EtcdConfig};
use leasehold_testkit::etcd::{EtcdOptions, EtcdServer};

use super::{assert_says, held, lock, refused};

const PASSWORD: &str = "hunter2";

static SERVER: LazyLock<EtcdServer> = LazyLock::new(|| EtcdOptions::new().auth().start().unwrap());

/// A user of this name with this permission, and the URL of the lease of the same name.
fn user(name: &str, permission: &[&str]) -> String {
    SERVER.etcdctl(&["role", "add", name]);
    if !permission.is_empty() {
        SERVER.etcdctl(&[&["role", "grant-permission", name], permission].concat());
    }
    SERVER.etcdctl(&["user", "add", &format!("{name}:{PASSWORD}")]);
    SERVER.etcdctl(&["user", "grant-role", name, name]);
    format!("etcd://{name}:{PASSWORD}@{}/{name}", SERVER.address())
}

#[tokio::test]
async fn a_wrong_password_an_unknown_user_or_none_is_denied() {
    let address = SERVER.address();
    for url in [
        format!("etcd://leasehold:{PASSWORD}@{address}/jobs"),
        format!("etcd://nobody:{PASSWORD}@{address}/jobs"),
    ] {
        let error = refused(&url, ErrorKind::Denied).await;
        assert_says(&error, &["user and the password", &address.to_string()], &[PASSWORD]);
    }
    let error = refused(&format!("etcd://{address}/jobs"), ErrorKind::Denied).await;
    assert_says(&error, &["it wants a user"], &[PASSWORD]);
}

#[tokio::test]
async fn credentials_for_an_etcd_that_asks_nobody_are_denied() {
    let url = format!("etcd://app:{PASSWORD}@{}/jobs", EtcdServer::shared().address());
    let error = refused(&url, ErrorKind::Denied).await;
    assert_says(&error, &["authentication is not enabled", "etcdctl auth enable"], &[PASSWORD]);
}

#[tokio::test]
async fn who_lacks_the_prefix_is_told_the_command_that_grants_it() {
    for (name, permission) in [
        ("without", &[][..]),
        ("elsewhere", &["--prefix=true", "readwrite", "other/"]),
        ("only-write", &["--prefix=true", "write", "leasehold/"]),
    ] {
        let error = refused(&user(name, permission), ErrorKind::Denied).await;
        let grant = "etcdctl role grant-permission ROLE --prefix=true readwrite \"leasehold/\"";
        assert_says(&error, &["permission denied", grant, name], &[PASSWORD]);
        assert_eq!(SERVER.etcdctl(&["get", &format!("leasehold/{name}")]), "");
    }
    let grant = ["--prefix=true", "readwrite", "leasehold/"];
    lock(&user("granted", &grant)).observe().await.unwrap();
}

#[tokio::test]
async fn who_may_only_read_looks_and_watches_and_writes_nothing() {
    let url = user("only-read", &["--prefix=true", "read", "leasehold/"]);
    let lock = lock(&url);
    let seen = lock.observe().await.unwrap();
    lock.watch().next().await.unwrap().unwrap();
    let error = lock.swap(&seen, &held(&seen)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert_says(&error, &["permission denied", "readwrite"], &[PASSWORD]);
    assert_eq!(lock.observe().await.unwrap().record, None);
}

#[tokio::test]
async fn who_may_use_its_lease_but_not_the_prefix_has_a_watch_for_one_lease_alone() {
    let url = user("one-key", &["readwrite", "leasehold/one-key"]);
    let alone = lock(&url);
    create_free(&alone).await.unwrap();
    assert!(alone.watch().next().await.unwrap().unwrap().record.is_some());

    let (config, name) = EtcdConfig::from_url(&url).unwrap();
    let etcd = Etcd::new(config);
    let [lock, another] =
        [name, LeaseName::new("another-key").unwrap()].map(|name| etcd.lock(name));
    let mut watches = [lock.watch(), another.watch()];
    let error = loop {
        // What is there; and then that no more will be told.
        if let Err(error) = watches[0].next().await.unwrap() {
            break error;
        }
        let _ = watches[1].next().await;
    };
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert_says(&error, &["watch", "permission denied", "--prefix=true"], &[PASSWORD]);
    assert!(watches[0].next().await.is_none());
    assert!(lock.observe().await.unwrap().record.is_some());
}

#[tokio::test]
async fn a_permission_that_is_taken_away_from_a_leader_costs_no_record() {
    let name = "taken-away";
    let lock = lock(&user(name, &["--prefix=true", "readwrite", "leasehold/"]));
    let seen = lock.observe().await.unwrap();
    let Swap::Written(seen) = lock.swap(&seen, &held(&seen)).await.unwrap() else { panic!() };
    SERVER.etcdctl(&["role", "revoke-permission", "--prefix=true", name, "leasehold/"]);
    let error = lock.swap(&seen, &held(&seen)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert_says(&error, &["permission denied"], &[PASSWORD]);
    SERVER.etcdctl(&["user", "delete", name]);
    let error = lock.swap(&seen, &held(&seen)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert_says(&error, &[], &[PASSWORD]);
    let kept = SERVER.etcdctl(&["get", "--print-value-only", &format!("leasehold/{name}")]);
    assert_eq!(kept, seen.record.unwrap().to_json());
}
