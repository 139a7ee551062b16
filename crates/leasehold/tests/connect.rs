//! A lock from a URL, and what is said of one that is none.

use leasehold::{Error, ErrorKind, LeaseLock, connect, create_free};

async fn refused(url: &str) -> Error {
    let error = connect(url).await.expect_err(url);
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    error
}

#[tokio::test]
async fn two_locks_of_one_memory_url_meet_in_one_lease() {
    let one = connect("memory:meet").await.unwrap();
    assert!(create_free(&one).await.unwrap());
    assert!(!create_free(&connect("memory:meet").await.unwrap()).await.unwrap());
    assert!(create_free(&connect("memory:other").await.unwrap()).await.unwrap());
}

#[tokio::test]
async fn a_name_is_decoded_and_described() {
    let lock = connect("memory:a%20b%2Fc").await.unwrap();
    assert_eq!(lock.describe(), "memory lease \"a b/c\"");
}

#[tokio::test]
async fn an_unknown_scheme_lists_the_known_ones() {
    let error = refused("zookeeper://host/jobs").await.to_string();
    assert!(error.contains("zookeeper") && error.contains("memory:NAME"), "{error}");
    assert!(error.contains("file:///absolute/dir/NAME"), "{error}");
    for form in [
        "etcd://",
        "etcds://",
        "kubernetes://",
        "redis://",
        "rediss://",
        "redis+unix:///",
        "redis+sentinel://",
        "rediss+sentinel://",
        "redis+cluster://",
        "rediss+cluster://",
    ] {
        assert!(error.contains(form), "{error}");
    }
}

#[tokio::test]
async fn what_other_programs_call_a_scheme_is_answered_with_ours() {
    for (url, meant) in [
        ("redis-sentinel://h/m#jobs", "redis+sentinel://"),
        ("REDIS-CLUSTER://h#jobs", "redis+cluster://"),
        ("unix:///run/redis.sock#jobs", "redis+unix://"),
        ("redis+ssl://h#jobs", "rediss://"),
        ("valkey://h#jobs", "redis://"),
        ("k8s:///jobs", "kubernetes://"),
    ] {
        let error = connect(url).await.unwrap_err().to_string();
        assert!(error.contains(&format!("perhaps {meant} is meant")), "{error}");
    }
    let error = connect("http://h").await.unwrap_err().to_string();
    assert!(!error.contains("perhaps"), "{error}");
}

#[tokio::test]
async fn a_known_scheme_whose_feature_is_off_says_which_to_turn_on() {
    let known = [
        ("file:///var/lib/app/jobs", "file", cfg!(feature = "file")),
        ("etcd://h/jobs", "etcd", cfg!(feature = "etcd")),
        ("etcds://a:1,b:2/jobs", "etcd", cfg!(feature = "etcd")),
        ("kubernetes:///jobs", "kubernetes", cfg!(feature = "kubernetes-unversioned")),
        ("redis://h#jobs", "redis", cfg!(feature = "redis")),
        ("rediss://:hunter2@h#jobs", "redis", cfg!(feature = "redis")),
        ("redis+unix:///x.sock#jobs", "redis", cfg!(feature = "redis")),
        ("redis+sentinel://a:1,b:2/m#jobs", "redis", cfg!(feature = "redis")),
        ("rediss+cluster://a:1,b:2#jobs", "redis", cfg!(feature = "redis")),
    ];
    for (url, feature, _) in known.iter().filter(|(.., on)| !on) {
        let error = refused(url).await.to_string();
        assert!(error.contains(&format!("features = [\"{feature}\"]")), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[tokio::test]
async fn an_url_that_does_not_parse_says_so_and_never_repeats_a_password() {
    for url in [
        "",
        "jobs",
        "://",
        ":hunter2@host/x",
        "hunter2@host:1/x",
        "redis:user:hunter2@host#x",
        "redis://user:hunter2@[broken/x",
        "redis+sentinel://user:hunter2@a,b#x",
        "ftp://me:hunter2@host/x",
    ] {
        let error = refused(url).await;
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    }
}

#[tokio::test]
async fn a_name_that_no_lease_can_have_is_refused_with_the_reason() {
    for (url, why) in [
        ("memory:", "empty"),
        ("memory:a\nb", "byte 8"),
        ("memory:a b", "percent-encode"),
        ("memory:a\\b", "percent-encode"),
        ("memory:a%00b", "control character at byte 1"),
        ("memory:%ff", "UTF-8"),
        (&format!("memory:{}", "x".repeat(254)), "254 bytes"),
    ] {
        let error = refused(url).await.to_string();
        assert!(error.contains(why), "{url}: {error}");
    }
}

#[cfg(feature = "file")]
mod file {
    use super::refused;
    use leasehold::{ErrorKind, LeaseLock, connect};

    #[tokio::test]
    async fn a_file_url_names_a_directory_and_a_lease_in_it() {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("file://{}/jobs%2F1", directory.path().display());
        let lock = connect(&url).await.unwrap();
        assert!(lock.describe().contains("\"jobs/1\""), "{}", lock.describe());
    }

    #[tokio::test]
    async fn a_file_url_of_another_form_says_which_form_it_wants() {
        for url in [
            "file:dir/jobs",
            "file:./dir/jobs",
            "file:/dir/jobs",
            "file://host/dir/jobs",
            "file:///jobs",
            "file:///dir/jobs?x",
            "file:///dir/#jobs",
        ] {
            let error = refused(url).await.to_string();
            assert!(
                error.contains("file:///absolute/dir/NAME") || error.contains("empty"),
                "{url}: {error}"
            );
        }
    }

    #[tokio::test]
    async fn a_directory_that_is_missing_is_named() {
        let error = connect("file:///no/such/place/jobs").await.unwrap_err();
        assert_ne!(error.kind(), ErrorKind::Unexpected);
        assert!(error.to_string().contains("/no/such/place"), "{error}");
    }
}

#[cfg(feature = "redis")]
mod redis {
    use super::refused;
    use leasehold::{ErrorKind, connect};

    #[tokio::test]
    async fn a_redis_url_of_another_form_says_which_form_it_wants() {
        for (url, form) in [
            ("redis:h#jobs", "redis://"),
            ("redis://h", "redis://[user:password@]host[:port][/db]#NAME"),
            ("redis+unix://x.sock#jobs", "redis+unix:///path/to.sock"),
            ("redis+sentinel://a:1,b:2#jobs", "/MASTER[/db]"),
            ("rediss+cluster://a:1,b:x#jobs", "redis+cluster://"),
            ("redis://h#a b", "percent-encode"),
        ] {
            let error = refused(url).await.to_string();
            assert!(error.contains(form), "{url}: {error}");
        }
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_is_named() {
        // Bound, so that nobody else gets the port, and not listened on.
        let nobody = tokio::net::TcpSocket::new_v4().unwrap();
        nobody.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = nobody.local_addr().unwrap();
        for url in [
            format!("redis://user:hunter2@{address}#jobs"),
            format!("redis+cluster://:hunter2@{address},{address}#jobs"),
            format!("redis+sentinel://:hunter2@{address}/m#jobs"),
            "redis+unix:///no/such/place.sock?password=hunter2#jobs".to_owned(),
        ] {
            let error = connect(&url).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unreachable, "{error}");
            let said = format!("{error} {error:?}");
            let place =
                if url.contains("unix") { "/no/such/place.sock" } else { &*address.to_string() };
            assert!(said.contains(place) && said.contains("\"jobs\""), "{said}");
            assert!(!said.contains("hunter2"), "{said}");
        }
    }
}

#[cfg(feature = "kubernetes-unversioned")]
mod kubernetes {
    use super::refused;

    #[tokio::test]
    async fn a_kubernetes_url_of_another_form_says_which_form_it_wants() {
        for (url, why) in [
            ("kubernetes:jobs", "does not begin with kubernetes://"),
            ("kubernetes://jobs", "the slash in front of the name is missing"),
            ("kubernetes://10.0.0.1:6443/jobs", "a namespace stands where"),
            ("kubernetes:///Jobs", "lower case letters"),
            ("kubernetes:///jobs?token=hunter2", "unknown"),
            ("kubernetes:///jobs?kubeconfig=/no/such/file", "/no/such/file"),
        ] {
            let error = refused(url).await.to_string();
            assert!(error.contains(why) && !error.contains("hunter2"), "{url}: {error}");
        }
    }
}

#[cfg(feature = "etcd")]
mod etcd {
    use super::refused;
    use leasehold::{ErrorKind, connect};

    #[tokio::test]
    async fn an_etcd_url_of_another_form_says_which_form_it_wants() {
        for (url, why) in [
            ("etcd:h/jobs", "etcd://"),
            ("etcd://h", "/NAME"),
            ("etcd://h#jobs", "/NAME"),
            ("etcds://a:1,b:x/jobs", "no port"),
            ("etcd://h/jobs?ca=/x", "etcds://"),
            ("etcd://h/a b", "percent-encode"),
        ] {
            let error = refused(url).await.to_string();
            assert!(error.contains(why), "{url}: {error}");
        }
    }

    #[tokio::test]
    async fn an_etcd_that_is_not_there_is_named() {
        // Bound, so that nobody else gets the port, and not listened on.
        let nobody = tokio::net::TcpSocket::new_v4().unwrap();
        nobody.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = nobody.local_addr().unwrap();
        for url in [
            format!("etcd://user:hunter2@{address}/jobs"),
            format!("etcds://user:hunter2@{address},{address}/jobs"),
        ] {
            let error = connect(&url).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unreachable, "{error}");
            let said = format!("{error} {error:?}");
            assert!(said.contains(&address.to_string()) && said.contains("\"jobs\""), "{said}");
            assert!(!said.contains("hunter2"), "{said}");
        }
    }
}
