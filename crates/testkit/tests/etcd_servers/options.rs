//! What a server may be asked to be.

use std::fs;

use leasehold_testkit::etcd::EtcdOptions;

#[test]
fn over_tls_a_server_shows_a_certificate_of_its_own_authority() {
    let server = EtcdOptions::new().tls().start().unwrap();
    assert_eq!(server.etcdctl(&["put", "key", "value"]), "OK");
    let ca = server.ca().unwrap();
    assert!(fs::read_to_string(&ca).unwrap().starts_with("-----BEGIN CERTIFICATE-----"));
    let url = server.url("jobs");
    assert_eq!(url, format!("etcds://{}/jobs?ca={}", server.address(), ca.display()));
}

#[test]
fn a_server_may_want_certificates_of_its_clients() {
    let server = EtcdOptions::new().client_certificates().start().unwrap();
    assert_eq!(server.etcdctl(&["put", "key", "value"]), "OK");
    let url = server.url("jobs");
    assert!(url.contains("&cert=/") && url.contains("&key=/"), "{url}");
    let without = ["put", "key", "value", "--cert=", "--key=", "--command-timeout=1s"];
    assert!(server.try_etcdctl(&without).is_err());
}

#[test]
fn a_candidate_may_do_what_it_needs_and_nothing_else() {
    let server = EtcdOptions::new().auth().start().unwrap();
    let may = |words: &[&str]| server.try_etcdctl_of_a_candidate(words);
    assert_eq!(may(&["put", "leasehold/jobs", "x"]).unwrap(), "OK");
    assert_eq!(may(&["get", "--prefix", "leasehold/"]).unwrap(), "leasehold/jobs\nx");
    let beyond: [&[&str]; 4] =
        [&["get", "others"], &["put", "leasehold", "x"], &["user", "list"], &["auth", "disable"]];
    for words in beyond {
        let error = may(words).unwrap_err().to_string();
        assert!(error.contains("permission denied"), "{words:?}: {error}");
    }
    assert_eq!(server.etcdctl(&["put", "others", "x"]), "OK");
    server.restart();
    assert_eq!(server.etcdctl(&["get", "--print-value-only", "others"]), "x");
}

#[test]
fn no_password_is_shown() {
    let server = EtcdOptions::new().auth().start().unwrap();
    let error = server.try_etcdctl(&["nonsense"]).unwrap_err();
    let (shown, url) =
        (format!("{server:?} {} {error} {error:?}", server.log()), server.url("jobs"));
    assert_eq!(server.secrets().len(), 2);
    for secret in server.secrets() {
        assert!(!shown.contains(&secret), "{shown}");
        assert!(!url.contains(&secret), "a URL carries it encoded: {url}");
    }
}

#[test]
fn a_server_that_is_full_refuses_writes() {
    let server = EtcdOptions::new().quota(200_000).start().unwrap();
    let long = "x".repeat(100_000);
    // It counts what its file has grown by, ten times a second.
    let full = (0..1_000).find_map(|_| server.try_etcdctl(&["put", "key", &long]).err());
    assert!(full.unwrap().to_string().contains("database space exceeded"));
}

#[test]
fn an_argument_that_no_server_understands_is_an_error_with_its_words() {
    let error = EtcdOptions::new().argument("--nonsense=yes").start().unwrap_err();
    assert!(error.to_string().contains("nonsense"), "{error}");
}
