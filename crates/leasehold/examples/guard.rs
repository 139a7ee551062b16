//! The guard held by hand: for programs whose work is no closure.
//!
//! `cargo run --example guard`

use std::error::Error;

use leasehold::{Candidate, Elector, ErrorKind, connect, create_free};
use tokio_util::sync::CancellationToken;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let lock = connect("memory:guard").await?;
    create_free(&lock).await?;
    let elector = Elector::new(lock, Candidate::new("guard")?);
    let shutdown = CancellationToken::new();

    let lead = elector.campaign(&shutdown).await?;
    println!("leading with token {}", lead.token());

    // Tasks that are spawned through it end with the term.
    let task = lead.leading().spawn(async { 6 * 7 });
    println!("the task says {:?}", task.await?);

    // A program that goes on would select between its work and the end of its permission.
    tokio::select! {
        () = lead.stopping() => println!("asked to stop"),
        () = async { assert!(lead.is_current()) } => println!("done before anybody asked"),
    }

    // Takes the guard: nothing that still borrows it can go on after this.
    println!("given back: {}", lead.resign().await);

    // A shutdown is an expected end, and the error of a campaign that it cut short says so.
    shutdown.cancel();
    match elector.campaign(&shutdown).await {
        Err(error) if error.kind() == ErrorKind::Cancelled => Ok(()),
        Err(error) => Err(error.into()),
        Ok(_) => Err("led after the shutdown".into()),
    }
}
