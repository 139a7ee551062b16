//! A backend of one's own: a table with a version column, as a database would have it, and no push.
//!
//! `cargo run --example custom_backend`. It passes the conformance suite: see
//! `tests/custom_backend.rs`.

use std::{
    collections::BTreeMap,
    error::Error as StdError,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use futures::{StreamExt, stream::BoxStream};
use leasehold::{
    Candidate, Elector, Era, Error, ErrorKind, Guarantees, LeaseLock, Observation, Record, Swap,
    Version, create_free, wire::Unreadable,
};
use tokio_util::sync::CancellationToken;

/// A row of the table. It is never deleted, so that its versions grow over a deletion, too.
#[derive(Clone, Debug, Default)]
pub(crate) struct Row {
    pub(crate) version: u32,
    pub(crate) record: Option<Vec<u8>>,
}

/// Stands for a database: what a `UPDATE … WHERE name = ? AND version = ?` does is one step.
#[derive(Clone, Default, Debug)]
pub(crate) struct Table(Arc<Mutex<BTreeMap<String, Row>>>);

impl Table {
    pub(crate) fn rows(&self) -> MutexGuard<'_, BTreeMap<String, Row>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// -- the backend: seventy lines ---------------------------------------------------------------------

#[derive(Clone, Debug)]
pub(crate) struct TableLock {
    pub(crate) table: Table,
    pub(crate) name: String,
}

impl TableLock {
    /// What a row shows. What cannot be read is vacant, never free; a newer format is an error.
    fn shown(&self, row: Row) -> Result<Observation, Error> {
        let era = Era::new("table");
        let version = Version::new(row.version.into()).unwrap_or(Version::ABSENT);
        let Some(bytes) = row.record else { return Ok(Observation::absent(era, version)) };
        match Record::from_json(&bytes) {
            Ok(record) => Ok(Observation::of(era, version, record)),
            Err(Unreadable::Foreign(_)) => {
                Ok(Observation::of(era.clone(), version, Record::unreadable(era)))
            }
            Err(newer) => {
                let operation = format!("read {}", self.describe());
                Err(Error::new(ErrorKind::NewerFormat, operation, newer.to_string()))
            }
        }
    }
}

#[async_trait]
impl LeaseLock for TableLock {
    fn describe(&self) -> String {
        format!("table lease {:?}", self.name)
    }

    fn guarantees(&self) -> Guarantees {
        Guarantees {
            backend: "table",
            memory_loss: "nothing is known of a table that was restored",
            pushes: false,
            proves_death: false,
            shortest_lease: Duration::from_millis(500),
            shortest_retry: Duration::ZERO,
            least_drift_percent: 0,
        }
    }

    async fn observe(&self) -> Result<Observation, Error> {
        let row = self.table.rows().get(&self.name).cloned();
        self.shown(row.unwrap_or_default())
    }

    async fn swap(&self, expected: &Observation, record: &Record) -> Result<Swap, Error> {
        let mut rows = self.table.rows();
        let row = rows.entry(self.name.clone()).or_default();
        let seen = self.shown(row.clone())?;
        // Exact: the version and the era, and whether anything is there at all.
        if (&seen.era, &seen.version, seen.record.is_some())
            != (&expected.era, &expected.version, expected.record.is_some())
        {
            return Ok(Swap::Refused(Some(seen)));
        }
        let version = row.version.checked_add(1).ok_or_else(|| {
            let operation = format!("write {}", self.describe());
            Error::new(ErrorKind::Unexpected, operation, "its version column is full")
        })?;
        *row = Row { version, record: Some(record.to_json().into_bytes()) };
        self.shown(row.clone()).map(Swap::Written)
    }

    fn watch(&self) -> BoxStream<'static, Result<Observation, Error>> {
        // Nothing is pushed: look now and then. Failover takes that much longer.
        let pauses = futures::stream::unfold(Duration::ZERO, |pause| async move {
            tokio::time::sleep(pause).await;
            Some(((), Duration::from_millis(20)))
        });
        let lock = self.clone();
        Box::pin(pauses.then(move |()| {
            let lock = lock.clone();
            async move { lock.observe().await }
        }))
    }
}

// -- and its use ----------------------------------------------------------------------------------

#[tokio::main(flavor = "current_thread")]
#[allow(dead_code, reason = "the test of this example has no main")]
async fn main() -> Result<(), Box<dyn StdError + Send + Sync>> {
    let lock = TableLock { table: Table::default(), name: "jobs".into() };
    create_free(&lock).await?;
    let elector = Elector::new(lock, Candidate::new("custom")?);
    elector
        .run(CancellationToken::new(), |lead| async move {
            println!("leading over a table with token {}", lead.token());
            Ok(())
        })
        .await
}
