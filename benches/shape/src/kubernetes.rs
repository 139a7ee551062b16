use std::{collections::HashMap, path::PathBuf, str::FromStr};

use anyhow::{Context, Error, ensure};
use url::Url;

/// Where a Lease is, by the URL that Leasehold has for it:
/// `kubernetes://NAMESPACE/NAME?kubeconfig=/path`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KubernetesUrl {
    /// The namespace.
    pub namespace: String,
    /// The name of the Lease.
    pub name: String,
    /// How the cluster is reached.
    pub kubeconfig: PathBuf,
}

impl FromStr for KubernetesUrl {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        const FORM: &str = "kubernetes://NAMESPACE/NAME?kubeconfig=/path is needed";
        let url = Url::parse(text).context(FORM)?;
        let name = url.path().trim_start_matches('/');
        let mut query: HashMap<_, _> = url.query_pairs().into_owned().collect();
        ensure!(url.scheme() == "kubernetes" && !name.is_empty(), FORM);
        Ok(Self {
            namespace: url.host_str().context(FORM)?.to_owned(),
            name: name.to_owned(),
            kubeconfig: query.remove("kubeconfig").context(FORM)?.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_of_a_lease_is_read_or_says_what_is_needed() {
        let url: KubernetesUrl =
            "kubernetes://shop/jobs-1?kubeconfig=/a/kube%20config.json".parse().unwrap();
        assert_eq!((url.namespace.as_str(), url.name.as_str()), ("shop", "jobs-1"));
        assert_eq!(url.kubeconfig, PathBuf::from("/a/kube config.json"));
        for text in ["kubernetes://shop/jobs", "kubernetes://shop?kubeconfig=/x", "redis://h/x", ""]
        {
            let error = text.parse::<KubernetesUrl>().unwrap_err().to_string();
            assert!(error.contains("NAMESPACE/NAME"), "{text}: {error}");
        }
    }
}
