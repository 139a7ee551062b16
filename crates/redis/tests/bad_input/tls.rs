//! TLS that does not come about.

use std::{fs, sync::LazyLock};

use leasehold_core::{ErrorKind, LeaseLock};
use leasehold_redis::RedisLock;
use leasehold_testkit::{
    Stranger, Then,
    redis::{RedisOptions, RedisServer},
};
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
use tempfile::TempDir;

use super::{absent, assert_says, held, lock, refused};

static OVER_TLS: LazyLock<RedisServer> =
    LazyLock::new(|| RedisOptions::new().tls().acl().start().unwrap());

fn secrets() -> Vec<String> {
    OVER_TLS.secrets()
}

fn says(error: &leasehold_core::Error, parts: &[&str]) {
    let secrets = secrets();
    assert_says(error, parts, &secrets.iter().map(String::as_str).collect::<Vec<_>>());
}

/// An authority that has signed nothing, with its key.
fn stranger() -> (TempDir, String, String) {
    let directory = tempfile::tempdir().unwrap();
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new([]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let path = |name| directory.path().join(name);
    fs::write(path("ca.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
    fs::write(path("ca.key"), key.serialize_pem()).unwrap();
    let (ca, key) = (path("ca.pem").display().to_string(), path("ca.key").display().to_string());
    (directory, ca, key)
}

fn ca() -> String {
    OVER_TLS.ca().unwrap().display().to_string()
}

#[tokio::test]
async fn tls_to_a_server_without_it_says_to_leave_it_out() {
    let plain = RedisServer::shared();
    let url = format!("rediss://{}?ca={}#jobs", plain.address(), ca());
    // A server that waits for the end of a line.
    let error = lock(&url).observe().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    says(&error, &["rediss://", "whether it speaks TLS"]);
    lock(&url).swap(&absent(), &held(&absent())).await.unwrap_err();
    // And one that answers at once.
    let other = Stranger::who_says(b"-ERR unknown\r\n", Then::Closes).await;
    let error = refused(&format!("rediss://{}#jobs", other.address()), ErrorKind::Invalid).await;
    says(&error, &["does not speak TLS", "redis://"]);
}

#[tokio::test]
async fn plain_text_to_a_server_with_tls_says_to_turn_it_on() {
    let url = OVER_TLS.url("jobs").replace("rediss", "redis");
    let url = format!("{}#jobs", url.split_once('?').unwrap().0);
    let error = refused(&url, ErrorKind::Unreachable).await;
    says(&error, &["TLS", "rediss://"]);
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_refused() {
    let (_directory, other, _) = stranger();
    for url in [
        OVER_TLS.url("jobs").replace(&ca(), &other),
        OVER_TLS.url("jobs").replace(&format!("?ca={}", ca()), ""),
    ] {
        let error = refused(&url, ErrorKind::Invalid).await;
        says(&error, &["UnknownIssuer", "ca="]);
    }
}

#[tokio::test]
async fn a_certificate_for_another_host_is_refused_with_the_names_it_is_for() {
    let server = RedisOptions::new().tls().config_line("bind 127.0.0.1 127.0.0.2").start().unwrap();
    let url = server.url("jobs");
    let error = refused(&url.replace("127.0.0.1", "127.0.0.2"), ErrorKind::Invalid).await;
    says(&error, &["127.0.0.2", "localhost", "by a name that is in it"]);
    RedisLock::connect(&url.replace("127.0.0.1", "localhost")).await.unwrap();
}

#[tokio::test]
async fn a_client_certificate_that_is_missing_or_somebody_else_s_is_refused() {
    let server = RedisOptions::new().tls_with_client_certificates().start().unwrap();
    let url = server.url("jobs");
    RedisLock::connect(&url).await.unwrap();
    let without = format!("{}#jobs", url.split_once("&cert=").unwrap().0);
    let error = refused(&without, ErrorKind::Denied).await;
    says(&error, &["certificate", "cert=", "key="]);

    let (_directory, certificate, key) = stranger();
    let with = format!("{}&cert={certificate}&key={key}#jobs", url.split_once("&cert=").unwrap().0);
    let error = refused(&with, ErrorKind::Denied).await;
    says(&error, &["certificate", "cert=", "key="]);
}
