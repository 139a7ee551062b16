//! Plugins for credentials that take their time.

use std::{fs, time::Duration};

use leasehold_core::{Candidate, Elector, LeaseLock, Timing, create_free};
use leasehold_kubernetes::{Kubernetes, KubernetesConfig, KubernetesLock};
use serde_json::json;
use tempfile::NamedTempFile;
use tokio::time;
use tokio_util::sync::CancellationToken;

use super::good_token;
use crate::common::{Subject, kubeconfig};

/// A plugin that takes longer than a call of the elector that needs it, and notes when it is run.
struct SlowPlugin {
    file: NamedTempFile,
    notes: NamedTempFile,
}

impl SlowPlugin {
    /// Whose tokens expire so long after it has begun, as it says.
    fn new(lifetime: Option<Duration>) -> Self {
        let notes = NamedTempFile::new().unwrap();
        let credential = json!({
            "apiVersion": "client.authentication.k8s.io/v1",
            "kind": "ExecCredential",
            "status": { "token": good_token(), "expirationTimestamp": lifetime.map(|_| "THEN") },
        });
        let script = format!(
            "echo begin >>{notes}
             then=$(date -u -d '+{seconds} seconds' +%Y-%m-%dT%H:%M:%SZ)
             sleep 0.7
             echo '{credential}' | sed s/THEN/$then/
             echo end >>{notes}",
            notes = notes.path().display(),
            seconds = lifetime.unwrap_or_default().as_secs(),
        );
        let file = kubeconfig(|_, user| {
            *user = json!({ "exec": {
                "apiVersion": "client.authentication.k8s.io/v1",
                "command": "sh",
                "args": ["-c", script],
                "interactiveMode": "Never",
            }});
        });
        Self { file, notes }
    }

    async fn lock(&self, subject: &Subject) -> KubernetesLock {
        let url = subject.server.url_with(self.file.path(), &subject.name);
        let (config, name) = KubernetesConfig::from_url(&url).unwrap();
        Kubernetes::new(config).await.unwrap().lock(name).unwrap()
    }

    /// How often it was run, never twice at a time.
    fn runs(&self) -> usize {
        let notes = fs::read_to_string(self.notes.path()).unwrap();
        assert!(!notes.contains("begin\nbegin"), "two at a time: {notes:?}");
        notes.matches("begin").count()
    }
}

#[tokio::test]
async fn a_plugin_that_takes_longer_than_a_call_is_run_once_for_all_calls() {
    let subject = Subject::new();
    let plugin = SlowPlugin::new(None);
    let lock = plugin.lock(&subject).await;
    let mut given_up = 0;
    while time::timeout(Duration::from_millis(150), lock.observe()).await.is_err() {
        given_up += 1;
        assert!(given_up < 100, "the plugin never succeeds: {} runs", plugin.runs());
    }
    assert!(given_up > 2, "{given_up}");
    assert_eq!(plugin.runs(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_is_about_to_expire_is_renewed_while_a_leader_leads_on() {
    let subject = Subject::new();
    // A minute before its end it is renewed.
    let plugin = SlowPlugin::new(Some(Duration::from_secs(62)));
    let lock = plugin.lock(&subject).await;
    create_free(&lock).await.unwrap();
    let elector = Elector::new(lock, Candidate::new("a").unwrap()).with_timing(Timing::fast());
    let leadership = elector.campaign(&CancellationToken::new()).await.unwrap();
    let lost = time::timeout(Duration::from_secs(6), leadership.stopping()).await;
    assert!(lost.is_err() && leadership.is_current(), "lost");
    assert!(plugin.runs() > 2, "{} runs", plugin.runs());
    leadership.resign().await;
}
