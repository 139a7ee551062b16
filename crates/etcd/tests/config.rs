//! The URLs, and what is wrong with them.

use leasehold_core::{ErrorKind, LeaseLock, LeaseName};
use leasehold_etcd::{Etcd, EtcdConfig, EtcdLock, Tls};
use leasehold_testkit::etcd::EtcdOptions;

fn described(url: &str) -> String {
    let (config, name) = EtcdConfig::from_url(url).unwrap();
    Etcd::new(config).lock(name).describe()
}

#[test]
fn a_url_names_members_and_a_lease() {
    for (url, said) in [
        ("etcd://10.0.0.5/jobs", r#"etcd lease "jobs" at 10.0.0.5:2379"#),
        ("ETCD://h:7000/jobs", r#"etcd lease "jobs" at h:7000"#),
        ("etcd://a,b:7,[::1],[::2]:9/j", r#"etcd lease "j" at a:2379,b:7,[::1]:2379,[::2]:9"#),
        ("etcd://h/a%2Fb%3F%23%40%20%C3%A4", r#"etcd lease "a/b?#@ ä" at h:2379"#),
        ("etcd://u:p%40%2F%3A%3F@h/jobs", r#"etcd lease "jobs" at h:2379"#),
        ("etcd://h/jobs?prefix=team%2Fa/", r#"etcd lease "jobs" at h:2379, prefix "team/a/""#),
        ("etcds://h/jobs", r#"etcd lease "jobs" at h:2379"#),
    ] {
        assert_eq!(described(url), said);
    }
}

#[test]
fn a_url_and_a_configuration_say_the_same() {
    let (parsed, name) =
        EtcdConfig::from_url("etcd://app:p%40ss%3Aword@a,[::1]:7/jobs?prefix=x").unwrap();
    let built = EtcdConfig::new([("a", 2379), ("::1", 7)])
        .unwrap()
        .with_credentials("app", "p@ss:word")
        .with_prefix("x")
        .unwrap();
    assert_eq!((parsed, name), (built, LeaseName::new("jobs").unwrap()));
    let (parsed, _) = EtcdConfig::from_url("etcds://a/jobs").unwrap();
    assert_eq!(parsed, EtcdConfig::new([("a", 2379)]).unwrap().with_tls(Tls::new()));
}

#[test]
fn the_key_is_the_prefix_and_the_name() {
    let lock = |url| {
        let (config, name) = EtcdConfig::from_url(url).unwrap();
        Etcd::new(config).lock(name)
    };
    assert_eq!(lock("etcd://h/jobs").key(), "leasehold/jobs");
    assert_eq!(lock("etcd://h/a%2Fb?prefix=team/").key(), "team/a/b");
}

#[test]
fn what_is_wrong_with_a_url_is_said_and_nothing_of_it_repeated() {
    for (url, why) in [
        ("", "begins with neither"),
        ("etcd:/hunter2/jobs", "begins with neither"),
        ("http://hunter2/jobs", "http:// instead of etcd://"),
        ("https://u:hunter2@h/jobs", "https:// instead of etcds://"),
        ("ftp://hunter2/jobs", "begins with neither"),
        ("etcd://u:hunter2@/jobs", "a host is missing"),
        ("etcd://u:hunter2@h", "name of the lease is missing"),
        ("etcd://u:hunter2@h/", "name of the lease is missing"),
        ("etcd://u:hunter2@h,/jobs", "a host is missing"),
        ("etcd://u:hunter2@h:0/jobs", "no port"),
        ("etcd://u:hunter2@h:65536/jobs", "no port"),
        ("etcd://u:hunter2@h:+80/jobs", "no port"),
        ("etcd://u:hunter2@h:/jobs", "no port"),
        ("etcd://u:hunter2@::1/jobs", "several colons"),
        ("etcd://u:hunter2@[::1/jobs", "[::1]"),
        ("etcd://hunter2@h/jobs", "no user:password"),
        ("etcd://:hunter2@h/jobs", "no user:password"),
        ("etcd://u:@h/jobs", "no user:password"),
        ("etcd://u:hun/ter2@h/jobs", "%2F"),
        ("etcd://u:hun@ter2@h/jobs", "%40"),
        ("etcd://u:hun?ter2@h/jobs", "%3F"),
        ("etcd://u:hun#ter2@h/jobs", "%23"),
        ("etcd://u:hunter2@h/a/b", "%2F"),
        ("etcd://u:hunter2@h/jobs#x", "%23"),
        ("etcd://u:hunter2@h/%FF", "not UTF-8"),
        ("etcd://u:hunter2@h/jobs?color=hunter2", "\"color\" is unknown (known are prefix)"),
        ("etcd://u:hunter2@h/jobs?hunter2", "a parameter is unknown"),
        ("etcd://u:hunter2@h/jobs?prefix=", "has no value"),
        ("etcd://u:hunter2@h/jobs?prefix=a&prefix=b", "twice"),
        ("etcd://u:hunter2@h/jobs?ca=/hunter2", "etcds:// alone"),
        ("etcds://u:hunter2@h/jobs?cert=/hunter2", "go together"),
        ("etcds://u:hunter2@h/jobs?ca=/no/such/file", "/no/such/file"),
    ] {
        let error = EtcdConfig::from_url(url).expect_err(url);
        assert_eq!(error.kind(), ErrorKind::Invalid, "{url}: {error}");
        let said = format!("{error} {error:?} {error:#?}");
        assert!(said.contains(why), "{url}: {said}");
        for secret in ["hunter2", "hun", "ter2"] {
            assert!(!said.contains(secret), "{said}");
        }
    }
    let error = EtcdConfig::new(Vec::<(String, u16)>::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let empty = EtcdConfig::new([("h", 1)]).unwrap().with_prefix("").unwrap_err();
    assert_eq!(empty.kind(), ErrorKind::Invalid);
}

#[test]
fn no_secret_is_shown() {
    let (config, name) = EtcdConfig::from_url("etcd://app:hunter2@h/jobs").unwrap();
    let etcd = Etcd::new(config.clone());
    let lock = etcd.lock(name);
    for shown in [format!("{config:?}"), format!("{etcd:?}"), format!("{lock:?}")] {
        assert!(shown.contains("app") && !shown.contains("hunter2"), "{shown}");
    }
    assert!(!lock.describe().contains("hunter2"));
}

#[tokio::test]
async fn a_lease_is_kept_under_another_prefix_over_tls_with_a_certificate_and_a_password() {
    let server = EtcdOptions::new().client_certificates().auth().start().unwrap();
    let url = format!("{}&prefix=leasehold/team-a/", server.url("jobs"));
    let lock = EtcdLock::connect(&url).await.unwrap();
    leasehold_core::create_free(&lock).await.unwrap();
    let kept = server.etcdctl(&["get", "--prefix", "--keys-only", ""]);
    assert_eq!(kept.trim(), "leasehold/team-a/jobs");
}
