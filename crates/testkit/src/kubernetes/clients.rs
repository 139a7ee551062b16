use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::PoisonError,
    time::Duration,
};

use serde_json::{Value, json};

use super::{Apiserver, access};
use crate::server::url::{encoded, path};

impl Apiserver {
    /// The URL of a lease in this namespace as `leasehold::connect` takes it, for its operator, who may
    /// do everything.
    pub fn url(&self, lease: &str) -> String {
        self.url_with(&self.kubeconfig, lease)
    }

    /// The same by way of another address, a proxy's, that leads to this server.
    ///
    /// # Panics
    /// If no file can be written.
    pub fn url_through(&self, proxy: SocketAddr, lease: &str) -> String {
        let access = self.shared.access();
        let kubeconfig = self.write(&access.through(proxy), &access.operator);
        self.url_with(&kubeconfig, lease)
    }

    /// The same for a [user](Self::token).
    ///
    /// # Panics
    /// As [`Self::token`].
    pub fn url_of(&self, user: &str, lease: &str) -> String {
        self.url_with(&self.kubeconfig_of(user), lease)
    }

    /// The same with a kubeconfig.
    pub fn url_with(&self, kubeconfig: &Path, lease: &str) -> String {
        format!(
            "kubernetes://{}/{}?kubeconfig={}",
            self.namespace,
            encoded(lease),
            path(kubeconfig)
        )
    }

    /// The operator's, in this namespace. It is the operator's also where LEASEHOLD_KUBECONFIG names
    /// the cluster.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// One for a [user](Self::token), with a new token.
    ///
    /// # Panics
    /// As [`Self::token`].
    pub fn kubeconfig_of(&self, user: &str) -> PathBuf {
        self.kubeconfig_with(&self.token(user))
    }

    /// One with this token: one's own, or nonsense.
    ///
    /// # Panics
    /// If no file can be written.
    pub fn kubeconfig_with(&self, token: &str) -> PathBuf {
        self.write(&self.shared.access().cluster, &json!({ "token": token }))
    }

    /// The same for a user, by way of another address, a proxy's, that leads to this server. The
    /// certificate is checked as if there were none between.
    ///
    /// # Panics
    /// As [`Self::token`].
    pub fn kubeconfig_through(&self, proxy: SocketAddr, user: &str) -> PathBuf {
        self.write(&self.shared.access().through(proxy), &json!({ "token": self.token(user) }))
    }

    /// A token of this user, who is the service account of this name in this namespace, and is made if
    /// he is not there. He may do nothing until a role is bound to him. The token is good for an hour.
    ///
    /// # Panics
    /// With what `kubectl` says, if there is none to be had.
    pub fn token(&self, user: &str) -> String {
        self.token_for(user, Duration::from_secs(3_600))
    }

    /// The same for another time, in whole seconds: ten minutes are the least that the server grants.
    ///
    /// # Panics
    /// As [`Self::token`].
    pub fn token_for(&self, user: &str, lifetime: Duration) -> String {
        if self.try_kubectl(&["get", "serviceaccount", user]).is_err() {
            self.apply(&format!(
                r#"{{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {{"name": "{user}"}}}}"#
            ));
        }
        let lifetime = format!("--duration={}s", lifetime.as_secs());
        let token = self.kubectl(&["create", "token", user, &lifetime]);
        self.shared.remember(&token);
        token
    }

    /// Every token that was handed out, and what the operator gets in with: what must not be found in a
    /// log.
    pub fn secrets(&self) -> Vec<String> {
        let tokens = self.shared.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        self.shared.access().secrets().into_iter().chain(tokens.iter().cloned()).collect()
    }

    fn write(&self, cluster: &Value, user: &Value) -> PathBuf {
        let written = access::write(self.run_directory(), &self.namespace, cluster, user);
        written.unwrap_or_else(|error| panic!("a kubeconfig: {error}"))
    }
}
