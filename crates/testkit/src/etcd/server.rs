use std::{
    fmt, io,
    net::{SocketAddr, ToSocketAddrs},
    path::{Path, PathBuf},
    sync::{Arc, LazyLock},
};

use super::{
    EtcdOptions, ServerError, ToolError,
    member::{Member, PROGRAM},
    tools,
    users::{self, Login},
};
use crate::server::{
    Found, Own, Recipe, Tool, Way, metrics, outcome, tls,
    url::{before_the_host, encoded, files, hosts, question},
};

/// An etcd of one member, or one member of an [`EtcdCluster`](super::EtcdCluster), ready. Gone when
/// this is dropped, or when this process is.
pub struct EtcdServer {
    address: SocketAddr,
    options: EtcdOptions,
    candidate: Option<Login>,
    operator: Option<Login>,
    place: Place,
}

enum Place {
    /// Where LEASEHOLD_ETCD_URL says.
    Elsewhere(String),
    Here(Box<Here>),
}

struct Here {
    own: Own,
    member: Arc<Member>,
}

impl EtcdServer {
    /// A server with no options, from wherever there is one.
    ///
    /// # Errors
    /// As [`EtcdOptions::start`].
    pub fn start() -> Result<Self, ServerError> {
        Self::with(EtcdOptions::new())
    }

    /// The one server with no options that all tests of this process share, started by the first.
    ///
    /// # Panics
    /// If there is none. The message says how to get one.
    pub fn shared() -> &'static Self {
        static SHARED: LazyLock<EtcdServer> =
            LazyLock::new(|| EtcdServer::start().unwrap_or_else(|error| panic!("{error}")));
        &SHARED
    }

    pub(super) fn with(options: EtcdOptions) -> Result<Self, ServerError> {
        match Way::find(&PROGRAM, options.own)? {
            Found::Elsewhere(url) => Self::elsewhere(url, options),
            Found::Here(way) => {
                let member = Arc::new(Member::alone(options));
                let own = Own::start(&way, &(member.clone() as Arc<dyn Recipe>))?;
                let server = Self::of(own, member);
                if server.options.auth {
                    users::set_up(&server)?;
                }
                Ok(server)
            }
        }
    }

    fn elsewhere(url: String, options: EtcdOptions) -> Result<Self, ServerError> {
        let rest = url.trim_start_matches("etcd://");
        let (login, host) = rest.rsplit_once('@').map_or((None, rest), |(l, h)| (Some(l), h));
        let login = login.map(Login::of_a_url);
        let address = host.to_socket_addrs()?.next();
        let address = address.ok_or_else(|| io::Error::from(io::ErrorKind::AddrNotAvailable))?;
        let (candidate, operator, place) = (login.clone(), login, Place::Elsewhere(url));
        let server = Self { address, options, candidate, operator, place };
        let asked =
            server.try_etcdctl(&["get", "--keys-only", "--prefix", "--limit=1", users::PREFIX]);
        asked.map(|_| server).map_err(|error| ServerError::Unreachable {
            address,
            variable: PROGRAM.url,
            source: Box::new(error),
        })
    }

    pub(super) fn of(own: Own, member: Arc<Member>) -> Self {
        let options = member.options.clone();
        let [candidate, operator] =
            [Login::candidate(), Login::root()].map(|login| options.auth.then_some(login));
        let (address, place) = (own.address(), Place::Here(Box::new(Here { own, member })));
        Self { address, options, candidate, operator, place }
    }

    /// Where it listens for clients.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of a lease at this server as `leasehold::connect` takes it, with what a candidate needs
    /// to get in.
    pub fn url(&self, lease: &str) -> String {
        match &self.place {
            Place::Elsewhere(url) => format!("{url}/{}", encoded(lease)),
            Place::Here(_) => self.url_through(self.address, lease),
        }
    }

    /// The same by way of another address, a proxy's, that leads to this server.
    ///
    /// # Panics
    /// If it is not a server of one's own.
    pub fn url_through(&self, proxy: SocketAddr, lease: &str) -> String {
        self.url_of([proxy], lease)
    }

    pub(super) fn url_of(
        &self,
        addresses: impl IntoIterator<Item = SocketAddr>,
        lease: &str,
    ) -> String {
        let scheme = if self.options.over_tls() { "etcds" } else { "etcd" };
        let tls = self.options.tls.as_ref();
        let query = tls.map_or_else(Vec::new, |tls| files(tls, self.run_directory()));
        let login = self.candidate.as_ref();
        let login = before_the_host(login.map(|login| (Some(&*login.user), &*login.password)));
        let (hosts, query) = (hosts(addresses), question(&query));
        format!("{scheme}://{login}{hosts}/{}{query}", encoded(lease))
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

    /// Kills it (SIGKILL), and returns when it is gone. Nobody else gets its ports.
    ///
    /// # Panics
    /// If it is not a server of one's own.
    pub fn kill(&self) {
        self.own().kill();
    }

    /// Starts it again, on the same ports, with what it had written; kills it before, if it runs.
    /// Returns when it is ready: as a member of a cluster when that has a leader.
    ///
    /// # Panics
    /// If it is not a server of one's own, or does not start.
    pub fn restart(&self) {
        if let Err(error) = self.own().restart() {
            panic!("started again: {error}");
        }
    }

    /// What `etcdctl` prints when its operator, who may do everything, calls it with these words;
    /// without the end of the last line. It asks this member alone.
    ///
    /// # Panics
    /// With what it says, if it fails, or if the server does not answer within 5 s.
    pub fn etcdctl(&self, words: &[&str]) -> String {
        self.try_etcdctl(words).unwrap_or_else(|error| panic!("at {}: {error}", self.address))
    }

    /// The same, for what may fail.
    ///
    /// # Errors
    /// With what it says, if it fails, or if the server does not answer within 5 s.
    pub fn try_etcdctl(&self, words: &[&str]) -> Result<String, ToolError> {
        self.etcdctl_of(self.operator.as_ref(), words)
    }

    /// The same with what a candidate may do.
    ///
    /// # Errors
    /// As [`Self::try_etcdctl`].
    pub fn try_etcdctl_of_a_candidate(&self, words: &[&str]) -> Result<String, ToolError> {
        self.etcdctl_of(self.candidate.as_ref(), words)
    }

    pub(super) fn etcdctl_of(
        &self,
        login: Option<&Login>,
        words: &[&str],
    ) -> Result<String, ToolError> {
        let directory = match &self.place {
            Place::Here(here) => Some(here.own.directory()),
            Place::Elsewhere(_) => None,
        };
        let mut all = tools::common(self.address, &self.options, directory, login);
        all.extend(words.iter().map(ToString::to_string));
        self.tool("etcdctl", &all)
    }

    pub(super) fn tool(&self, name: &'static str, words: &[String]) -> Result<String, ToolError> {
        let done = match &self.place {
            Place::Here(here) => here.own.tool(name, words),
            Place::Elsewhere(_) => Tool::of(name, PROGRAM.find().ok().as_deref()).run(words),
        };
        outcome(name, done)
    }

    /// The sum of what its metrics say by this name, of those that have all of these labels:
    /// `("grpc_server_handled_total", &[("grpc_method", "Txn")])`. 0 if there is none.
    ///
    /// # Panics
    /// If it does not answer within 5 s.
    pub fn metric(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let page = metrics::page(self.metrics_address()).expect("it answers about its metrics");
        metrics::sum(&page, name, labels)
    }

    fn metrics_address(&self) -> SocketAddr {
        match &self.place {
            Place::Here(here) => here.own.place().ports[2].address(),
            Place::Elsewhere(_) => self.address,
        }
    }

    /// The certificate of the authority that signed its own, where it has one.
    pub fn ca(&self) -> Option<PathBuf> {
        self.options.tls.as_ref().map(|_| self.own().directory().join(tls::CA))
    }

    /// Every password, of the candidates and of the operator: what must not be found in a log.
    pub fn secrets(&self) -> Vec<String> {
        let operator = self.operator.iter().filter(|login| self.candidate.as_ref() != Some(login));
        self.candidate.iter().chain(operator).map(|login| login.password.clone()).collect()
    }

    /// The directory that it runs in.
    ///
    /// # Panics
    /// If it is not a server of one's own.
    pub fn run_directory(&self) -> &Path {
        self.own().directory()
    }

    /// Its process, where it is one of this machine and runs.
    pub fn pid(&self) -> Option<u32> {
        match &self.place {
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

    pub(super) fn own(&self) -> &Own {
        &self.here().own
    }

    pub(super) fn member(&self) -> &Member {
        &self.here().member
    }

    fn here(&self) -> &Here {
        match &self.place {
            Place::Here(here) => here,
            Place::Elsewhere(_) => panic!(
                "this is the server that LEASEHOLD_ETCD_URL names, which is not ours to do that with: \
                 ask for a server with `EtcdOptions::own`"
            ),
        }
    }
}

impl fmt::Debug for EtcdServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EtcdServer")
            .field("address", &self.address)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
