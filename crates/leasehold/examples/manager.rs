//! A service with more to run than the leader's work: a server on every copy, a cache that is full before
//! leadership comes, a controller and a daily chore on the leader alone.
//!
//! `cargo run --example manager --features manager,file`, in as many terminals as one likes: each is a
//! copy. Ctrl-C ends one cleanly, and the next one leads.

use std::{
    env,
    error::Error,
    fs,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use leasehold::{
    Leading, Timing, connect, create_free,
    manager::{Func, Group, Manager, Periodic, Scope, stop_signals},
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let directory = env::temp_dir().join("leasehold-example-manager");
    fs::create_dir_all(&directory)?;
    let lock = connect(&format!("file://{}/jobs", directory.display())).await?;
    create_free(&lock).await?;
    let manager = Manager::builder(format!("copy-{}", std::process::id()))
        .with_lease("jobs", lock)
        .with_timing(Timing::fast())
        .build()?;

    let server = Func::everywhere("server", |scope: Scope| async move {
        println!("the server answers, on every copy");
        scope.stopping().await;
        println!("the server has answered all along, and ends last");
        Ok(())
    });
    manager.add(server.in_group(Group::Servers))?;

    let queue = Arc::new(Mutex::new(Vec::new()));
    let filled = queue.clone();
    let controller = Func::leader_only("controller", move |lead: Leading| {
        let queue = queue.clone();
        async move {
            let waiting = queue.lock().unwrap_or_else(PoisonError::into_inner).len();
            println!("leading with token {}: {waiting} objects wait already", lead.token());
            lead.stopping().await;
            println!("asked to stop: the lease is given back when this has returned");
            Ok(())
        }
    });
    manager.add(controller.with_warm_up(move |_| {
        let filled = filled.clone();
        async move {
            filled.lock().unwrap_or_else(PoisonError::into_inner).extend(0..100);
            println!("warm, and standing for the lease");
            Ok(())
        }
    }))?;

    let day = Duration::from_secs(24 * 60 * 60);
    manager.add(Periodic::new("chore", day, |lead| async move {
        println!("the chore is done when leadership is gained, and daily: token {}", lead.token());
        Ok(())
    })?)?;

    manager.start(stop_signals()?).await?;
    Ok(())
}
