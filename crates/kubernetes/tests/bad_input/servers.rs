//! Whoever answers is no apiserver, not the right one, or busy.

use leasehold_core::{ErrorKind, LeaseLock, Record};
use leasehold_kubernetes::{Kubernetes, KubernetesConfig};
use leasehold_testkit::kubernetes::Apiserver;
use serde_json::json;

use super::{SECRET, assert_says, connect, refused, stranger::Stranger, stranger_at, url};
use crate::common::kubeconfig;

#[tokio::test]
async fn a_server_without_tls_is_told_from_one_with_a_wrong_certificate() {
    let stranger = Stranger::who_answers("200 OK", "text/plain", "hello").await;
    let file = stranger_at(&format!("https://{}", stranger.address));
    refused(&file, ErrorKind::Invalid, &["does not speak TLS"]).await;

    // Signed by nobody that is trusted, and valid for another name.
    let own = rcgen::generate_simple_self_signed(["elsewhere".to_owned()]).unwrap();
    let file = kubeconfig(|cluster, user| {
        use base64::Engine as _;
        let pem = base64::engine::general_purpose::STANDARD.encode(own.cert.pem());
        cluster["certificate-authority-data"] = json!(pem);
        *user = json!({ "token": SECRET });
    });
    refused(&file, ErrorKind::Invalid, &["certificate-authority"]).await;
    let file = kubeconfig(|cluster, _| cluster["tls-server-name"] = json!("elsewhere"));
    refused(&file, ErrorKind::Invalid, &["tls-server-name"]).await;

    // TLS, and spoken to without: it says so in plain text, or hangs up.
    let error = connect(&stranger_at(&format!("http://{}", Apiserver::shared().address()))).await;
    assert!(matches!(error.kind(), ErrorKind::Unexpected | ErrorKind::Unreachable), "{error}");
    assert_says(&error, error.kind(), &["https://"]);
}

#[tokio::test]
async fn nonsense_is_never_an_answer() {
    let page = "<html>hunter2</html>";
    let lease =
        r#"{"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"jobs"}}"#;
    let json = "application/json";
    let unexpected = ErrorKind::Unexpected;
    for (status, kind, body) in [
        ("200 OK", "text/html", page),
        ("404 Not Found", "text/html", page),
        ("409 Conflict", "text/html", page),
        ("502 Bad Gateway", "text/html", page),
        ("200 OK", json, ""),
        ("200 OK", json, "null"),
        ("200 OK", json, &lease[..40]),
        (
            "404 Not Found",
            json,
            r#"{"kind":"Status","code":404,"reason":"NotFound","message":"the server could not find the requested resource"}"#,
        ),
        ("404 Not Found", json, r#"{"error":"no such route"}"#),
        ("409 Conflict", json, r#"{"error":"hunter2"}"#),
    ] {
        let stranger = Stranger::who_answers(status, kind, body).await;
        let (config, name) =
            KubernetesConfig::from_url(&url(stranger.kubeconfig().path())).unwrap();
        let file = stranger.kubeconfig();
        let config = config.with_kubeconfig(file.path());
        let lock = Kubernetes::new(config).await.unwrap().lock(name).unwrap();
        let looked = lock.observe().await.unwrap_err();
        assert_says(&looked, unexpected, &["see whether"]);
        let absent = leasehold_core::Observation::absent(
            leasehold_core::Era::new("none"),
            leasehold_core::Version::ABSENT,
        );
        let swapped =
            lock.swap(&absent, &Record::unreadable(absent.era.clone())).await.unwrap_err();
        assert_says(&swapped, unexpected, &["see whether"]);
    }
    // Half a Lease, and one without a version.
    let stranger = Stranger::who_answers("200 OK", json, lease).await;
    assert_says(&connect(&stranger.kubeconfig()).await, unexpected, &["without a uid"]);
    // Cut off in the middle, and no HTTP at all.
    for words in ["HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{", "hunter2\r\n\r\n", ""] {
        let stranger = Stranger::who_says(words.to_owned()).await;
        let error = connect(&stranger.kubeconfig()).await;
        assert_says(&error, error.kind(), &["see"]);
        assert!(matches!(error.kind(), ErrorKind::Unreachable | ErrorKind::Unexpected), "{error}");
    }
}

#[tokio::test]
async fn a_busy_apiserver_is_no_refusal() {
    for (status, body, said) in [
        (
            "429 Too Many Requests",
            r#"{"kind":"Status","status":"Failure","code":429,"reason":"TooManyRequests","message":"too many requests"}"#,
            "overloaded",
        ),
        (
            "503 Service Unavailable",
            r#"{"kind":"Status","status":"Failure","code":503,"reason":"ServiceUnavailable","message":"etcd is gone"}"#,
            "etcd is gone",
        ),
        (
            "504 Gateway Timeout",
            r#"{"kind":"Status","status":"Failure","code":504,"reason":"Timeout","message":"request timed out"}"#,
            "timed out",
        ),
    ] {
        let stranger = Stranger::who_answers(status, "application/json", body).await;
        refused(&stranger.kubeconfig(), ErrorKind::Unreachable, &[said]).await;
        // Four calls, and perhaps a read after the write. kube's own client sends each 16 times.
        assert!(stranger.visitors() <= 5, "requests were sent again: {}", stranger.visitors());
    }
}
