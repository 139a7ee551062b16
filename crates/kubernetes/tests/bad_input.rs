//! What is wrong with a configuration, with the way to the apiserver or with what answers there: an
//! error that says what to do, and never a lease.

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

mod common;

use std::{fs, net::SocketAddr, path::Path};

use common::{Subject, kubeconfig};
use futures::StreamExt;
use leasehold_core::{Error, ErrorKind, LeaseLock, LeaseName, Record};
use leasehold_kubernetes::{Kubernetes, KubernetesConfig, KubernetesLock};
use leasehold_testkit::kubernetes::Apiserver;
use serde_json::{Value, json};
use tempfile::NamedTempFile;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpSocket},
    task::JoinHandle,
};

const SECRET: &str = "hunter2";

fn url(file: &Path) -> String {
    format!("kubernetes:///jobs?kubeconfig={}", file.display())
}

async fn connect(file: &NamedTempFile) -> Error {
    KubernetesLock::connect(&url(file.path())).await.unwrap_err()
}

/// The operator's.
fn good_token() -> String {
    let token = "--output=jsonpath={.users[0].user.token}";
    Apiserver::shared().kubectl(&["config", "view", "--minify", "--raw", token])
}

/// A kubeconfig of whoever is at this address.
fn stranger_at(server: &str) -> NamedTempFile {
    kubeconfig(|cluster, user| {
        cluster["server"] = json!(server);
        *user = json!({ "token": SECRET });
    })
}

#[track_caller]
fn assert_says(error: &Error, kind: ErrorKind, parts: &[&str]) {
    let said = error.to_string();
    assert_eq!(error.kind(), kind, "{said}");
    for part in parts {
        assert!(said.contains(part), "{part:?} is missing: {said}");
    }
    let all = format!("{error} {error:?} {error:#?}");
    assert!(!all.contains(SECRET), "{all}");
    assert!(!said.contains('\n'), "{said}");
}

/// Whatever is asked there is an error of one kind; and what it says when one connects.
async fn refused(file: &NamedTempFile, kind: ErrorKind, parts: &[&str]) {
    let (config, name) = KubernetesConfig::from_url(&url(file.path())).unwrap();
    let lock = Kubernetes::new(config).await.unwrap().lock(name).unwrap();
    assert!(!format!("{lock:?} {}", lock.describe()).contains(SECRET));
    let looked = lock.observe().await.unwrap_err();
    let absent = leasehold_core::Observation::absent(
        leasehold_core::Era::new("none"),
        leasehold_core::Version::ABSENT,
    );
    let swapped = lock.swap(&absent, &Record::free(absent.era.clone())).await.unwrap_err();
    let watched = lock.watch().next().await.unwrap().unwrap_err();
    for error in [&looked, &swapped, &watched, &connect(file).await] {
        assert_says(error, kind, parts);
    }
}

/// Something that says this to whoever has said something.
struct Stranger {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Stranger {
    async fn who_says(words: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move {
            loop {
                let (mut connection, _) = listener.accept().await.unwrap();
                let words = words.clone();
                tokio::spawn(async move {
                    let mut heard = [0; 1 << 14];
                    let _ = connection.read(&mut heard).await;
                    let _ = connection.write_all(words.as_bytes()).await;
                    let _ = connection.shutdown().await;
                });
            }
        });
        Self { address, task }
    }

    async fn who_answers(status: &str, kind: &str, body: &str) -> Self {
        Self::who_says(format!(
            "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        ))
        .await
    }

    fn kubeconfig(&self) -> NamedTempFile {
        stranger_at(&format!("http://{}", self.address))
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[test]
fn a_url_that_is_none_is_refused_with_the_form() {
    let form = "kubernetes://[NAMESPACE]/NAME";
    for (url, said) in [
        ("", "does not begin"),
        ("kubernetes:jobs", "does not begin"),
        ("redis://h#jobs", "does not begin"),
        ("kubernetes://jobs", "the slash in front of the name is missing"),
        ("kubernetes:///", "the name of the lease is missing"),
        ("kubernetes://user:hunter2@host/jobs", "a namespace stands where"),
        ("kubernetes://host:6443/jobs", "a namespace stands where"),
        ("kubernetes:///jobs?mixed_fleet=yes", "either true or false"),
        ("kubernetes:///jobs?mixed_fleet", "either true or false"),
        ("kubernetes:///jobs?context=", "has no value"),
        ("kubernetes:///jobs?context=a&context=b", "is there twice"),
        ("kubernetes:///jobs?token=hunter2", "\"token\" is unknown"),
        ("kubernetes:///%ff", "not UTF-8"),
    ] {
        let error = KubernetesConfig::from_url(url).unwrap_err();
        assert_says(&error, ErrorKind::Invalid, &[said, form]);
    }
}

#[test]
fn a_name_that_no_object_of_a_cluster_can_have_is_refused_with_the_rule() {
    for name in ["Jobs", "-jobs", "jobs-", "a..b", "a/b", ".a", "a_b", "ω", "jobs%20"] {
        let error = KubernetesConfig::from_url(&format!("kubernetes:///{name}")).unwrap_err();
        assert_says(&error, ErrorKind::Invalid, &["lower case letters, digits, dashes and dots"]);
    }
    for namespace in ["Shop", "a.b", "-a", &"a".repeat(64)] {
        let url = format!("kubernetes://{namespace}/jobs");
        let error = KubernetesConfig::from_url(&url).unwrap_err();
        assert_says(&error, ErrorKind::Invalid, &["1 to 63 lower case letters, digits and dashes"]);
    }
    for name in ["a", "0", "a.b-c.d1", &"a".repeat(253)] {
        assert!(KubernetesConfig::from_url(&format!("kubernetes:///{name}")).is_ok(), "{name}");
    }
}

#[test]
fn a_url_says_what_a_configuration_does() {
    let url = "KUBERNETES://shop/jobs?kubeconfig=/etc/k%20c&context=a%26b&mixed_fleet=true";
    let (config, name) = KubernetesConfig::from_url(url).unwrap();
    assert_eq!(name.as_str(), "jobs");
    let same = KubernetesConfig::new().with_namespace("shop").unwrap();
    assert_eq!(config, same.with_kubeconfig("/etc/k c").with_context("a&b").mixed_fleet());
}

#[tokio::test]
async fn a_kubeconfig_that_says_nothing_usable_is_named() {
    let file = NamedTempFile::new().unwrap();
    let missing = format!("{}-missing", file.path().display());
    let error = KubernetesLock::connect(&url(Path::new(&missing))).await.unwrap_err();
    assert_says(&error, ErrorKind::Invalid, &[&missing, "No such file"]);

    for (content, said) in [
        ("", ""),
        ("}{ hunter2", ""),
        ("[1, 2]", ""),
        (r#"{"current-context": "gone", "contexts": []}"#, "gone"),
    ] {
        fs::write(file.path(), content).unwrap();
        let error = connect(&file).await;
        assert_says(&error, ErrorKind::Invalid, &[said, file.path().to_str().unwrap()]);
    }

    let good = kubeconfig(|_, _| {});
    let error = KubernetesLock::connect(&format!("{}&context=gone", url(good.path()))).await;
    assert_says(&error.unwrap_err(), ErrorKind::Invalid, &["gone"]);
}

#[tokio::test]
async fn credentials_that_cannot_be_used_are_named() {
    type Change = fn(&mut Value, &mut Value);
    let changes: [(Change, &str); 7] = [
        (|cluster, _| cluster["insecure-skip-tls-verify"] = json!(true), "certificate-authority"),
        (|cluster, _| cluster["certificate-authority-data"] = json!("aHVudGVyMg=="), ""),
        (
            |cluster, _| cluster["proxy-url"] = json!("http://u:hunter2@127.0.0.1:1"),
            "proxies are not",
        ),
        (|_, user| user["client-certificate-data"] = json!("aHVudGVyMg=="), "go together"),
        (
            |_, user| {
                user["client-certificate-data"] = json!("!");
                user["client-key-data"] = json!("hunter2!");
            },
            "base64",
        ),
        (|_, user| *user = json!({ "tokenFile": "/no/such/token" }), "/no/such/token"),
        (
            |_, user| {
                *user = json!({ "exec": {
                    "apiVersion": "client.authentication.k8s.io/v1",
                    "command": "sh",
                    "args": ["-c", "echo hunter2; echo hunter2 >&2; exit 3"],
                    "interactiveMode": "Never",
                }});
            },
            "exit status: 3",
        ),
    ];
    for (change, said) in changes {
        let file = kubeconfig(change);
        let error = connect(&file).await;
        assert!(matches!(error.kind(), ErrorKind::Invalid | ErrorKind::Denied), "{error}");
        assert_says(&error, error.kind(), &[said]);
    }
}

#[tokio::test]
async fn a_plugin_for_credentials_is_run() {
    let token = good_token();
    let credential = json!({
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": { "token": token },
    });
    let file = kubeconfig(|_, user| {
        *user = json!({ "exec": {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": "echo",
            "args": [credential.to_string()],
            "interactiveMode": "Never",
        }});
    });
    KubernetesLock::connect(&url(file.path())).await.unwrap();
}

#[tokio::test]
async fn a_token_that_was_renewed_in_its_file_is_read_again() {
    let good = good_token();
    let token = NamedTempFile::new().unwrap();
    fs::write(token.path(), &good).unwrap();
    let file = kubeconfig(|_, user| *user = json!({ "tokenFile": token.path() }));
    let lock = KubernetesLock::connect(&url(file.path())).await.unwrap();
    fs::write(token.path(), SECRET).unwrap();
    // What was read stays in use: the apiserver takes it.
    lock.observe().await.unwrap();

    let lock = {
        let (config, name) = KubernetesConfig::from_url(&url(file.path())).unwrap();
        Kubernetes::new(config).await.unwrap().lock(name).unwrap()
    };
    assert_says(
        &lock.observe().await.unwrap_err(),
        ErrorKind::Denied,
        &["credentials are expired"],
    );
    fs::write(token.path(), &good).unwrap();
    let began = std::time::Instant::now();
    while lock.observe().await.is_err() {
        assert!(began.elapsed().as_secs() < 5, "the renewed token was not read");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_wrong_token_is_refused() {
    let file = kubeconfig(|_, user| *user = json!({ "token": SECRET }));
    refused(&file, ErrorKind::Denied, &["Unauthorized", "credentials are expired"]).await;
}

#[tokio::test]
async fn a_namespace_that_is_missing_is_named() {
    let missing = "no-such-namespace";
    let kubeconfig = Apiserver::shared().kubeconfig().display();
    let url = format!("kubernetes://{missing}/jobs?kubeconfig={kubeconfig}");
    let error = KubernetesLock::connect(&url).await.unwrap_err();
    assert_says(&error, ErrorKind::Invalid, &[missing, "not found", "create the namespace"]);
}

#[tokio::test]
async fn to_connect_writes_nothing() {
    let subject = Subject::new();
    KubernetesLock::connect(&subject.url()).await.unwrap();
    assert_eq!(subject.lock().await.observe().await.unwrap().record, None);
    subject.create(&json!({}));
    let before = subject.object();
    KubernetesLock::connect(&subject.url()).await.unwrap();
    assert_eq!(subject.object(), before);
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_named() {
    let nobody = TcpSocket::new_v4().unwrap();
    nobody.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let place = nobody.local_addr().unwrap().to_string();
    for scheme in ["http", "https"] {
        let file = stranger_at(&format!("{scheme}://{place}"));
        let parts = [&place, "refused", "see whether it runs"];
        refused(&file, ErrorKind::Unreachable, &parts).await;
    }
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_told_so() {
    // What no resolver is asked about: a part of a name has 63 letters at most.
    let host = "x".repeat(64);
    let file = stranger_at(&format!("https://{host}:7"));
    refused(&file, ErrorKind::Unreachable, &[&host, "does not resolve"]).await;
}

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
        let began = std::time::Instant::now();
        refused(&stranger.kubeconfig(), ErrorKind::Unreachable, &[said]).await;
        assert!(began.elapsed().as_secs() < 5, "it was tried again: {:?}", began.elapsed());
    }
}

#[tokio::test]
async fn a_lock_is_made_for_names_that_objects_can_have() {
    let kubernetes = Kubernetes::new(Subject::new().config()).await.unwrap();
    let error = kubernetes.lock(LeaseName::new("Jobs of mine").unwrap()).unwrap_err();
    assert_says(&error, ErrorKind::Invalid, &["Jobs of mine", "lower case"]);
}
