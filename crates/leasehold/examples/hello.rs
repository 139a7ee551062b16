//! The paved path: work runs while, and only while, this process leads.
//!
//! `cargo run --example hello`, or with a store of your own:
//! `mkdir leases; cargo run --example hello --features file -- file://$PWD/leases/hello`

use std::{env, error::Error, time::Duration};

use leasehold::{Candidate, Elector, connect, create_free};
use tokio_util::sync::CancellationToken;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let url = env::args().nth(1).unwrap_or_else(|| "memory:hello".into());
    let lock = connect(&url).await?;
    // Nobody can lead yet, so the first candidate need not wait a lease duration for a ghost.
    create_free(&lock).await?;

    let elector = Elector::new(lock, Candidate::new("hello")?);
    elector
        .run(CancellationToken::new(), |lead| async move {
            for _ in 0..3 {
                if !lead.is_current() {
                    break;
                }
                println!("leading with token {}, for {:?} more", lead.token(), lead.remaining());
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            Ok(())
        })
        .await
}
