//! Kubeconfigs, and who they say that one is.

use std::{fs, path::Path};

use leasehold_core::{ErrorKind, LeaseLock};
use leasehold_kubernetes::{Kubernetes, KubernetesConfig, KubernetesLock};
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use super::{SECRET, assert_says, connect, good_token, refused, url};
use crate::common::kubeconfig;

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
async fn an_address_that_is_none_is_named_and_one_with_a_password_is_not_shown() {
    for (server, said) in [
        ("127.0.0.1:6443", "https://"),
        ("ftp://127.0.0.1", "https://"),
        ("https://me:hunter2@127.0.0.1:1", "a name and a password"),
    ] {
        let file = kubeconfig(|cluster, _| cluster["server"] = json!(server));
        let error = connect(&file).await;
        assert_says(&error, ErrorKind::Invalid, &[said, file.path().to_str().unwrap()]);
    }
}

#[tokio::test]
async fn a_token_with_a_newline_is_trimmed_and_a_file_with_one_is_named() {
    let file = kubeconfig(|_, user| *user = json!({ "token": format!("{}\n", good_token()) }));
    KubernetesLock::connect(&url(file.path())).await.unwrap();

    let token = NamedTempFile::new().unwrap();
    fs::write(token.path(), format!("{}\n", good_token())).unwrap();
    let path = token.path().to_owned();
    let file = kubeconfig(|_, user| *user = json!({ "tokenFile": path }));
    let error = connect(&file).await;
    assert_says(&error, ErrorKind::Denied, &[path.to_str().unwrap(), "newline"]);
}

#[tokio::test]
async fn who_sends_no_credentials_is_told_so() {
    let file = kubeconfig(|_, user| *user = json!({}));
    let error = connect(&file).await;
    assert_says(&error, ErrorKind::Denied, &["no credentials were sent"]);
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
