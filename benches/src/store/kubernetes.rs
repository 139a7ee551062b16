use std::{net::SocketAddr, sync::Arc};

use anyhow::Result;
use leasehold_testkit::kubernetes::{Apiserver, ApiserverOptions};
use serde_json::Value;

use super::{Link, kind::Host, without_secret};

/// What it confirms is on the disk of its etcd, as in production.
pub(super) fn start() -> Result<Box<dyn Host>> {
    Ok(Box::new(Kubernetes(Arc::new(ApiserverOptions::new().synced().start()?))))
}

/// A kube-apiserver that is started for a run, and ends with it.
#[derive(Debug)]
struct Kubernetes(Arc<Apiserver>);

impl Host for Kubernetes {
    fn url(&self, lease: &str) -> Result<String> {
        Ok(self.0.url(lease))
    }

    fn describe(&self) -> String {
        let version = self.0.try_kubectl(&["get", "--raw=/version"]).ok();
        let version = version.and_then(|text| serde_json::from_str::<Value>(&text).ok());
        let version = version.and_then(|all| Some(all["gitVersion"].as_str()?.to_owned()));
        let place = without_secret(&self.0.url("NAME"));
        let address = self.0.address();
        match version {
            Some(version) => {
                format!("{place} at {address}, version {version}, on a disk that is synced")
            }
            None => format!("{place} at {address}"),
        }
    }

    /// By a kubeconfig that leads to the proxy, where the certificate is checked as if it were not there.
    fn link(&self, lease: &str) -> Result<Link, String> {
        let (server, lease) = (self.0.clone(), lease.to_owned());
        let through = move |proxies: &[SocketAddr]| {
            let proxy = proxies.first().copied().unwrap_or_else(|| server.address());
            server.url_through(proxy, &lease)
        };
        Ok(Link::new(vec![self.0.address()], through))
    }

    fn may_restart(&self) -> Result<(), String> {
        Ok(())
    }

    /// The apiserver; its etcd lives on.
    fn restart(&self) {
        self.0.restart();
    }

    /// Requests for Leases of any kind, those of its own among them: it keeps one for itself.
    fn requests(&self) -> Option<f64> {
        Some(self.0.metric("apiserver_request_total", &[("resource", "leases")]))
    }
}
