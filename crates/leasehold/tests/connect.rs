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
}

#[cfg(not(feature = "file"))]
#[tokio::test]
async fn a_known_scheme_whose_feature_is_off_says_which_to_turn_on() {
    let error = refused("file:///var/lib/app/jobs").await.to_string();
    assert!(error.contains("features = [\"file\"]"), "{error}");
}

#[tokio::test]
async fn an_url_that_does_not_parse_says_so_and_never_repeats_a_password() {
    for url in ["", "jobs", "://", "redis://user:hunter2@[broken/x", "ftp://me:hunter2@host/x"] {
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
