//! Who wants to know what is published, on one connection.

use std::{
    collections::HashMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use redis::{PushInfo, PushKind, Value};
use tokio::sync::watch;

/// What is told on each. A message holds the whole record, so a newer one takes the place of an older
/// one that was not read yet: who reads slowly costs no memory, and misses nothing that still counts.
type Channels = HashMap<String, watch::Sender<Vec<u8>>>;

/// The channels that are read, until the connection ends.
#[derive(Default)]
pub(crate) struct Subscriptions {
    channels: Mutex<Channels>,
    ended: AtomicBool,
}

impl Subscriptions {
    /// What is published on a channel from now on. Nothing is, if the connection has ended.
    pub(crate) fn add(&self, channel: &str) -> watch::Receiver<Vec<u8>> {
        let messages = self.channels().entry(channel.to_owned()).or_default().subscribe();
        if self.have_ended() {
            self.end();
        }
        messages
    }

    /// Whether nobody reads a channel any more that somebody did.
    pub(crate) fn is_unread(&self, channel: &str) -> bool {
        self.channels().get(channel).is_some_and(|readers| readers.receiver_count() == 0)
    }

    pub(crate) fn remove(&self, channel: &str) {
        self.channels().remove(channel);
    }

    /// Takes what the server has sent without being asked.
    pub(crate) fn push(&self, push: PushInfo) {
        match (push.kind, <[Value; 2]>::try_from(push.data)) {
            (PushKind::Disconnection, _) => self.end(),
            (PushKind::Message, Ok([Value::BulkString(channel), Value::BulkString(message)])) => {
                let Ok(channel) = str::from_utf8(&channel) else { return };
                if let Some(readers) = self.channels().get(channel) {
                    readers.send_replace(message);
                }
            }
            _ => {}
        }
    }

    pub(crate) fn have_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// Dropping the senders ends what the readers hear.
    pub(crate) fn end(&self) {
        self.ended.store(true, Ordering::Release);
        self.channels().clear();
    }

    fn channels(&self) -> MutexGuard<'_, Channels> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
