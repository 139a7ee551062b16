//! Where a server comes from, and what is said where there is none.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use leasehold_testkit::kubernetes::{Apiserver, ApiserverOptions};

use super::own;
use crate::servers::role;

#[test]
fn without_a_server_the_error_says_how_to_get_one() {
    let said = role("kubernetes_servers::ways::says_what_it_finds")
        .env("PATH", "")
        .env("XDG_CACHE_HOME", "/nowhere")
        .env_remove("KUBEBUILDER_ASSETS")
        .env("DOCKER_HOST", "unix:///nowhere")
        .output();
    let said = String::from_utf8(said.unwrap().stdout).unwrap();
    for way in [
        "LEASEHOLD_KUBECONFIG is not set",
        "no kube-apiserver on the PATH, nor kept by a set-up",
        "LEASEHOLD_KUBECONFIG=/path/to/kubeconfig",
        "version 1.33 or newer",
        "KUBEBUILDER_ASSETS",
        "LEASEHOLD_KUBERNETES_IMAGE",
        "`integration/setup`",
    ] {
        assert!(said.contains(way), "{way:?} is missing: {said}");
    }
}

#[test]
fn a_server_that_is_too_old_is_refused_with_its_version() {
    let server = own();
    let old = server.run_directory().join("kube-apiserver");
    fs::write(&old, "#!/bin/sh\necho 'Kubernetes v1.31.2'\n").unwrap();
    fs::set_permissions(&old, fs::Permissions::from_mode(0o755)).unwrap();
    let said = role("kubernetes_servers::ways::says_what_it_finds")
        .env("LEASEHOLD_KUBE_APISERVER", &old)
        .env("DOCKER_HOST", "unix:///nowhere")
        .output();
    let said = String::from_utf8(said.unwrap().stdout).unwrap();
    let refused = "LEASEHOLD_KUBE_APISERVER names a server of version 1.31";
    assert!(said.contains(refused), "{said}");
}

#[test]
fn a_cluster_elsewhere_is_used_by_tests_that_leave_it_as_it_is_and_loses_what_they_made() {
    let server = own();
    let said = says_of(server.kubeconfig());
    let namespace = said.split_once("any: kubernetes://").unwrap().1.split('/').next().unwrap();
    assert!(said.contains("get in as system:serviceaccount:leasehold-"), "{said}");
    assert!(!said.contains(&format!("own: {}", server.address())), "{said}");
    let phase = ["get", "namespace", namespace, "--output=jsonpath={.status.phase}"];
    // Nobody is here who would empty it.
    assert_eq!(server.kubectl(&phase), "Terminating");
}

#[test]
fn a_cluster_elsewhere_that_does_not_let_one_in_is_an_error_without_the_token() {
    let server = own();
    let said = says_of(&server.kubeconfig_with("wr0ng"));
    assert!(said.contains(&format!("{}, which LEASEHOLD_KUBECONFIG", server.address())), "{said}");
    assert!(!said.contains("wr0ng"), "{said}");
}

#[test]
fn a_file_that_names_no_cluster_is_an_error_with_the_name_of_the_variable() {
    let server = own();
    let nonsense = server.run_directory().join("nonsense");
    fs::write(&nonsense, "nonsense").unwrap();
    for file in [&*nonsense, Path::new("/nowhere")] {
        let said = says_of(file);
        assert!(said.contains("any: LEASEHOLD_KUBECONFIG: "), "{said}");
    }
}

/// What it finds where this is the kubeconfig.
fn says_of(kubeconfig: &Path) -> String {
    let said = role("kubernetes_servers::ways::says_what_it_finds")
        .env("LEASEHOLD_KUBECONFIG", kubeconfig)
        .output()
        .unwrap();
    String::from_utf8(said.stdout).unwrap()
}

#[test]
#[ignore = "a role of other tests"]
fn says_what_it_finds() {
    match Apiserver::start() {
        Ok(server) => {
            let who = ["auth", "whoami", "--output=jsonpath={.status.userInfo.username}"];
            let who = server.try_kubectl_of("somebody", &who).unwrap();
            println!("any: {}, get in as {who}", server.url("jobs"));
        }
        Err(error) => println!("any: {error}"),
    }
    match ApiserverOptions::new().own().start() {
        Ok(server) => println!("own: {}", server.address()),
        Err(error) => println!("own: {error}"),
    }
}
