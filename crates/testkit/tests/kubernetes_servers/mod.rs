//! Real servers: they answer, freeze, die, come back, and are gone with the test.
mod ends;
mod options;
mod users;
mod ways;

use std::{io::ErrorKind, net::TcpStream};

use leasehold_testkit::kubernetes::{Apiserver, ApiserverOptions};

fn own() -> Apiserver {
    ApiserverOptions::new().own().start().unwrap()
}

/// A Lease, held by somebody.
fn lease(holder: &str) -> String {
    format!(
        "{{apiVersion: coordination.k8s.io/v1, kind: Lease, metadata: {{name: jobs}},
          spec: {{holderIdentity: {holder}}}}}"
    )
}

const HOLDER: [&str; 4] = ["get", "lease", "jobs", "--output=jsonpath={.spec.holderIdentity}"];

#[test]
fn a_server_starts_and_answers() {
    let server = Apiserver::shared();
    server.apply(&lease("somebody"));
    assert_eq!(server.kubectl(&HOLDER), "somebody");
    let url = server.url("a.b/c");
    assert!(url.starts_with(&format!("kubernetes://{}/a.b%2Fc?kubeconfig=/", server.namespace())));
    assert!(url.ends_with(server.kubeconfig().to_str().unwrap()), "{url}");
}

#[test]
fn namespaces_share_a_server_and_nothing_else() {
    let [one, other] = [(); 2].map(|()| Apiserver::shared().new_namespace());
    one.apply(&lease("somebody"));
    assert_eq!(one.address(), other.address());
    let error = other.try_kubectl(&HOLDER).unwrap_err();
    assert!(error.to_string().contains("NotFound"), "{error}");
}

#[test]
fn a_frozen_server_answers_nobody_and_goes_on_where_it_was() {
    let server = own();
    server.apply(&lease("somebody"));
    server.freeze();
    assert!(server.try_kubectl(&["get", "--raw=/readyz", "--request-timeout=300ms"]).is_err());
    server.thaw();
    assert_eq!(server.kubectl(&HOLDER), "somebody");
}

#[test]
fn a_server_that_was_killed_comes_back_on_its_port_and_has_forgotten_nothing() {
    let server = own();
    let (address, user) = (server.address(), server.kubeconfig_of("somebody"));
    server.apply(&lease("somebody"));
    server.kill();
    assert_eq!(TcpStream::connect(address).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    // Its etcd lives on.
    assert_eq!(server.etcd().etcdctl(&["get", "key"]), "");
    server.restart();
    assert_eq!(server.address(), address);
    assert_eq!(server.kubectl(&HOLDER), "somebody");
    // Whoever got in before gets in again.
    let words = ["auth", "whoami", &format!("--kubeconfig={}", user.display())];
    assert!(server.kubectl(&words).contains(":somebody"));
}

#[test]
fn what_a_server_was_asked_is_counted() {
    let server = own();
    let labels = [("verb", "PATCH"), ("resource", "leases"), ("code", "200")];
    let patched = || server.metric("apiserver_request_total", &labels);
    server.apply(&lease("somebody"));
    let before = patched();
    server.apply(&lease("else"));
    assert_eq!(patched(), before + 1.0);
}
