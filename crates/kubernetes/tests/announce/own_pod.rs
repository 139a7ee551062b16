//! Which Pod is one's own: the environment says it, so that this takes processes of their own.

use std::{
    env,
    io::Read as _,
    process::{Child, Command, Stdio},
};

use leasehold_core::ErrorKind;
use leasehold_kubernetes::{Kubernetes, KubernetesConfig, KubernetesLock};

use super::place::{LABEL, Place};

const URL: &str = "LEASEHOLD_KUBERNETES_TEST_URL";

#[tokio::test]
#[ignore = "run by the tests below, in a process with another environment"]
async fn connects() {
    let connected = KubernetesLock::connect(&env::var(URL).unwrap()).await;
    match &connected {
        Ok(_) => println!("connected"),
        Err(error) => println!("failed: {error}"),
    }
    // What is done in the background may be, until somebody has seen it.
    let ended = || std::io::stdin().read_to_end(&mut Vec::new());
    tokio::task::spawn_blocking(ended).await.unwrap().unwrap();
}

/// In an environment with these variables, and none else that could name a Pod.
fn connects_with(url: &str, variables: &[(&str, &str)]) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--ignored", "--exact", "announce::own_pod::connects", "--nocapture"])
        .env_remove("POD_NAME")
        .env_remove("HOSTNAME")
        .env(URL, url)
        .envs(variables.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Its input ends, and so does it.
fn said(child: Child) -> String {
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ones_own_pod_is_the_one_that_the_environment_names() {
    let place = Place::new(&["pod-role"]);
    for pod in ["pod-a", "pod-b", "pod-c"] {
        place.create_pod(pod);
        place.server.kubectl(&["label", "pod", pod, &format!("{LABEL}=true")]);
    }
    let url = place.url("label_pod=true");
    let first = connects_with(&url, &[("POD_NAME", "pod-a"), ("HOSTNAME", "pod-b")]);
    place.until_labelled("pod-a", false).await;
    assert!(said(first).contains("connected"));
    assert_eq!(place.selected(LABEL), "pod-b pod-c");

    let second = connects_with(&url, &[("HOSTNAME", "pod-b")]);
    place.until_labelled("pod-b", false).await;
    assert!(said(second).contains("connected"));
    assert_eq!(place.selected(LABEL), "pod-c");

    let nowhere = said(connects_with(&url, &[]));
    assert!(nowhere.contains("POD_NAME") && nowhere.contains("downward API"), "{nowhere}");
}

#[tokio::test]
async fn what_can_be_no_pod_is_refused() {
    let place = Place::new(&[]);
    let (config, _) = KubernetesConfig::from_url(&place.url_of_pod("Pod_A")).unwrap();
    let error = Kubernetes::new(config).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("no Pod can have the name \"Pod_A\""), "{error}");
}
