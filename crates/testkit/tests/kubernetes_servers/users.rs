//! Who gets in, as whom, and by which way.

use std::{fs, time::Duration};

use leasehold_testkit::{Proxy, kubernetes::Apiserver};

use super::{HOLDER, lease};

const ROLE: &str = "
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader}
rules: [{apiGroups: [coordination.k8s.io], resources: [leases], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reader}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{kind: ServiceAccount, name: reader}]
";

#[test]
fn a_user_may_do_what_a_role_allows_and_before_that_nothing() {
    let server = Apiserver::shared().new_namespace();
    server.apply(&lease("somebody"));
    let error = server.try_kubectl_of("reader", &HOLDER).unwrap_err().to_string();
    assert!(error.contains("Forbidden") && error.contains(":reader"), "{error}");
    server.apply(ROLE);
    server.until_may("reader", "get", "leases/jobs", true);
    assert_eq!(server.try_kubectl_of("reader", &HOLDER).unwrap(), "somebody");
    let error = server.try_kubectl_of("reader", &["delete", "lease", "jobs"]).unwrap_err();
    assert!(error.to_string().contains("Forbidden"), "{error}");
    assert!(server.try_kubectl_of("other", &HOLDER).is_err());
    server.kubectl(&["delete", "rolebinding", "reader"]);
    server.until_may("reader", "get", "leases/jobs", false);
}

#[test]
fn nobody_gets_in_with_a_token_that_is_none() {
    let server = Apiserver::shared();
    let kubeconfig = format!("--kubeconfig={}", server.kubeconfig_with("nonsense").display());
    let error = server.try_kubectl(&["get", "leases", &kubeconfig]).unwrap_err().to_string();
    assert!(error.contains("Unauthorized") || error.contains("must be logged in"), "{error}");
}

#[test]
#[should_panic(expected = "may not specify a duration less than 10 minutes")]
fn a_token_for_less_time_than_the_server_grants_is_refused_with_its_words() {
    Apiserver::shared().token_for("a", Duration::from_secs(599));
}

#[test]
fn by_way_of_a_proxy_the_same_certificate_is_checked_for_the_same_name() {
    let server = Apiserver::shared();
    let proxy = Proxy::start(server.address()).unwrap();
    let through = server.kubeconfig_through(proxy.address(), "a");
    let whoami = |more: &[&str]| {
        let kubeconfig = format!("--kubeconfig={}", through.display());
        server.try_kubectl(&[&["auth", "whoami", &kubeconfig], more].concat())
    };
    assert!(whoami(&[]).unwrap().contains(&format!("{}:a", server.namespace())));
    let error = whoami(&["--tls-server-name=somewhere.else"]).unwrap_err().to_string();
    assert!(error.contains("certificate"), "{error}");
    proxy.refuse();
    assert!(whoami(&[]).is_err(), "it went another way");
    let url = server.url_through(proxy.address(), "jobs");
    let file = url.split_once("kubeconfig=").unwrap().1;
    assert!(fs::read_to_string(file).unwrap().contains(&proxy.address().to_string()));
}

#[test]
fn no_secret_is_shown() {
    let server = Apiserver::shared().new_namespace();
    let token = server.token("a");
    assert!(server.secrets().contains(&token));
    let error = server.try_kubectl_of("a", &["get", "leases"]).unwrap_err();
    let shown =
        format!("{server:?} {error} {error:?} {} {}", server.url("jobs"), server.url_of("a", "b"));
    for secret in server.secrets() {
        assert!(!shown.contains(&secret), "{shown}");
    }
}
