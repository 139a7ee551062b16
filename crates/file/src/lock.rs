use std::{
    fmt,
    path::{self, Path},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use futures::stream::BoxStream;
use leasehold_core::{
    Era, Error, ErrorKind, Guarantees, LeaseLock, LeaseName, Observation, Record, Swap,
};
use tokio::runtime::Handle;

use crate::{
    FileConfig, alive::Alive, cleaner::Cleaner, filesystem, names::Names, record::Writer,
    store::Store, watch,
};

const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// A lease that is kept as files in a directory, for the processes of one host.
///
/// Keep it for as long as work may be done under a term that was won through it: dropping the last
/// reference to it shows the other candidates that the electors behind it are gone.
pub struct FileLock {
    writer: Arc<Writer>,
}

impl FileLock {
    /// The lock on the lease of this name in this directory, which must exist.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for a name that takes above 180 bytes in a file name, for what is no
    /// directory, and for a file system that is not known to work (see
    /// [`FileConfig::force_filesystem`]); [`ErrorKind::Denied`] for a directory that this process
    /// cannot read, write and search.
    pub fn open(directory: impl AsRef<Path>, name: LeaseName) -> Result<Self, Error> {
        FileConfig::new(directory, name).open()
    }

    pub(crate) fn with_config(config: FileConfig) -> Result<Self, Error> {
        let FileConfig { directory, name, force_filesystem } = config;
        let names = Names::new(&name)?;
        // A process that changes its working directory later goes on using the same one.
        let directory = path::absolute(&directory).map_err(|error| {
            let operation = format!("keep lease {name:?} in {directory:?}");
            Error::new(ErrorKind::Invalid, operation, format!("{error}; name a directory"))
        })?;
        filesystem::check(&directory, force_filesystem)?;
        let title = format!("file lease {name:?} in {}", directory.display());
        let era = boot().map_err(|error| {
            Error::new(
                ErrorKind::Unreachable,
                format!("open {title}"),
                format!("{BOOT_ID} does not tell which boot this is: {error}; mount /proc"),
            )
        })?;
        let store = Arc::new(Store::new(directory, names, era, title));
        let (alive, cleaner) = (Alive::default(), Cleaner::default());
        Ok(Self { writer: Arc::new(Writer { store, alive, cleaner }) })
    }
}

fn boot() -> Result<Era, String> {
    let id = std::fs::read_to_string(BOOT_ID).map_err(|error| error.to_string())?;
    match id.trim() {
        "" => Err("it is empty".to_owned()),
        id => Ok(Era::new(id)),
    }
}

/// Does file work on a thread where it may block.
pub(crate) async fn blocking<T: Send + 'static>(
    store: &Store,
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let failed =
        |why: String| Error::new(ErrorKind::Unexpected, format!("use {}", store.title), why);
    let runtime = Handle::try_current()
        .map_err(|error| failed(format!("{error}; call it from within a tokio runtime")))?;
    let permit = store.threads.clone().acquire_owned().await;
    let work = move || {
        let _permit = permit;
        work()
    };
    match runtime.spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => Err(failed(format!("{error}: the runtime is shutting down, or see above"))),
    }
}

impl fmt::Debug for FileLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let store = &self.writer.store;
        f.debug_struct("FileLock")
            .field("directory", &store.directory)
            .field("name", &store.names.encoded())
            .field("era", &store.era)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl LeaseLock for FileLock {
    fn describe(&self) -> String {
        self.writer.store.title.clone()
    }

    fn guarantees(&self) -> Guarantees {
        Guarantees {
            backend: "file",
            memory_loss: "a reboot or a power cut loses nothing that counts: versions go on from \
                          above the last boot's; deleting the files of a lease starts a wait, and \
                          versions go on from the wall clock",
            pushes: true,
            proves_death: true,
            shortest_lease: Duration::from_millis(100),
            shortest_retry: Duration::ZERO,
            least_drift_percent: 0,
        }
    }

    async fn observe(&self) -> Result<Observation, Error> {
        let store = self.writer.store.clone();
        blocking(&self.writer.store, move || store.observe().map(|sight| sight.observation)).await
    }

    async fn swap(&self, expected: &Observation, record: &Record) -> Result<Swap, Error> {
        let writer = self.writer.clone();
        let (expected, record) = (expected.clone(), record.clone());
        blocking(&self.writer.store, move || writer.swap(&expected, &record)).await
    }

    fn watch(&self) -> BoxStream<'static, Result<Observation, Error>> {
        watch::observations(self.writer.store.clone())
    }
}
