use std::{
    net::SocketAddr,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

#[cfg(feature = "etcd")]
use super::tool::{Done, Tool};
use super::{
    Place, Port, Recipe, ServerError, Way,
    directory::Directory,
    log::Came,
    process::Process,
    running::{Running, Start},
};
#[cfg(feature = "containers")]
use super::{container::Container, way::missing};

/// To be ready takes it a second or less; this is for a machine that is very busy.
const LIMIT: Duration = Duration::from_secs(30);
const TAKEN: &str = "ddress already in use";

/// A server that was started here, or is to be started again.
pub(crate) struct Own {
    way: Way,
    recipe: Arc<dyn Recipe>,
    /// Kept also while it is down.
    ports: Vec<Port>,
    running: Mutex<Option<Box<dyn Running>>>,
    directory: Directory,
}

impl Own {
    /// One that is ready.
    pub(crate) fn start(way: &Way, recipe: &Arc<dyn Recipe>) -> Result<Self, ServerError> {
        loop {
            let own = Self::new(way, recipe)?;
            match own.run() {
                // Some program has a port, which only shows when it is asked for.
                Err(error) if is_taken(&error) => {}
                other => return other.map(|()| own),
            }
        }
    }

    /// One that has its ports and its files, and does not run yet.
    pub(crate) fn new(way: &Way, recipe: &Arc<dyn Recipe>) -> Result<Self, ServerError> {
        let ports = (0..recipe.ports()).map(|_| Port::reserve()).collect::<Result<_, _>>()?;
        let (way, recipe, running) = (way.clone(), recipe.clone(), Mutex::default());
        let own = Self { way, recipe, ports, running, directory: Directory::new()? };
        own.recipe.configure(&own.place())?;
        Ok(own)
    }

    /// Starts it, and returns when it is ready.
    pub(crate) fn run(&self) -> Result<(), ServerError> {
        self.launch()?;
        self.settle()
    }

    /// Starts it, and returns at once.
    pub(crate) fn launch(&self) -> Result<(), ServerError> {
        let launch = self.recipe.launch(&self.place());
        let start = Start { directory: &self.directory, launch: &launch };
        let running: Box<dyn Running> = match &self.way {
            Way::Binary(program) => Box::new(Process::start(program, &start)?),
            #[cfg(feature = "containers")]
            Way::Container { program, found } => {
                Box::new(Container::start(program, &start).map_err(|error| {
                    missing(program, &[&found[..], &[format!("no container: {error}")]].concat())
                })?)
            }
        };
        *self.running() = Some(running);
        Ok(())
    }

    /// Returns when it is ready. If it does not become so, it is killed.
    pub(crate) fn settle(&self) -> Result<(), ServerError> {
        let log = self.while_it_runs(|running| running.log().clone());
        let came = log.first_of_ready_and_end(LIMIT);
        if came == Came::Ready {
            return Ok(());
        }
        let log = log.text();
        self.kill();
        Err(match came {
            Came::Ended => ServerError::Ended { log },
            _ => {
                let waited_for = format!("it did not say so within {LIMIT:?}");
                ServerError::Late { waited_for, log }
            }
        })
    }

    /// Where its clients find it.
    pub(crate) fn address(&self) -> SocketAddr {
        self.ports[0].address()
    }

    pub(crate) fn place(&self) -> Place<'_> {
        Place { directory: self.directory.path(), ports: &self.ports }
    }

    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn freeze(&self) {
        self.while_it_runs(|running| running.freeze().expect("it can be stopped"));
    }

    pub(crate) fn thaw(&self) {
        self.while_it_runs(|running| running.thaw().expect("it can be told to go on"));
    }

    pub(crate) fn kill(&self) {
        *self.running() = None;
        // The system may give its number to another process now.
        let _ = self.directory.keep(None);
    }

    pub(crate) fn restart(&self) -> Result<(), ServerError> {
        self.kill();
        self.run()
    }

    pub(crate) fn pid(&self) -> Option<u32> {
        self.running().as_ref().and_then(|running| running.id())
    }

    pub(crate) fn log(&self) -> String {
        self.running().as_ref().map_or_else(String::new, |running| running.log().text())
    }

    /// Runs a program of its operator, where it runs itself.
    #[cfg(feature = "etcd")]
    pub(crate) fn tool(&self, name: &'static str, words: &[String]) -> std::io::Result<Done> {
        match &self.way {
            Way::Binary(program) => Tool::of(name, Some(program)).run(words),
            #[cfg(feature = "containers")]
            Way::Container { .. } => self.while_it_runs(|running| running.tool(name, words)),
        }
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

/// Whether a server could not start because some other program has one of its ports.
pub(crate) fn is_taken(error: &ServerError) -> bool {
    matches!(error, ServerError::Ended { log } if log.contains(TAKEN))
}
