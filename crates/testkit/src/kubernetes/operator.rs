use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
};

use super::{Apiserver, ToolError, elsewhere, server::Place};
use crate::server::{metrics, outcome, wait};

impl Apiserver {
    pub(super) const TOOL: &str = "kubectl";

    /// What `kubectl` prints when the operator, who may do everything, calls it with these words in
    /// this namespace; without the end of the last line.
    ///
    /// # Panics
    /// With what it says, if it fails, or if the server does not answer a request within 30 s.
    pub fn kubectl(&self, words: &[&str]) -> String {
        self.try_kubectl(words).unwrap_or_else(|error| panic!("at {}: {error}", self.address()))
    }

    /// The same, for what may fail.
    ///
    /// # Errors
    /// With what it says, if it fails, or if the server does not answer a request within 30 s.
    ///
    /// # Panics
    /// If the server is in a container and was killed: `kubectl` is there too.
    pub fn try_kubectl(&self, words: &[&str]) -> Result<String, ToolError> {
        self.kubectl_of(&self.kubeconfig, words)
    }

    /// The same with what a [user](Self::token) may do.
    ///
    /// # Errors
    /// As [`Self::try_kubectl`].
    ///
    /// # Panics
    /// As [`Self::kubeconfig_of`] and [`Self::try_kubectl`].
    pub fn try_kubectl_of(&self, user: &str, words: &[&str]) -> Result<String, ToolError> {
        self.kubectl_of(&self.kubeconfig_of(user), words)
    }

    fn kubectl_of(&self, kubeconfig: &Path, words: &[&str]) -> Result<String, ToolError> {
        let cache = self.run_directory().join("kubectl");
        let mut all = vec![
            format!("--kubeconfig={}", kubeconfig.display()),
            format!("--cache-dir={}", cache.display()),
            "--request-timeout=30s".to_owned(),
        ];
        all.extend(words.iter().map(ToString::to_string));
        let done = match &self.shared.place {
            Place::Here(here) => here.own.tool(Self::TOOL, &all),
            Place::Elsewhere(_) => elsewhere::tool().run(&all),
        };
        outcome(Self::TOOL, done)
    }

    /// Makes objects as they are described, in YAML or JSON, or changes them to that; in this
    /// namespace, unless they name another one. The server heeds a role a moment after it was written:
    /// [`until_may`](Self::until_may) waits for it.
    ///
    /// # Panics
    /// With what `kubectl` says, if it fails.
    pub fn apply(&self, objects: &str) -> String {
        self.try_apply(objects).unwrap_or_else(|error| panic!("at {}: {error}", self.address()))
    }

    /// The same, for what may fail.
    ///
    /// # Errors
    /// As [`Self::try_kubectl`].
    ///
    /// # Panics
    /// If the file cannot be written that `kubectl` is to read.
    pub fn try_apply(&self, objects: &str) -> Result<String, ToolError> {
        static APPLIED: AtomicU32 = AtomicU32::new(0);
        let number = APPLIED.fetch_add(1, Ordering::Relaxed);
        let file = self.run_directory().join(format!("applied-{number}.yaml"));
        fs::write(&file, objects).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        self.try_kubectl(&["apply", &format!("--filename={}", file.display())])
    }

    /// Waits until a [user](Self::token) may, or may not, do this to that: `("a", "get", "leases/jobs",
    /// true)`.
    ///
    /// # Panics
    /// If that is not so within a minute.
    pub fn until_may(&self, user: &str, verb: &str, what: &str, may: bool) {
        let account = format!("--as=system:serviceaccount:{}:{user}", self.namespace());
        let ask = ["auth", "can-i", verb, what, &account];
        let heeded = wait::until(|| (self.try_kubectl(&ask).is_ok() == may).then_some(()));
        heeded.unwrap_or_else(|| {
            panic!("whether {user} may {verb} {what} is not {may} within a minute")
        });
    }

    /// The sum of what its metrics say by this name, of those that have all of these labels:
    /// `("apiserver_request_total", &[("verb", "PUT"), ("resource", "leases")])`. 0 if there is none.
    /// What the server asks itself is in there, as is all that others ask.
    ///
    /// # Panics
    /// As [`Self::kubectl`].
    pub fn metric(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        metrics::sum(&self.kubectl(&["get", "--raw=/metrics"]), name, labels)
    }
}
