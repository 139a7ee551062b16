use anyhow::Result;
use leasehold_testkit::kubernetes::{Apiserver, ApiserverOptions};
use serde_json::Value;

use super::{kind::Host, without_secret};

/// What it confirms is on the disk of its etcd, as in production.
pub(super) fn start() -> Result<Box<dyn Host>> {
    Ok(Box::new(Kubernetes(ApiserverOptions::new().synced().start()?)))
}

/// A kube-apiserver that is started for a run, and ends with it.
#[derive(Debug)]
struct Kubernetes(Apiserver);

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
}
