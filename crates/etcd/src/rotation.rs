use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::time::Instant;

use crate::{connection::IN_VAIN, host::Host};

/// The members, of which one is asked for as long as it answers, and then the next.
///
/// The client library takes turns at each request: a third of them would go to the one of three
/// that is frozen.
#[derive(Debug)]
pub(crate) struct Rotation {
    hosts: Vec<Arc<Host>>,
    /// Grows: so of many who meet the same dead member only the first goes on to the next.
    turn: AtomicUsize,
}

impl Rotation {
    pub(crate) fn new(hosts: Vec<Arc<Host>>) -> Self {
        Self { hosts, turn: AtomicUsize::new(0) }
    }

    pub(crate) const fn len(&self) -> usize {
        self.hosts.len()
    }

    /// The member whose turn it is. It is the next one's unless the visit was worth it: also when
    /// it is dropped because no answer came in time.
    pub(crate) fn visit(&self) -> Visit<'_> {
        let turn = self.turn.load(Ordering::Relaxed);
        let host = self.hosts[turn % self.hosts.len()].clone();
        Visit { rotation: self, turn, host, began: Instant::now(), worth: None }
    }
}

/// A request to a member, from the search for a connection to the answer.
pub(crate) struct Visit<'a> {
    rotation: &'a Rotation,
    turn: usize,
    pub(crate) host: Arc<Host>,
    began: Instant,
    worth: Option<bool>,
}

impl Visit<'_> {
    /// Whether the next request should come here, too.
    pub(crate) fn ends(mut self, worth_it: bool) {
        self.worth = Some(worth_it);
    }
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        if !self.worth.unwrap_or_else(|| self.began.elapsed() < IN_VAIN) {
            let next = self.turn.wrapping_add(1);
            let order = Ordering::Relaxed;
            // If it fails, somebody else went on before.
            let _ = self.rotation.turn.compare_exchange(self.turn, next, order, order);
        }
    }
}
