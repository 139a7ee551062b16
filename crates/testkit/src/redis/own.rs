use std::{
    fs,
    net::SocketAddr,
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

#[cfg(feature = "containers")]
use super::container::Container;
use super::{
    RedisOptions, ServerError, config,
    directory::Directory,
    log::Came,
    port::Port,
    process::Process,
    running::{Running, Start},
    way::Way,
};

/// Reading a small configuration takes it milliseconds; this is for a machine that is very busy.
const LIMIT: Duration = Duration::from_secs(30);
const TAKEN: &str = "Address already in use";

/// A server that was started here, or is to be started again.
pub(super) struct Own {
    way: Way,
    options: RedisOptions,
    ports: Ports,
    running: Mutex<Option<Box<dyn Running>>>,
    directory: Directory,
}

/// Kept also while the server is down.
struct Ports {
    clients: Port,
    bus: Option<Port>,
}

impl Ports {
    fn reserve(options: &RedisOptions) -> Result<Self, ServerError> {
        let bus = options.cluster.then(Port::reserve).transpose()?;
        Ok(Self { clients: Port::reserve()?, bus })
    }
}

impl Own {
    pub(super) fn start(way: Way, options: &RedisOptions) -> Result<Self, ServerError> {
        let directory = Directory::new()?;
        if let Some(tls) = &options.tls {
            tls.write(directory.path())?;
        }
        let mut own = Self {
            way,
            options: options.clone(),
            ports: Ports::reserve(options)?,
            running: Mutex::default(),
            directory,
        };
        loop {
            own.configure()?;
            match own.run() {
                // Some program has the port, which only shows when it is asked for.
                Err(ServerError::Ended { log }) if log.contains(TAKEN) => {
                    own.ports = Ports::reserve(options)?;
                }
                other => return other.map(|()| own),
            }
        }
    }

    fn configure(&self) -> Result<(), ServerError> {
        let port = self.ports.clients.number();
        let text = config::text(&self.options, port, self.bus(), self.directory.path());
        Ok(fs::write(self.directory.path().join(config::FILE), text)?)
    }

    fn run(&self) -> Result<(), ServerError> {
        let running = self.launch()?;
        let came = running.log().first_of_ready_and_end(LIMIT);
        let log = running.log().text();
        *self.running() = Some(running);
        if came == Came::Ready {
            return Ok(());
        }
        self.kill();
        Err(match came {
            Came::Ended => ServerError::Ended { log },
            _ => {
                let waited_for = format!("it did not say so within {LIMIT:?}");
                ServerError::Late { waited_for, log }
            }
        })
    }

    fn launch(&self) -> Result<Box<dyn Running>, ServerError> {
        let (arguments, ready) = match self.options.sentinel_of {
            None => (&[config::FILE][..], "Ready to accept connections"),
            Some(_) => (&[config::FILE, "--sentinel"][..], "Sentinel ID is"),
        };
        let (directory, environment) = (&self.directory, &self.options.environment[..]);
        let start = Start { directory, arguments, environment, ready };
        Ok(match &self.way {
            Way::Binary(program) => Box::new(Process::start(program, &start)?),
            #[cfg(feature = "containers")]
            Way::Container { found } => {
                let container = Container::start(&start).map_err(|error| {
                    let found = [&found[..], &[format!("there is no container: {error}")]].concat();
                    ServerError::Missing { found: found.join("; ") }
                });
                Box::new(container?)
            }
        })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.ports.clients.address()
    }

    pub(super) fn bus(&self) -> Option<u16> {
        self.ports.bus.as_ref().map(Port::number)
    }

    pub(super) fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub(super) fn freeze(&self) {
        self.while_it_runs(|process| process.freeze().expect("it can be stopped"));
    }

    pub(super) fn thaw(&self) {
        self.while_it_runs(|process| process.thaw().expect("it can be told to go on"));
    }

    pub(super) fn kill(&self) {
        *self.running() = None;
        // The system may give its number to another process now.
        let _ = self.directory.keep(None);
    }

    pub(super) fn restart(&self) -> Result<(), ServerError> {
        self.kill();
        self.run()
    }

    pub(super) fn pid(&self) -> Option<u32> {
        self.running().as_ref().and_then(|running| running.id())
    }

    pub(super) fn log(&self) -> String {
        self.running().as_ref().map_or_else(String::new, |process| process.log().text())
    }

    fn while_it_runs<T>(&self, act: impl FnOnce(&dyn Running) -> T) -> T {
        let running = self.running();
        act(&**running.as_ref().expect("the server was killed: start it again first"))
    }

    fn running(&self) -> MutexGuard<'_, Option<Box<dyn Running>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        self.kill();
    }
}
