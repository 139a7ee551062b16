//! Why a lease is not enough, and what is: a resource that refuses the writes of an ended term.
//!
//! `cargo run --example fenced_writer`

use std::{
    error::Error,
    sync::{Mutex, PoisonError},
};

use leasehold::{Candidate, Elector, Fence, FencingToken, Stale, connect, create_free};
use tokio_util::sync::CancellationToken;

/// A row that remembers the newest token, as a table would in a column beside the data.
#[derive(Default)]
struct Row {
    fence: Fence,
    value: Mutex<String>,
}

impl Row {
    /// The check and the write are one step, under one lock.
    fn write(&self, token: FencingToken, value: &str) -> Result<(), Stale> {
        let mut row = self.value.lock().unwrap_or_else(PoisonError::into_inner);
        self.fence.admit(token)?;
        value.clone_into(&mut row);
        Ok(())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let lock = connect("memory:fenced").await?;
    create_free(&lock).await?;
    let row = Row::default();
    let shutdown = CancellationToken::new();

    let old = Elector::new(lock.clone(), Candidate::new("old")?).campaign(&shutdown).await?;
    row.write(old.token(), "by the old leader")?;
    let (old_token, _) = (old.token(), old.resign().await);

    let new = Elector::new(lock, Candidate::new("new")?).campaign(&shutdown).await?;
    // A new leader shows its token before it works: from here on no older one passes.
    row.write(new.token(), "by the new leader")?;

    // The old leader was frozen between its check and its act, and wakes now.
    match row.write(old_token, "by a ghost") {
        Err(stale) => println!("{stale}"),
        Ok(()) => return Err("a stale write was admitted".into()),
    }
    println!("the row says: {}", row.value.lock().unwrap_or_else(PoisonError::into_inner));
    new.resign().await;
    Ok(())
}
