//! A program that has chosen its provider of cryptography keeps it.

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

use leasehold_redis::RedisLock;
use leasehold_testkit::redis::RedisOptions;
use rustls::crypto::{CryptoProvider, ring};

#[tokio::test]
async fn the_provider_that_a_program_has_installed_is_used_and_stays() {
    let mut chosen = ring::default_provider();
    chosen.cipher_suites.truncate(1);
    let suite = chosen.cipher_suites[0].suite();
    chosen.install_default().unwrap();

    let server = RedisOptions::new().tls_with_client_certificates().start().unwrap();
    RedisLock::connect(&server.url("jobs")).await.unwrap();
    let suites = &CryptoProvider::get_default().unwrap().cipher_suites;
    assert_eq!(suites.iter().map(|suite| suite.suite()).collect::<Vec<_>>(), [suite]);
}
