//! What to do about each thing that can go wrong.

use std::{error, io};

use kube::{client::AuthError, config::KubeconfigError, core::Status};
use leasehold_core::ErrorKind;
use rustls::{AlertDescription, CertificateError};

/// The longest that is repeated of what a server says, in characters.
const LONGEST: usize = 300;

/// The smallest role, as the manifest has it.
const RULE: &str = "apiGroups: [\"coordination.k8s.io\"], resources: [\"leases\"], verbs: [\"get\", \
                    \"create\", \"update\", \"watch\"]";

const NAMESPACE_ENDS: &str = "the namespace is being deleted: use another one";

pub(crate) struct Advice {
    pub(crate) kind: ErrorKind,
    /// The server's own words, or the system's.
    pub(crate) said: String,
    pub(crate) advice: String,
}

impl Advice {
    fn new(kind: ErrorKind, said: impl AsRef<str>, advice: impl Into<String>) -> Self {
        Self { kind, said: short(said.as_ref()), advice: advice.into() }
    }
}

pub(crate) fn advice(error: &kube::Error, namespace: &str) -> Advice {
    match error {
        kube::Error::Api(status) => of_a_status(status, namespace),
        kube::Error::SerdeError(_) | kube::Error::FromUtf8(_) => nonsense("no Lease"),
        kube::Error::BuildRequest(_) | kube::Error::HttpError(_) => {
            Advice::new(ErrorKind::Invalid, error.to_string(), "correct the server's URL")
        }
        error => of_the_way(error),
    }
}

/// Whether files and plugins should be asked again before the next call.
pub(crate) fn wants_other_credentials(error: &kube::Error) -> bool {
    match error {
        kube::Error::Api(status) => status.code == 401,
        error => cause::<rustls::Error>(error).is_some() || cause::<AuthError>(error).is_some(),
    }
}

/// Whether a right is missing, by the apiserver's own word.
pub(crate) fn is_forbidden(status: &Status) -> bool {
    status.code == 403 && status.reason == "Forbidden" && !is_of_a_namespace_that_ends(status)
}

/// Nobody may create anything there any more.
fn is_of_a_namespace_that_ends(status: &Status) -> bool {
    status.code == 403 && status.message.contains("being terminated")
}

/// What to do where something beside the election is refused, which needs this right.
pub(crate) fn of_an_errand(status: &Status, right: &str, otherwise: &str) -> String {
    let said = short(&status.message);
    if is_forbidden(status) {
        format!("{said}; the account needs {right}")
    } else if is_of_a_namespace_that_ends(status) {
        format!("{said}; {NAMESPACE_ENDS}")
    } else {
        format!("{said}; {otherwise}")
    }
}

fn of_a_status(status: &Status, namespace: &str) -> Advice {
    let kind = status.details.as_ref().map_or("", |details| details.kind.as_str());
    let said = &status.message;
    match (status.code, status.reason.as_str()) {
        // As the client library writes down what it could not read.
        (0, _) => nonsense("some JSON"),
        (code, "Failed to parse error data") => nonsense(&format!("code {code}")),
        (401, _) => Advice::new(
            ErrorKind::Denied,
            said,
            "the credentials are expired, or of another cluster: renew them (files and plugins are \
             asked again by themselves)",
        ),
        (403, _) if is_of_a_namespace_that_ends(status) => {
            Advice::new(ErrorKind::Denied, said, NAMESPACE_ENDS)
        }
        (403, _) if said.contains("\"system:anonymous\"") => Advice::new(
            ErrorKind::Denied,
            said,
            "no credentials were sent: see whether the context's user is there and has some",
        ),
        (403, _) => Advice::new(
            ErrorKind::Denied,
            said,
            format!("give this account a Role in the namespace {namespace:?} with the rule {RULE}"),
        ),
        (404, _) if kind == "namespaces" => Advice::new(
            ErrorKind::Invalid,
            said,
            format!("create the namespace {namespace:?}, or name another one"),
        ),
        (404, _) => Advice::new(
            ErrorKind::Unexpected,
            said,
            "what answers there serves no coordination.k8s.io/v1: see whether the server's URL is \
             that of an apiserver",
        ),
        (409 | 422, _) => Advice::new(
            ErrorKind::Invalid,
            said,
            "the apiserver does not take the Lease as it is: correct the field that it names by \
             `kubectl edit lease`, or delete the Lease (which is then waited out), and see what \
             admission policies ask for",
        ),
        (429, _) => Advice::new(
            ErrorKind::Unreachable,
            said,
            "the apiserver is overloaded: wait, or put this account's requests for leases at its \
             level for leader election (manifests/flow-schema.yaml)",
        ),
        (code, reason) => Advice::new(
            ErrorKind::Unreachable,
            format!("{code} {reason}: {said}"),
            "see the apiserver's log, and whether its etcd is well",
        ),
    }
}

fn nonsense(what: &str) -> Advice {
    Advice::new(
        ErrorKind::Unexpected,
        format!("it answered with {what}, and nothing that an apiserver says"),
        "see whether the server's URL is that of an apiserver (https://, mostly), and whether a proxy \
         stands between",
    )
}

fn of_the_way(error: &kube::Error) -> Advice {
    if let Some(error) = cause::<AuthError>(error) {
        let advice = "see the user's entry in the kubeconfig";
        return Advice::new(ErrorKind::Denied, of_credentials(error), advice);
    }
    if let Some(error) = cause::<rustls::Error>(error) {
        return of_tls(error);
    }
    let said = innermost(error);
    let (kind, advice) = match cause::<io::Error>(error).map(io::Error::kind) {
        _ if ["lookup", "resolve", "dns name"].iter().any(|it| said.contains(it)) => (
            ErrorKind::Unreachable,
            "the server's name does not resolve: correct it, or see the DNS",
        ),
        Some(io::ErrorKind::TimedOut) => (
            ErrorKind::Timeout,
            "not connected in time: see whether it is overloaded, whether the network drops \
             packets, and whether it speaks TLS",
        ),
        Some(io::ErrorKind::ConnectionRefused) => {
            (ErrorKind::Unreachable, "see whether it runs, and listens there")
        }
        Some(_) => (
            ErrorKind::Unreachable,
            "see whether it runs, and whether it speaks TLS: with it use https://, else http://",
        ),
        None => (
            ErrorKind::Unreachable,
            "the connection was broken off, or what answers there is no apiserver: see its URL, and \
             whether it speaks TLS",
        ),
    };
    Advice::new(kind, said, advice)
}

/// What is wrong with the credentials. What a plugin has printed, or a file holds, may be a secret.
fn of_credentials(error: &AuthError) -> String {
    match error {
        AuthError::AuthExecRun { out, .. } => {
            format!("the plugin for credentials ended with {}: run it by hand", out.status)
        }
        AuthError::AuthExecParse(_) | AuthError::ParseTokenKey(_) => {
            "the plugin for credentials printed no ExecCredential: run it by hand".to_owned()
        }
        AuthError::InvalidBasicAuth(_) | AuthError::InvalidBearerToken(_) => {
            "the token or the password has characters that none can have".to_owned()
        }
        error => said(error),
    }
}

/// What is wrong with what was read, before anybody is asked.
pub(crate) fn of_configuration(error: &kube::Error) -> String {
    match cause::<AuthError>(error) {
        Some(error) => of_credentials(error),
        None => said(error),
    }
}

/// What is wrong with a kubeconfig. A parser shows the line that it does not understand, which may
/// hold a secret.
pub(crate) fn of_a_kubeconfig(error: &KubeconfigError) -> String {
    match error {
        KubeconfigError::Parse(error) => {
            let said = error.to_string();
            let from = said.find("line ").map(|at| &said[at..]).unwrap_or_default();
            let place: String =
                from.chars().take_while(|c| c.is_alphanumeric() || *c == ' ').collect();
            format!("it is no kubeconfig in YAML, {}", place.trim())
        }
        error => said(error),
    }
}

/// An error and what caused it, where it does not say so itself, on one line.
fn said(error: &dyn error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    short(&text)
}

fn of_tls(error: &rustls::Error) -> Advice {
    let (kind, advice) = match error {
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) => (
            ErrorKind::Invalid,
            "no authority that is trusted has signed its certificate: see certificate-authority",
        ),
        rustls::Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => (
            ErrorKind::Invalid,
            "connect to it by a name that is in its certificate, or set tls-server-name",
        ),
        rustls::Error::InvalidCertificate(_) => {
            (ErrorKind::Unreachable, "see its certificate, and the clock of this host")
        }
        rustls::Error::InvalidMessage(_) => {
            (ErrorKind::Invalid, "what answers there does not speak TLS: see the server's URL")
        }
        rustls::Error::AlertReceived(
            AlertDescription::CertificateRequired
            | AlertDescription::BadCertificate
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied,
        ) => (ErrorKind::Denied, "it wants another client-certificate"),
        _ => (ErrorKind::Unreachable, "see how TLS is configured there"),
    };
    Advice::new(kind, error.to_string(), advice)
}

/// The first cause of a kind, also where it is kept inside of an error of the system.
fn cause<'a, T: error::Error + 'static>(error: &'a kube::Error) -> Option<&'a T> {
    let mut next: Option<&'a (dyn error::Error + 'static)> = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        let inside = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = match inside {
            Some(inside) => Some(inside),
            None => error.source(),
        };
    }
    None
}

fn innermost(error: &kube::Error) -> String {
    let mut last: &dyn error::Error = error;
    while let Some(next) = last.source() {
        last = next;
    }
    last.to_string()
}

fn short(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    line.chars().filter(|c| !c.is_control()).take(LONGEST).collect()
}
