use std::{
    collections::HashMap,
    mem::{self, MaybeUninit},
    os::fd::OwnedFd,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};

use leasehold_core::RandomPart;
use rustix::{
    fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags},
    io::{self, Errno},
};
use tokio::sync::Notify;

use crate::names::{self, Kind, Names};

/// The one inotify instance of this process, once somebody has watched something: by default a
/// user has 128 of them in all.
static HUB: Mutex<Option<Arc<Hub>>> = Mutex::new(None);

/// What is told of. Closes only of files that were open for writing: probers open what holders
/// lock for reading, so that a probe never causes another one.
const WATCHED: WatchFlags = WatchFlags::CREATE
    .union(WatchFlags::MOVED_TO)
    .union(WatchFlags::MOVED_FROM)
    .union(WatchFlags::DELETE)
    .union(WatchFlags::CLOSE_WRITE)
    .union(WatchFlags::DELETE_SELF)
    .union(WatchFlags::MOVE_SELF)
    .union(WatchFlags::ONLYDIR);

struct Hub {
    inotify: OwnedFd,
    directories: Mutex<HashMap<i32, Leases>>,
}

/// The subscribers of one directory, by the lease as its files spell it.
type Leases = HashMap<String, Vec<Arc<Signal>>>;

#[derive(Default)]
struct Signal {
    news: Mutex<News>,
    notify: Notify,
}

/// What has happened to a lease since it was last asked.
#[derive(Debug, Default)]
pub(crate) struct News {
    changed: bool,
    /// Those who closed the file that they keep locked while they live.
    pub(crate) closed: Vec<RandomPart>,
    /// There will be no more news.
    pub(crate) ended: bool,
}

/// A share in the watch of a directory, which ends with the last of them.
pub(crate) struct Subscription {
    hub: Arc<Hub>,
    directory: i32,
    lease: String,
    signal: Arc<Signal>,
}

impl Subscription {
    pub(crate) fn new(directory: &Path, names: &Names) -> io::Result<Self> {
        let hub = Hub::of_this_process()?;
        let signal = Arc::<Signal>::default();
        let lease = names.encoded().to_owned();
        // The lock is had before the first event can come, so that none finds nobody to be told.
        let mut directories = locked(&hub.directories);
        let directory = inotify::add_watch(&hub.inotify, directory, WATCHED)?;
        let leases = directories.entry(directory).or_default();
        leases.entry(lease.clone()).or_default().push(signal.clone());
        drop(directories);
        Ok(Self { hub, directory, lease, signal })
    }

    /// What has happened since the last call; waits until there is something.
    pub(crate) async fn next(&self) -> News {
        loop {
            let news = mem::take(&mut *locked(&self.signal.news));
            if news.changed || news.ended || !news.closed.is_empty() {
                return news;
            }
            self.signal.notify.notified().await;
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut directories = locked(&self.hub.directories);
        let Some(leases) = directories.get_mut(&self.directory) else { return };
        if let Some(signals) = leases.get_mut(&self.lease) {
            signals.retain(|signal| !Arc::ptr_eq(signal, &self.signal));
            if signals.is_empty() {
                leases.remove(&self.lease);
            }
        }
        if leases.is_empty() {
            directories.remove(&self.directory);
            // Gone already if the directory is.
            let _ = inotify::remove_watch(&self.hub.inotify, self.directory);
        }
    }
}

impl Hub {
    fn of_this_process() -> io::Result<Arc<Self>> {
        let mut present = locked(&HUB);
        if let Some(hub) = &*present {
            return Ok(hub.clone());
        }
        let inotify = inotify::init(CreateFlags::CLOEXEC)?;
        let hub = Arc::new(Self { inotify, directories: Mutex::default() });
        let reader = hub.clone();
        // A thread of its own: it serves all runtimes of the process and outlives each of them.
        thread::Builder::new()
            .name("leasehold-inotify".to_owned())
            .spawn(move || reader.read())
            .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::AGAIN))?;
        *present = Some(hub.clone());
        Ok(hub)
    }

    fn read(&self) {
        let mut buffer = [MaybeUninit::uninit(); 16 * 1024];
        let mut reader = Reader::new(&self.inotify, &mut buffer);
        loop {
            match reader.next() {
                Ok(event) => {
                    let name = event.file_name().map(|name| name.to_bytes());
                    self.tell(event.wd(), event.events(), name);
                }
                Err(Errno::INTR) => {}
                Err(_) => break,
            }
        }
        // Not seen yet. Who asks next gets a new one.
        *locked(&HUB) = None;
        for (_, leases) in locked(&self.directories).drain() {
            tell_all(&leases, |news| news.ended = true);
        }
    }

    fn tell(&self, directory: i32, events: ReadFlags, file: Option<&[u8]>) {
        let mut directories = locked(&self.directories);
        if events.contains(ReadFlags::QUEUE_OVERFLOW) {
            // Anything may have happened.
            directories.values().for_each(|leases| tell_all(leases, |news| news.changed = true));
            return;
        }
        if events.contains(ReadFlags::IGNORED) {
            // The watch is gone, and its number with it.
            if let Some(leases) = directories.remove(&directory) {
                tell_all(&leases, |news| news.ended = true);
            }
            return;
        }
        let Some(leases) = directories.get(&directory) else { return };
        let ends = ReadFlags::DELETE_SELF | ReadFlags::MOVE_SELF | ReadFlags::UNMOUNT;
        if events.intersects(ends) {
            tell_all(leases, |news| news.ended = true);
            return;
        }
        let Some((lease, kind)) = file.and_then(names::belongs) else { return };
        let Some(signals) = leases.get(lease) else { return };
        match kind {
            Kind::Record(_) | Kind::Unbelievable => {
                tell(signals, |news| news.changed = true);
            }
            Kind::Alive(author) | Kind::Unborn(author)
                if events.contains(ReadFlags::CLOSE_WRITE) =>
            {
                tell(signals, |news| news.closed.push(author));
            }
            Kind::Alive(_) | Kind::Unborn(_) | Kind::Temporary => {}
        }
    }
}

fn tell_all(leases: &Leases, what: impl Fn(&mut News)) {
    leases.values().for_each(|signals| tell(signals, &what));
}

fn tell(signals: &[Arc<Signal>], what: impl Fn(&mut News)) {
    for signal in signals {
        what(&mut locked(&signal.news));
        signal.notify.notify_one();
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
