use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use leasehold_endpoint::{Answers, Connection as _, Wait};

use crate::{
    connection::{Connection, Host},
    trouble::Trouble,
};

/// The members, of which one is asked for as long as it answers, and then the next.
///
/// The client library takes turns at each request: a third of them would go to the one of three
/// that is frozen.
#[derive(Debug)]
pub(crate) struct Rotation {
    hosts: Vec<Arc<Host>>,
    /// Grows: so of many who meet the same dead member only the first goes on to the next.
    turn: AtomicUsize,
    /// The visits that were worth it.
    answers: Answers,
    /// The connections that are used, all to members of one cluster.
    used: Mutex<Vec<Arc<Connection>>>,
}

impl Rotation {
    pub(crate) fn new(hosts: Vec<Arc<Host>>) -> Self {
        Self {
            hosts,
            turn: AtomicUsize::new(0),
            answers: Answers::default(),
            used: Mutex::default(),
        }
    }

    pub(crate) const fn len(&self) -> usize {
        self.hosts.len()
    }

    /// The member whose turn it is. It is the next one's unless the visit was worth it: also when
    /// it is dropped because no answer came in time, to nobody.
    pub(crate) fn visit(&self) -> Visit<'_> {
        let turn = self.turn.load(Ordering::Relaxed);
        let host = self.hosts[turn % self.hosts.len()].clone();
        Visit { rotation: self, turn, host, wait: self.answers.wait(), worth: None }
    }

    /// # Errors
    /// It leads to another cluster than one that is good. Where all members were restored into another
    /// one, the connections to what they were before have ended.
    fn use_with_the_others(&self, connection: &Arc<Connection>) -> Result<(), Trouble> {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.retain(|other| other.is_good());
        if let Some(other) = used.iter().find(|other| other.cluster != connection.cluster) {
            connection.retire();
            return Err(Trouble::OtherCluster(connection.cluster, other.cluster));
        }
        if !used.iter().any(|other| Arc::ptr_eq(other, connection)) {
            used.push(connection.clone());
        }
        Ok(())
    }
}

/// A request to a member, from the search for a connection to the answer.
pub(crate) struct Visit<'a> {
    rotation: &'a Rotation,
    turn: usize,
    pub(crate) host: Arc<Host>,
    wait: Wait,
    worth: Option<bool>,
}

impl Visit<'_> {
    /// A connection to this member that is good as far as is known.
    ///
    /// # Errors
    /// It could not be opened, or leads to another cluster than that of the other members.
    pub(crate) async fn connection(&self) -> Result<Arc<Connection>, Trouble> {
        let connection = self.host.connection().await?;
        let used = self.rotation.use_with_the_others(&connection);
        if used.is_err() {
            self.host.rest();
        }
        used.map(|()| connection)
    }

    /// Whether the next request should come here, too.
    pub(crate) fn ends(mut self, worth_it: bool) {
        self.worth = Some(worth_it);
        if worth_it {
            self.rotation.answers.came();
        }
    }
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        let in_vain = || self.rotation.answers.none_since(&self.wait);
        if !self.worth.unwrap_or_else(|| !in_vain()) {
            let next = self.turn.wrapping_add(1);
            let order = Ordering::Relaxed;
            // If it fails, somebody else went on before.
            let _ = self.rotation.turn.compare_exchange(self.turn, next, order, order);
        }
    }
}
