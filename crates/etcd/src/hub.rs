//! The one watch that all leases of an etcd share, and those who are told by it.

use std::{
    collections::HashMap,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use leasehold_endpoint::Rest;
use tokio::{
    runtime::Handle,
    sync::{Notify, broadcast},
};

use crate::{Etcd, config::Address, listener::Listener, trouble::Trouble, txn::Seen};

/// How often the watch is proven to be alive while nobody knows how long a lease lasts: the usual
/// lease.
const USUAL_LEASE: Duration = Duration::from_secs(15);

/// So many news wait for a reader. Whoever is slower has missed some, and looks.
const UNREAD: usize = 16;

/// What is told to those who watch a lease.
#[derive(Clone, Debug)]
pub(crate) enum News {
    /// From here on all changes are told; whoever looks now has missed nothing.
    Look,
    Changed(Seen),
    /// Nothing more is told.
    Broke(Trouble, Address),
}

/// Who watches which lease. A task listens to etcd for them all, for as long as there is anybody.
#[derive(Default)]
pub(crate) struct Hub {
    readers: Mutex<Readers>,
    /// Readers have come or gone.
    changed: Notify,
}

#[derive(Default)]
pub(crate) struct Readers {
    by_key: HashMap<String, Vec<Reader>>,
    next: u64,
    /// A task listens, or is about to.
    listening: bool,
    /// What it hears is told.
    up: bool,
    /// What it listens to.
    range: Range,
    /// None: it has to be found again.
    shortest: Option<Duration>,
    /// Between watches in vain, whichever task began them.
    rest: Rest,
}

/// What is listened to. A lease that is alone is told of nothing else: with the prefix, all who share an
/// etcd would be told of each other's renewals.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Range {
    #[default]
    Prefix,
    Key(String),
}

struct Reader {
    number: u64,
    news: broadcast::Sender<News>,
    /// Of the record that it has seen last.
    duration: Duration,
    looked: bool,
}

impl Hub {
    /// The changes of a lease, by its key. The first who asks starts the task that listens.
    pub(crate) fn subscribe(&self, etcd: &Etcd, key: &str) -> Subscription {
        let (sender, news) = broadcast::channel(UNREAD);
        let mut readers = self.readers();
        let number = readers.next;
        readers.next += 1;
        let mut reader = Reader { number, news: sender, duration: Duration::ZERO, looked: false };
        if readers.up && readers.range.covers(key) {
            reader.look();
        }
        readers.by_key.entry(key.to_owned()).or_default().push(reader);
        let listener = (!readers.listening).then(|| Listener::new(etcd.clone()));
        readers.listening = true;
        drop(readers);
        // Not before: a runtime that is closing drops it at once, and it locks the readers then.
        if let (Some(listener), Ok(runtime)) = (listener, Handle::try_current()) {
            runtime.spawn(listener.run());
        }
        self.changed.notify_one();
        Subscription { etcd: etcd.clone(), key: key.to_owned(), number, news }
    }

    pub(crate) fn readers(&self) -> MutexGuard<'_, Readers> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until readers have come or gone.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }
}

impl Range {
    fn covers(&self, key: &str) -> bool {
        match self {
            Self::Prefix => true,
            Self::Key(alone) => alone == key,
        }
    }
}

impl Readers {
    /// What has to be listened to from now on.
    pub(crate) fn choose_range(&mut self) -> Range {
        let mut keys = self.by_key.keys();
        self.range = match (keys.next(), keys.next()) {
            (Some(alone), None) => Range::Key(alone.clone()),
            _ => Range::Prefix,
        };
        self.range.clone()
    }

    /// Whether somebody is there who hears nothing of what is listened to.
    pub(crate) fn want_more(&self) -> bool {
        self.by_key.keys().any(|key| !self.range.covers(key))
    }

    /// Whether the listener may end, which it then has to.
    pub(crate) fn are_gone(&mut self) -> bool {
        if self.by_key.is_empty() {
            self.listening = false;
            self.up = false;
        }
        self.by_key.is_empty()
    }

    /// All changes are told from here on. Whoever may have missed some is to look.
    pub(crate) fn hear_all(&mut self, missed: bool) {
        self.up = true;
        for reader in self.by_key.values_mut().flatten() {
            if missed || !reader.looked {
                reader.look();
            }
        }
    }

    /// Changes are told later, or, if somebody new asks, not at all. A watch has ended that was good for
    /// something, or that is to be begun again.
    pub(crate) fn hear_nothing(&mut self, good: bool, in_vain: bool) {
        self.up = false;
        if good {
            self.rest.tried(true);
        }
        if in_vain {
            self.rest.tried(false);
        }
    }

    /// Waits until a watch is to be begun after one that was in vain.
    pub(crate) fn rest(&self) -> impl Future<Output = ()> + Send + use<> {
        self.rest.over()
    }

    pub(crate) fn tell(&self, key: &[u8], seen: impl FnOnce() -> Seen) {
        let readers = str::from_utf8(key).ok().and_then(|key| self.by_key.get(key));
        let Some(readers) = readers else { return };
        let seen = seen();
        for reader in readers {
            // Who has just gone is about to be forgotten.
            let _ = reader.news.send(News::Changed(seen.clone()));
        }
    }

    /// The listener ends. To drop the senders ends what the readers hear.
    pub(crate) fn end(&mut self, why: Option<News>) {
        for reader in self.by_key.values().flatten() {
            if let Some(why) = &why {
                let _ = reader.news.send(why.clone());
            }
        }
        self.by_key.clear();
        self.listening = false;
        self.up = false;
    }

    /// Of the leases that are watched; none, where none is.
    pub(crate) fn shortest_lease(&mut self) -> Option<Duration> {
        if self.by_key.is_empty() {
            return None;
        }
        let find = || {
            let durations = self.by_key.values().flatten().map(|reader| reader.duration);
            durations.filter(|duration| !duration.is_zero()).min().unwrap_or(USUAL_LEASE)
        };
        Some(*self.shortest.get_or_insert_with(find))
    }
}

impl Reader {
    fn look(&mut self) {
        self.looked = true;
        let _ = self.news.send(News::Look);
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").field("leases", &self.readers().by_key.len()).finish_non_exhaustive()
    }
}

/// What is told about one lease, to one reader.
pub(crate) struct Subscription {
    etcd: Etcd,
    key: String,
    number: u64,
    news: broadcast::Receiver<News>,
}

impl Subscription {
    /// The next news; none, once nobody listens any more.
    ///
    /// Cancel safe: nothing is lost.
    pub(crate) async fn next(&mut self) -> Option<News> {
        match self.news.recv().await {
            Ok(news) => Some(news),
            Err(broadcast::error::RecvError::Lagged(_)) => Some(News::Look),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }

    /// How long the lease lasts, as far as its record says so: the watch is proven to be alive as
    /// often as that.
    pub(crate) fn lasts(&self, duration: Duration) {
        let hub = self.etcd.hub();
        let mut readers = hub.readers();
        let readers = &mut *readers;
        let of_this = readers.by_key.get_mut(&self.key).into_iter().flatten();
        for reader in of_this.filter(|reader| reader.number == self.number) {
            if reader.duration != duration {
                reader.duration = duration;
                readers.shortest = None;
                hub.changed.notify_one();
            }
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let hub = self.etcd.hub();
        let mut readers = hub.readers();
        if let Some(of_this) = readers.by_key.get_mut(&self.key) {
            of_this.retain(|reader| reader.number != self.number);
            if of_this.is_empty() {
                readers.by_key.remove(&self.key);
            }
            readers.shortest = None;
            hub.changed.notify_one();
        }
    }
}
