use crate::{FencingToken, Moment, RandomPart, Record, Stamp};

/// One term, or the attempt at one: its token, its writes, and which of them is confirmed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Holding {
    pub(super) token: FencingToken,
    /// The write that the store is known to have taken, unless none is yet.
    pub(super) confirmed: Option<Sent>,
    /// The writes that the store may have taken, as long as they could still be valid. A found
    /// write counts from its own sending, so each is remembered.
    sends: Vec<Sent>,
    /// Since when the next renewal is being put off; none where it is due.
    pub(super) rest: Option<Moment>,
}

/// A write, and the instant before it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Sent {
    pub(super) attempt: u64,
    pub(super) at: Moment,
}

impl Holding {
    pub(super) const fn new(token: FencingToken) -> Self {
        Self { token, confirmed: None, sends: Vec::new(), rest: None }
    }

    /// Remembers a write that is about to be sent, and forgets those that cannot be valid now.
    pub(super) fn sending(&mut self, now: Moment, attempt: u64, validity: u64) {
        self.sends.retain(|sent| now.age(sent.at) < validity);
        self.sends.push(Sent { attempt, at: now });
    }

    /// When the write with this number was sent, if it could still be valid.
    pub(super) fn sent(&self, attempt: u64) -> Option<Sent> {
        self.sends.iter().find(|sent| sent.attempt == attempt).copied()
    }

    /// Which of this term's writes a record is, if it is one.
    pub(super) fn found(&self, me: RandomPart, record: Option<&Record>) -> Option<Sent> {
        let record = record.filter(|record| record.is_held_by(me) && record.token == self.token)?;
        let Stamp { attempt, .. } = record.stamp?;
        self.sent(attempt)
    }

    /// The age of the confirmed write, as a holder counts it.
    pub(super) fn age(&self, now: Moment) -> u64 {
        self.confirmed.map_or(u64::MAX, |sent| now.age(sent.at))
    }

    pub(super) fn for_each_moment(&mut self, f: &mut dyn FnMut(&mut Moment)) {
        for sent in self.confirmed.iter_mut().chain(&mut self.sends) {
            f(&mut sent.at);
        }
        self.rest.iter_mut().for_each(f);
    }
}
