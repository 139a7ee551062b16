//! The example of a backend of one's own keeps the contract, and this is how one finds out.

#[path = "../examples/custom_backend.rs"]
mod example;

use std::sync::Arc;

use async_trait::async_trait;
use example::{Row, Table, TableLock};
use leasehold::LeaseLock;
use leasehold_testkit::{
    conformance,
    conformance::{Feat, Fixture, Garbage},
};

#[derive(Default)]
struct TableFixture {
    table: Table,
}

impl TableFixture {
    fn change(&self, change: impl FnOnce(&mut Row)) {
        change(self.table.rows().entry("jobs".into()).or_default());
    }
}

#[async_trait]
impl Fixture for TableFixture {
    async fn lock(&self) -> Arc<dyn LeaseLock> {
        Arc::new(TableLock { table: self.table.clone(), name: "jobs".into() })
    }

    async fn other_lock(&self) -> Arc<dyn LeaseLock> {
        Arc::new(TableLock { table: self.table.clone(), name: "other".into() })
    }

    fn lease_name(&self) -> String {
        "jobs".into()
    }

    fn secrets(&self) -> Vec<String> {
        Vec::new()
    }

    fn compares_era(&self) -> bool {
        true
    }

    async fn delete(&self) {
        self.change(|row| *row = Row { version: row.version + 1, record: None });
    }

    async fn garble(&self, garbage: Garbage) -> Feat {
        if garbage == Garbage::AbsurdVersion {
            return Feat::Impossible("its version column has 32 bits");
        }
        let record = Some(garbage.bytes());
        self.change(|row| *row = Row { version: row.version + 1, record });
        Feat::Done
    }

    async fn renew_era(&self) -> Feat {
        Feat::Impossible("a table does not say when it was restored")
    }

    async fn forget(&self) -> Feat {
        Feat::Impossible("rows are never deleted")
    }

    async fn touch(&self) -> Feat {
        self.change(|row| row.version += 1);
        Feat::Done
    }
}

conformance!(table, TableFixture::default());
