//! A program has the provider of cryptography that it chooses, or none, and keeps it so: what has to
//! guess one, guesses wrong where two are linked, and panics.

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

use leasehold_core::{LeaseLock, create_free};
use leasehold_kubernetes::KubernetesLock;
use leasehold_testkit::kubernetes::Apiserver;
use rustls::crypto::{CryptoProvider, ring};

/// In one test, since a process chooses once.
#[tokio::test]
async fn none_is_installed_and_one_that_is_chosen_is_used_and_stays() {
    let server = Apiserver::shared().new_namespace();
    let url = format!("{}&label_pod=true&pod=pod-a&events=true", server.url("jobs"));
    let lock = KubernetesLock::connect(&url).await.unwrap();
    create_free(&lock).await.unwrap();
    assert!(lock.observe().await.unwrap().record.is_some());
    // Who asks rustls to guess has it installed by that, or is told by a panic that there are two.
    assert!(CryptoProvider::get_default().is_none(), "it was guessed, and installed");

    let mut chosen = ring::default_provider();
    chosen.cipher_suites.truncate(1);
    let suite = chosen.cipher_suites[0].suite();
    chosen.install_default().unwrap();
    KubernetesLock::connect(&url).await.unwrap();
    let suites = &CryptoProvider::get_default().unwrap().cipher_suites;
    assert_eq!(suites.iter().map(|suite| suite.suite()).collect::<Vec<_>>(), [suite]);
}
