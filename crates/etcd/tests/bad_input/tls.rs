//! TLS that does not come about.

use std::{fs, sync::LazyLock};

use leasehold_core::{ErrorKind, LeaseLock};
use leasehold_etcd::EtcdLock;
use leasehold_testkit::etcd::{EtcdOptions, EtcdServer};
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
use tempfile::TempDir;

use super::{assert_says, lock, refused};

static OVER_TLS: LazyLock<EtcdServer> =
    LazyLock::new(|| EtcdOptions::new().tls().auth().start().unwrap());

fn says(error: &leasehold_core::Error, parts: &[&str]) {
    let secrets = OVER_TLS.secrets();
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
async fn tls_to_an_etcd_without_it_says_to_leave_it_out() {
    let url = format!("etcds://{}/jobs?ca={}", EtcdServer::shared().address(), ca());
    let error = lock(&url).observe().await.unwrap_err();
    says(&error, &["etcds://", "TLS"]);
    let kinds = [ErrorKind::Invalid, ErrorKind::Unreachable, ErrorKind::Timeout];
    assert!(kinds.contains(&error.kind()), "{error:?}");
}

#[tokio::test]
async fn plain_text_to_an_etcd_with_tls_says_to_turn_it_on() {
    let url = OVER_TLS.url("jobs").replace("etcds", "etcd");
    let error = refused(url.split_once('?').unwrap().0, ErrorKind::Unreachable).await;
    says(&error, &["TLS", "etcds://"]);
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

/// It is of a curve that only its makers' language knows.
#[tokio::test]
async fn the_certificate_that_etcd_makes_for_itself_is_refused_with_what_to_do_instead() {
    let server = EtcdOptions::new().auto_tls().start().unwrap();
    let error = refused(&server.url("jobs"), ErrorKind::Invalid).await;
    assert_says(&error, &["--auto-tls", "P-521", "--cert-file"], &[]);
}

#[tokio::test]
async fn a_certificate_for_another_host_is_refused() {
    let url = OVER_TLS.url("jobs");
    let url = url.replace("127.0.0.1", "127.0.0.1.nip.example");
    lock(&url).observe().await.unwrap_err();
    let url = OVER_TLS.url("jobs").replace("127.0.0.1", "localhost");
    EtcdLock::connect(&url).await.unwrap();
}

#[tokio::test]
async fn a_client_certificate_that_is_missing_or_somebody_else_s_is_refused() {
    let server = EtcdOptions::new().client_certificates().start().unwrap();
    let url = server.url("jobs");
    EtcdLock::connect(&url).await.unwrap();
    let without = url.split_once("&cert=").unwrap().0;
    let error = refused(without, ErrorKind::Denied).await;
    says(&error, &["certificate", "cert=", "key="]);

    let (_directory, certificate, key) = stranger();
    let with = format!("{without}&cert={certificate}&key={key}");
    let error = refused(&with, ErrorKind::Denied).await;
    says(&error, &["certificate", "cert=", "key="]);
}
