//! The URLs that name a cluster, a namespace and a lease in it.

use leasehold_core::{Error, LeaseName};
use percent_encoding::percent_decode_str;

use super::{KubernetesConfig, checked_name, invalid};

const FORM: &str = "kubernetes://[NAMESPACE]/NAME[?kubeconfig=/path&context=NAME&mixed_fleet=true\
                    &label_pod=true&pod=NAME&events=true]";

const KNOWN: &str = "kubeconfig, context, mixed_fleet, label_pod, pod, events";

pub(super) fn parse(url: &str) -> Result<(KubernetesConfig, LeaseName), Error> {
    let scheme = "kubernetes://";
    let (Some(given), Some(rest)) = (url.get(..scheme.len()), url.get(scheme.len()..)) else {
        return Err(refuse("it does not begin with kubernetes://"));
    };
    if !given.eq_ignore_ascii_case(scheme) {
        return Err(refuse("it does not begin with kubernetes://"));
    }
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let Some((namespace, name)) = rest.split_once('/') else {
        return Err(refuse(
            "the slash in front of the name is missing: in one's own namespace there are three, \
             kubernetes:///NAME",
        ));
    };
    if namespace.contains(['@', ':']) {
        return Err(refuse(
            "a namespace stands where other URLs have a host: the server and its credentials are \
             those of the kubeconfig file, or of the service account",
        ));
    }
    if name.is_empty() {
        return Err(refuse("the name of the lease is missing"));
    }
    let name = LeaseName::new(decoded(name)?)?;
    checked_name(&name)?;
    let config = match namespace {
        "" => KubernetesConfig::new(),
        namespace => KubernetesConfig::new().with_namespace(decoded(namespace)?)?,
    };
    Ok((parameters(config, query)?, name))
}

fn parameters(mut config: KubernetesConfig, query: &str) -> Result<KubernetesConfig, Error> {
    let mut known = Vec::new();
    for part in query.split('&').filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        if known.contains(&name) {
            return Err(refuse(format!("the parameter {name:?} is there twice")));
        }
        known.push(name);
        let value = decoded(value)?;
        config = match (name, value.as_str()) {
            ("kubeconfig" | "context" | "pod", "") => {
                return Err(refuse(format!("the parameter {name:?} has no value")));
            }
            ("kubeconfig", file) => config.with_kubeconfig(file),
            ("context", context) => config.with_context(context),
            ("pod", pod) => config.with_pod(pod),
            ("mixed_fleet", "true") => config.with_mixed_fleet(),
            ("label_pod", "true") => config.with_labelled_pod(),
            ("events", "true") => config.with_events(),
            ("mixed_fleet" | "label_pod" | "events", "false") => config,
            ("mixed_fleet" | "label_pod" | "events", _) => {
                return Err(refuse(format!("{name:?} is either true or false")));
            }
            _ => {
                return Err(refuse(format!(
                    "the parameter {name:?} is unknown (known are {KNOWN})"
                )));
            }
        };
    }
    if known.contains(&"pod") && !known.contains(&"label_pod") {
        return Err(refuse("\"pod\" is for \"label_pod\", which is missing"));
    }
    Ok(config)
}

fn decoded(text: &str) -> Result<String, Error> {
    match percent_decode_str(text).decode_utf8() {
        Ok(text) => Ok(text.into_owned()),
        Err(_) => Err(refuse("its percent-encoding is not UTF-8")),
    }
}

fn refuse(why: impl AsRef<str>) -> Error {
    invalid("use the URL of a Kubernetes lease", format!("{}; the form is {FORM}", why.as_ref()))
}
