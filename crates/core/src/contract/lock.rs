use std::{fmt, sync::Arc};

use async_trait::async_trait;
use futures::stream::BoxStream;

use super::{
    error::Error,
    guarantees::Guarantees,
    observation::{Observation, Swap},
    record::Record,
};

/// One lease in one store: a record with compare-and-swap, and a push.
///
/// Acquiring, renewing and releasing are the same atomic step with different records. Everything
/// that is hard about an election (who may take over, when, with which token, what an unanswered
/// write means) is in this crate's kernel, once; a backend only keeps these rules:
///
/// 1. **A swap is exact.** It writes only over the version, in the era, that `expected` names, and
///    never over one that the backend has read again: a candidate that has waited out version 5
///    and meets version 6 has waited for nothing.
/// 2. **Answers are data, errors mean unknown.** A refusal is [`Swap::Refused`]. An [`Error`] means
///    only that the caller does not know what the store decided. A refusal is never reported as an
///    error, and an unknown outcome never becomes an answer.
/// 3. **Versions grow** with every write of this lease, across release, deletion and re-creation,
///    and as far as the store can across the loss of its memory: [`guarantees`](Self::guarantees)
///    says how far. A version above [`Version::MAX`](crate::Version::MAX) is not believed. A store
///    that goes back to an older record must show another era: else a write that is still under
///    way from before, and expects that very record, is exact, and nobody can tell.
/// 4. **Nothing is given away.** What cannot be read, is torn, foreign or unbelievable is shown as
///    [`Tenure::Vacant`](crate::Tenure::Vacant), never as free. No record at all is shown as none.
///    A record of a newer format is an error that says so.
/// 5. **Nothing in the store expires**, and no instant that is written in a record is compared
///    with a clock.
/// 6. **Backends keep no memory** of what they saw: that is the kernel's business.
/// 7. **Dropping a future is an unknown outcome**, and harms nothing else.
/// 8. **Wrappers forward every method.** No method has a default, so that none can be forgotten.
///
/// `leasehold-testkit` has one named test for each of these sentences that a backend must keep.
#[async_trait]
pub trait LeaseLock: fmt::Debug + Send + Sync + 'static {
    /// What is locked and where, for people: `redis lease "jobs" at 10.0.0.5:6379`. Never a secret.
    fn describe(&self) -> String;

    /// What this backend promises beyond the contract.
    fn guarantees(&self) -> Guarantees;

    /// What the store holds now: a linearizable read.
    ///
    /// # Errors
    /// The store did not answer, or with something that is no record: the state is unknown.
    ///
    /// # Cancel safety
    /// Reading changes nothing; dropping the future loses only the answer.
    async fn observe(&self) -> Result<Observation, Error>;

    /// Replaces exactly the `expected` observation by `record`, or says what is there instead.
    ///
    /// # Errors
    /// It is unknown whether the record was written, now or later.
    ///
    /// # Cancel safety
    /// Dropping the future is the same as an error: the record may be written, now or later.
    async fn swap(&self, expected: &Observation, record: &Record) -> Result<Swap, Error>;

    /// The observation now, then one for each change.
    ///
    /// A hint that makes failover fast: it may be late, repeat itself, or leave a change out, and
    /// no promise rests on it. An error, or the end of the stream, means that changes are no
    /// longer pushed: the caller polls, and calls `watch` again.
    fn watch(&self) -> BoxStream<'static, Result<Observation, Error>>;
}

/// A lock that is chosen at run time is a lock.
#[async_trait]
impl<L: LeaseLock + ?Sized> LeaseLock for Arc<L> {
    fn describe(&self) -> String {
        (**self).describe()
    }

    fn guarantees(&self) -> Guarantees {
        (**self).guarantees()
    }

    async fn observe(&self) -> Result<Observation, Error> {
        (**self).observe().await
    }

    async fn swap(&self, expected: &Observation, record: &Record) -> Result<Swap, Error> {
        (**self).swap(expected, record).await
    }

    fn watch(&self) -> BoxStream<'static, Result<Observation, Error>> {
        (**self).watch()
    }
}
