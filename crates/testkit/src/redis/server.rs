use std::{
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, LazyLock},
};

use ::redis::{FromRedisValue, RedisError, Value};

use super::{RedisOptions, ServerError, operator::Operator, recipe::PROGRAM, url};
use crate::server::{Found, Own, Port, Recipe, Way, tls, url::encoded, wait};

/// A Redis or Valkey, ready. Gone when this is dropped, or when this process is.
pub struct RedisServer {
    address: SocketAddr,
    options: RedisOptions,
    operator: Operator,
    place: Place,
}

enum Place {
    /// Where LEASEHOLD_REDIS_URL says.
    Elsewhere(String),
    Here(Box<Own>),
}

impl RedisServer {
    /// A server with no options, from wherever there is one.
    ///
    /// # Errors
    /// As [`RedisOptions::start`].
    pub fn start() -> Result<Self, ServerError> {
        Self::with(RedisOptions::new())
    }

    /// The one server with no options that all tests of this process share, started by the first.
    ///
    /// # Panics
    /// If there is none. The message says how to get one.
    pub fn shared() -> &'static Self {
        static SHARED: LazyLock<RedisServer> =
            LazyLock::new(|| RedisServer::start().unwrap_or_else(|error| panic!("{error}")));
        &SHARED
    }

    pub(super) fn with(options: RedisOptions) -> Result<Self, ServerError> {
        match Way::find(&PROGRAM, options.own)? {
            Found::Elsewhere(url) => Self::elsewhere(url, options),
            Found::Here(way) => {
                let recipe: Arc<dyn Recipe> = Arc::new(options.clone());
                let own = Own::start(&way, &recipe)?;
                let address = own.address();
                let login = options.credentials.of_the_operator();
                let operator = Operator::of(address, login, options.tls.as_ref())?;
                Ok(Self { address, options, operator, place: Place::Here(Box::new(own)) })
            }
        }
    }

    fn elsewhere(url: String, options: RedisOptions) -> Result<Self, ServerError> {
        let (address, operator) = Operator::by_url(&url)?;
        operator.ask(&["PING"]).map_err(|error| ServerError::Unreachable {
            address,
            variable: PROGRAM.url,
            source: Box::new(error),
        })?;
        Ok(Self { address, options, operator, place: Place::Elsewhere(url) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of a lease at this server as `leasehold::connect` takes it, with what a candidate needs
    /// to get in.
    pub fn url(&self, lease: &str) -> String {
        match &self.place {
            Place::Elsewhere(url) => format!("{url}#{}", encoded(lease)),
            Place::Here(own) => {
                url::of_a_server(&self.options, self.address, own.directory(), lease)
            }
        }
    }

    /// The same by way of another address, a proxy's, that leads to this server.
    ///
    /// # Panics
    /// If it is not a server of one's own.
    pub fn url_through(&self, proxy: SocketAddr, lease: &str) -> String {
        let options = RedisOptions { unix_socket: false, ..self.options.clone() };
        url::of_a_server(&options, proxy, self.own().directory(), lease)
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

    /// Starts it again, on the same port, in the same directory and with the same configuration; kills
    /// it before, if it runs. Returns when it is ready.
    ///
    /// # Panics
    /// If it is not a server of one's own, or does not start.
    pub fn restart(&self) {
        if let Err(error) = self.own().restart() {
            panic!("started again: {error}");
        }
    }

    /// What it answers to a command of its operator, who may do everything. Each comes on a connection
    /// of its own.
    ///
    /// # Panics
    /// With what the server said, if that is an error, or if it does not answer within 5 s.
    pub fn command<W: AsRef<[u8]>>(&self, words: &[W]) -> Value {
        self.try_command(words).unwrap_or_else(|error| {
            let name = words.first().map(|word| String::from_utf8_lossy(word.as_ref()));
            panic!("{} at {}: {error}", name.unwrap_or_default(), self.address)
        })
    }

    /// The same, for an answer that is text, such as INFO's.
    ///
    /// # Panics
    /// As [`Self::command`], or if it is no text.
    pub fn text<W: AsRef<[u8]>>(&self, words: &[W]) -> String {
        String::from_redis_value(self.command(words)).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The same, for an answer that may be an error.
    ///
    /// # Errors
    /// If it says so, is gone, or does not answer within 5 s.
    pub fn try_command<W: AsRef<[u8]>>(&self, words: &[W]) -> Result<Value, RedisError> {
        self.operator.ask(words)
    }

    /// Waits until this replica has all that its master has now. (WAIT would not tell: it answers for
    /// the writes of its own connection.)
    ///
    /// # Panics
    /// If that does not happen within a minute.
    pub fn catch_up_with(&self, master: &Self) {
        let caught_up = wait::until(|| self.has_caught_up_with(master).then_some(()));
        assert!(caught_up.is_some(), "the replica does not catch up; its log:\n{}", self.log());
    }

    /// The certificate of the authority that signed its own, where it has one.
    pub fn ca(&self) -> Option<PathBuf> {
        self.options.tls.as_ref().map(|_| self.own().directory().join(tls::CA))
    }

    /// Every password, of the candidates and of the operator: what must not be found in a log.
    pub fn secrets(&self) -> Vec<String> {
        let candidate = self.options.credentials.of_a_candidate().map(|(_, password)| password);
        let operator = self.operator.password().filter(|password| candidate != Some(password));
        candidate.into_iter().chain(operator).map(str::to_owned).collect()
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
            Place::Here(own) => own.pid(),
        }
    }

    /// The last 200 lines that it has said.
    ///
    /// # Panics
    /// If it is not a server of one's own.
    pub fn log(&self) -> String {
        self.own().log()
    }

    /// The same, for an answer of a known type.
    pub(super) fn ask<T: FromRedisValue>(&self, words: &[&str]) -> Result<T, RedisError> {
        Ok(T::from_redis_value(self.try_command(words)?)?)
    }

    pub(super) fn has_caught_up_with(&self, master: &Self) -> bool {
        let position = |server: &Self| {
            let info: String = server.ask(&["INFO", "replication"]).ok()?;
            let field = |name| info.lines().find_map(|line| line.strip_prefix(name));
            let history = field("master_replid:")?.to_owned();
            Some((history, field("master_repl_offset:")?.parse::<u64>().ok()?))
        };
        let (Some(there), Some(here)) = (position(master), position(self)) else { return false };
        here.0 == there.0 && here.1 >= there.1
    }

    pub(super) fn options(&self) -> &RedisOptions {
        &self.options
    }

    /// The port of a cluster's nodes among themselves.
    pub(super) fn bus(&self) -> Option<u16> {
        self.own().place().ports.get(1).map(Port::number)
    }

    fn own(&self) -> &Own {
        match &self.place {
            Place::Here(own) => own,
            Place::Elsewhere(_) => panic!(
                "this is the server that LEASEHOLD_REDIS_URL names, which is not ours to do that with: \
                 ask for a server with `RedisOptions::own`"
            ),
        }
    }
}

impl fmt::Debug for RedisServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisServer")
            .field("address", &self.address)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
