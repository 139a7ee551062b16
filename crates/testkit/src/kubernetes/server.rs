use std::{
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use super::{
    ApiserverOptions, ServerError,
    access::{self, Access},
    elsewhere::Elsewhere,
    recipe::{Beside, PROGRAM},
};
use crate::{
    etcd::{EtcdOptions, EtcdServer},
    server::{Found, Own, Recipe, Way, tls, wait},
};

/// A kube-apiserver with RBAC, ready, and a namespace in it. Gone when this is dropped, or when this
/// process is.
pub struct Apiserver {
    pub(super) shared: Arc<Shared>,
    pub(super) namespace: String,
    /// The operator's.
    pub(super) kubeconfig: PathBuf,
}

/// What namespaces of the same server have in common.
pub(super) struct Shared {
    pub(super) address: SocketAddr,
    options: ApiserverOptions,
    /// All that were handed out.
    pub(super) tokens: Mutex<Vec<String>>,
    pub(super) place: Place,
}

pub(super) enum Place {
    /// Where LEASEHOLD_KUBECONFIG says.
    Elsewhere(Elsewhere),
    Here(Box<Here>),
}

pub(super) struct Here {
    // Gone before its etcd is.
    pub(super) own: Own,
    pub(super) access: Access,
    pub(super) etcd: EtcdServer,
}

impl Apiserver {
    /// A server with no options, from wherever there is one.
    ///
    /// # Errors
    /// As [`ApiserverOptions::start`].
    pub fn start() -> Result<Self, ServerError> {
        Self::with(ApiserverOptions::new())
    }

    /// The one server with no options that all tests of this process share, started by the first.
    ///
    /// # Panics
    /// If there is none. The message says how to get one.
    pub fn shared() -> &'static Self {
        static SHARED: LazyLock<Apiserver> =
            LazyLock::new(|| Apiserver::start().unwrap_or_else(|error| panic!("{error}")));
        &SHARED
    }

    pub(super) fn with(options: ApiserverOptions) -> Result<Self, ServerError> {
        let tokens = Mutex::default();
        match Way::find(&PROGRAM, options.own)? {
            Found::Elsewhere(kubeconfig) => {
                let elsewhere = Elsewhere::new(&kubeconfig)?;
                let address = elsewhere.access.address()?;
                let place = Place::Elsewhere(elsewhere);
                let shared = Arc::new(Shared { address, options, tokens, place });
                Self::in_namespace_of(shared).map_err(|error| ServerError::Unreachable {
                    address,
                    variable: PROGRAM.url,
                    source: Box::new(error),
                })
            }
            Found::Here(way) => {
                let here = Here::start(&way, &options)?;
                let (address, place) = (here.own.address(), Place::Here(Box::new(here)));
                let shared = Arc::new(Shared { address, options, tokens, place });
                Self::in_namespace_of(shared)
            }
        }
    }

    /// As soon as the server is ready, its namespace is made.
    fn in_namespace_of(shared: Arc<Shared>) -> Result<Self, ServerError> {
        let namespace = format!("leasehold-{:016x}", rand::random::<u64>());
        let Access { cluster, operator } = shared.access();
        let kubeconfig = access::write(shared.directory(), &namespace, cluster, operator)?;
        let server = Self { shared, namespace, kubeconfig };
        if let Place::Here(_) = &server.shared.place {
            server.settle()?;
        }
        server.try_apply(&format!(
            r#"{{"apiVersion": "v1", "kind": "Namespace",
                "metadata": {{"name": "{}", "labels": {{"leasehold.dev/tests": "true"}}}}}}"#,
            server.namespace
        ))?;
        Ok(server)
    }

    /// Waits until all is done that it does at its start. It tells only those who ask.
    fn settle(&self) -> Result<(), ServerError> {
        let ready = wait::until(|| self.try_kubectl(&["get", "--raw=/readyz"]).ok());
        ready.map(drop).ok_or_else(|| ServerError::Late {
            waited_for: "/readyz does not say ok".to_owned(),
            log: self.log(),
        })
    }

    /// Another namespace of the same server, empty, for a test that shares the server and nothing else.
    /// The server ends with the last of them.
    ///
    /// # Panics
    /// If it cannot be made: with what `kubectl` says.
    #[must_use]
    pub fn new_namespace(&self) -> Self {
        Self::in_namespace_of(self.shared.clone()).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.shared.address
    }

    /// The name of the namespace.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Its etcd, which lives on whatever is done to the server.
    ///
    /// # Panics
    /// If it is not a server of one's own.
    pub fn etcd(&self) -> &EtcdServer {
        &self.here().etcd
    }

    /// Stops it: it answers nobody, and its connections stay open. Returns when it has stopped.
    ///
    /// # Panics
    /// If it is not a server of one's own, or does not run.
    pub fn freeze(&self) {
        self.own().freeze();
    }

    /// Lets it go on.
    ///
    /// # Panics
    /// As [`Self::freeze`].
    pub fn thaw(&self) {
        self.own().thaw();
    }

    /// Kills it (SIGKILL), and returns when it is gone. Nobody else gets its port.
    ///
    /// # Panics
    /// If it is not a server of one's own.
    pub fn kill(&self) {
        self.own().kill();
    }

    /// Starts it again, on the same port; kills it before, if it runs. Returns when it is ready.
    ///
    /// # Panics
    /// If it is not a server of one's own, or does not start.
    pub fn restart(&self) {
        let started = self.own().restart().and_then(|()| self.settle());
        started.unwrap_or_else(|error| panic!("started again: {error}"));
    }

    /// The directory that it runs in, and that kubeconfigs are in.
    pub fn run_directory(&self) -> &Path {
        self.shared.directory()
    }

    /// Its process, where it is one of this machine and runs.
    pub fn pid(&self) -> Option<u32> {
        match &self.shared.place {
            Place::Elsewhere(_) => None,
            Place::Here(here) => here.own.pid(),
        }
    }

    /// The last 200 lines that it has said.
    ///
    /// # Panics
    /// If it is not a server of one's own.
    pub fn log(&self) -> String {
        self.own().log()
    }

    fn own(&self) -> &Own {
        &self.here().own
    }

    fn here(&self) -> &Here {
        match &self.shared.place {
            Place::Here(here) => here,
            Place::Elsewhere(_) => panic!(
                "this is the cluster that LEASEHOLD_KUBECONFIG names, which is not ours to do that \
                 with: ask for a server with `ApiserverOptions::own`"
            ),
        }
    }
}

impl Here {
    fn start(way: &Way, options: &ApiserverOptions) -> Result<Self, ServerError> {
        let etcd = EtcdOptions::new().own();
        let etcd = if options.synced { etcd.synced() } else { etcd }.start();
        let etcd = etcd.map_err(|error| way.without(error))?;
        let recipe = Arc::new(Beside::new(options.clone(), etcd.address())?);
        let own = Own::start(way, &(recipe.clone() as Arc<dyn Recipe>))?;
        let access = Access::here(own.address(), &own.directory().join(tls::CA), &recipe.token);
        Ok(Self { own, access, etcd })
    }
}

impl Shared {
    pub(super) fn access(&self) -> &Access {
        match &self.place {
            Place::Elsewhere(elsewhere) => &elsewhere.access,
            Place::Here(here) => &here.access,
        }
    }

    pub(super) fn directory(&self) -> &Path {
        match &self.place {
            Place::Elsewhere(elsewhere) => elsewhere.directory.path(),
            Place::Here(here) => here.own.directory(),
        }
    }

    pub(super) fn remember(&self, token: &str) {
        let tokens = self.tokens.lock();
        tokens.unwrap_or_else(PoisonError::into_inner).push(token.to_owned());
    }
}

impl Drop for Apiserver {
    fn drop(&mut self) {
        if let Place::Elsewhere(_) = &self.shared.place {
            let words = ["delete", "namespace", &self.namespace, "--wait=false"];
            // Where a test has failed already, that is the news.
            let _ = self.try_kubectl(&words);
        }
    }
}

impl fmt::Debug for Apiserver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Apiserver")
            .field("address", &self.shared.address)
            .field("namespace", &self.namespace)
            .field("options", &self.shared.options)
            .finish_non_exhaustive()
    }
}
