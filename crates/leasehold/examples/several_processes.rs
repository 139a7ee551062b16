//! Several real processes, one leader: each leads for a moment, steps down, and the next follows.
//!
//! `cargo run --example several_processes --features file`

use std::{env, error::Error, process::Stdio, time::Duration};

use leasehold::{Candidate, Elector, Timing, connect, create_free};
use tokio::{io::AsyncWriteExt, process::Command};
use tokio_util::sync::CancellationToken;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    match env::args().collect::<Vec<_>>().as_slice() {
        [_, url, name] => candidate(url, name).await,
        _ => parent().await,
    }
}

async fn parent() -> Result<()> {
    let directory = env::temp_dir().join(format!("leasehold-example-{}", std::process::id()));
    std::fs::create_dir(&directory)?;
    let url = format!("file://{}/jobs", directory.display());
    create_free(&connect(&url).await?).await?;

    let mut children = Vec::new();
    for name in ["anna", "ben", "cleo"] {
        children.push(
            Command::new(env::current_exe()?)
                .args([&url, name])
                .stdin(Stdio::piped())
                .kill_on_drop(true)
                .spawn()?,
        );
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    for child in &mut children {
        // The end of their standard input tells them to go.
        if let Some(mut input) = child.stdin.take() {
            input.shutdown().await?;
        }
        child.wait().await?;
    }
    std::fs::remove_dir_all(directory)?;
    Ok(())
}

async fn candidate(url: &str, name: &str) -> Result<()> {
    let elector =
        Elector::new(connect(url).await?, Candidate::new(name)?).with_timing(Timing::fast());
    let shutdown = CancellationToken::new();
    let told_to_go = async {
        let _end = tokio::io::copy(&mut tokio::io::stdin(), &mut tokio::io::sink()).await;
        shutdown.cancel();
    };
    let stepping_down = async {
        // One who leads for 300 ms leaves it to another, and stands by again.
        let mut status = elector.status();
        while status.wait_for(|status| status.is_leading()).await.is_some() {
            tokio::time::sleep(Duration::from_millis(300)).await;
            elector.step_down().await;
        }
    };
    let work = elector.run(shutdown.clone(), |lead| async move {
        println!("{name} leads with token {}", lead.token());
        lead.stopping().await;
        println!("{name} stops");
        Ok(())
    });
    tokio::select! {
        done = work => done,
        ((), ()) = async { tokio::join!(told_to_go, stepping_down) } => Ok(()),
    }
}
