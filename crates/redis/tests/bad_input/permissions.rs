//! Who may not get in, or may not do what a candidate does.

use std::sync::LazyLock;

use futures::StreamExt as _;
use leasehold_core::{ErrorKind, LeaseLock, create_free};
use leasehold_testkit::redis::{RedisOptions, RedisServer, Value};

use super::{assert_says, held, kept, key, lock, refused};

const PASSWORD: &str = "hunter2";
const NEEDED: [&str; 8] = ["EVAL", "EVALSHA", "INFO", "TIME", "EXISTS", "HMGET", "HSET", "PUBLISH"];

static SERVER: LazyLock<RedisServer> = LazyLock::new(|| RedisOptions::new().acl().start().unwrap());

/// A user of this name with these rules, and the URL of the lease of the same name.
fn user(name: &str, rules: &[&str]) -> String {
    let words = ["ACL", "SETUSER", name, "reset", "on", ">hunter2"];
    SERVER.command(&[&words, rules].concat());
    format!("redis://{name}:{PASSWORD}@{}#{name}", SERVER.address())
}

fn user_without(name: &str, command: &str) -> String {
    let rules: Vec<_> = NEEDED
        .into_iter()
        .chain(["SUBSCRIBE", "UNSUBSCRIBE"])
        .filter(|needed| *needed != command)
        .map(|needed| format!("+{}", needed.to_lowercase()))
        .collect();
    let rules: Vec<_> = rules.iter().map(String::as_str).collect();
    user(name, &[&["~leasehold:*", "&leasehold:*"], &rules[..]].concat())
}

fn why(url: &str) -> &'static str {
    match url.contains('@') {
        true => "check the user and the password",
        false => "this server wants a password: none was given",
    }
}

#[tokio::test]
async fn a_wrong_password_an_unknown_user_or_none_is_denied() {
    let address = SERVER.address();
    for url in [
        format!("redis://leasehold:{PASSWORD}@{address}#jobs"),
        format!("redis://nobody:{PASSWORD}@{address}#jobs"),
        format!("redis://:{PASSWORD}@{address}#jobs"),
        format!("redis://{address}#jobs"),
    ] {
        let error = refused(&url, ErrorKind::Denied).await;
        assert_says(&error, &[why(&url), &address.to_string()], &[PASSWORD]);
    }
    let server = RedisOptions::new().password("correct horse").start().unwrap();
    let address = server.address();
    for url in [
        format!("redis://:{PASSWORD}@{address}#jobs"),
        format!("redis://default:{PASSWORD}@{address}#jobs"),
        format!("redis://correct:horse@{address}#jobs"),
        format!("redis://{address}#jobs"),
    ] {
        let error = refused(&url, ErrorKind::Denied).await;
        assert_says(&error, &[why(&url)], &[PASSWORD, "correct horse"]);
    }
}

#[tokio::test]
async fn each_command_that_a_user_lacks_is_named_and_nothing_is_written() {
    for command in NEEDED {
        let name = format!("without-{command}");
        let url = user_without(&name, command);
        // Else nobody notices that the script cannot be sent.
        SERVER.command(&["SCRIPT", "FLUSH"]);
        let error = refused(&url, ErrorKind::Denied).await;
        let added = format!("+{}", command.to_lowercase());
        assert!(error.to_string().to_uppercase().contains(command), "{error}");
        assert_says(&error, &[&added, "~leasehold:*", "&leasehold:*"], &[PASSWORD]);
        assert_eq!(SERVER.command(&["EXISTS", &key(&name)]), Value::Int(0), "{command}");
    }
}

#[tokio::test]
async fn a_candidate_that_may_not_subscribe_learns_it_by_watching_and_goes_on_without() {
    let lock = lock(&user_without("without-subscribe", "SUBSCRIBE"));
    create_free(&lock).await.unwrap();
    let mut watch = lock.watch();
    let error = watch.next().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert_says(&error, &["subscribe", "+subscribe"], &[PASSWORD]);
    assert!(watch.next().await.is_none());
    assert!(lock.observe().await.unwrap().record.is_some());
}

#[tokio::test]
async fn a_user_who_lacks_the_lease_s_key_or_its_channel_is_told_which_pattern_to_add() {
    let all = ["+@all"];
    for (name, patterns) in [
        ("other-key", ["~other:*", "&leasehold:*"]),
        ("other-channel", ["~leasehold:*", "&other:*"]),
        ("only-read", ["%R~leasehold:*", "&leasehold:*"]),
    ] {
        let url = user(name, &[&patterns[..], &all].concat());
        let error = refused(&url, ErrorKind::Denied).await;
        assert_says(&error, &["~leasehold:*", "&leasehold:*"], &[PASSWORD]);
        assert_eq!(SERVER.command(&["EXISTS", &key(name)]), Value::Int(0), "{name}");
    }
}

#[tokio::test]
async fn a_user_who_may_not_choose_a_database_is_told_so() {
    let url = user_without("without-select", "SELECT").replace('#', "/1#");
    let error = refused(&url, ErrorKind::Denied).await;
    assert_says(&error, &["+select"], &[PASSWORD]);
}

#[tokio::test]
async fn a_database_that_the_server_does_not_have_is_named() {
    let url = SERVER.url("jobs").replace('#', "/99#");
    SERVER.command(&["ACL", "SETUSER", "leasehold", "+select"]);
    let error = refused(&url, ErrorKind::Invalid).await;
    assert_says(&error, &["database 99", "DB index is out of range"], &[PASSWORD]);
}

#[tokio::test]
async fn a_permission_that_is_taken_away_from_a_leader_costs_no_record() {
    let name = "taken-away";
    let lock = lock(&user_without(name, "nothing"));
    create_free(&lock).await.unwrap();
    let seen = lock.observe().await.unwrap();
    lock.swap(&seen, &held(&seen)).await.unwrap();
    let seen = lock.observe().await.unwrap();
    let before = kept(&SERVER, name);
    SERVER.command(&["ACL", "SETUSER", name, "-hset"]);
    let error = lock.swap(&seen, &held(&seen)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert_says(&error, &["HSET"], &[PASSWORD]);
    assert_eq!(kept(&SERVER, name), before);
    // A user who is gone is cut off by the server, and not let in again.
    SERVER.command(&["ACL", "DELUSER", name]);
    let cut = lock.swap(&seen, &held(&seen)).await.unwrap_err();
    assert!([ErrorKind::Unreachable, ErrorKind::Denied].contains(&cut.kind()), "{cut:?}");
    let denied = lock.swap(&seen, &held(&seen)).await.unwrap_err();
    assert_eq!(denied.kind(), ErrorKind::Denied, "{denied:?}");
    for error in [cut, denied] {
        assert_says(&error, &[], &[PASSWORD]);
    }
    assert_eq!(kept(&SERVER, name), before);
}

#[tokio::test]
async fn a_password_that_is_changed_is_noticed_when_the_connection_ends() {
    let name = "changed";
    let url = user_without(name, "nothing");
    let lock = lock(&url);
    create_free(&lock).await.unwrap();
    let mut watch = lock.watch();
    let mut seen = watch.next().await.unwrap().unwrap();
    SERVER.command(&["ACL", "SETUSER", name, "<hunter2", ">rabbit3"]);
    for _ in 0..3 {
        lock.swap(&seen, &held(&seen)).await.unwrap();
        seen = watch.next().await.unwrap().unwrap();
    }

    SERVER.command(&["CLIENT", "KILL", "USER", name]);
    assert!(watch.next().await.unwrap().is_err());
    let error = refused(&url, ErrorKind::Denied).await;
    assert_says(&error, &["check the user and the password"], &[PASSWORD, "rabbit3"]);
    let error = lock.swap(&seen, &held(&seen)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied, "{error:?}");
    let renamed = url.replace(PASSWORD, "rabbit3");
    assert_eq!(super::lock(&renamed).observe().await.unwrap(), seen);
}
