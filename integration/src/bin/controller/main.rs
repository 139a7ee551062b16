//! A controller in as many copies as one likes, of which one reconciles and all are warm: objects that
//! say what is wanted of them are in a directory, or are ConfigMaps of Kubernetes, and the leader makes it.
//!
//! ```sh
//! dir=$(mktemp -d); mkdir "$dir/objects"; for name in anna ben cleo; do
//!   cargo run -p leasehold-integration --features controller --bin controller -- \
//!     "$name" "file://$dir/lease" "$dir/objects" warm &
//! done; sleep 5; echo red > "$dir/new" && mv "$dir/new" "$dir/objects/door.wanted"; ls "$dir/objects"
//! kill $(jobs -p); wait
//! ```
//!
//! With the feature `kubernetes` the lease may be `kubernetes://NAMESPACE/NAME`, and the directory
//! `configmaps:NAMESPACE`: of each ConfigMap there, what is `wanted` is `made`.
//!
//! It is built of the parts of kube's own `Controller`: a reflector, whose cache every copy fills before
//! it stands for the lease, and an applier, which the leader alone runs. `cold`, instead of `warm`, fills
//! the cache once leadership has come, as kube's `Controller` does if it is run by the leader alone.
//!
//! `slow` as a last argument asks for a lease of three seconds instead of one.
//!
//! What it says on standard output: `NANOSECONDS WHAT`.

mod cache;
#[cfg(feature = "kubernetes")]
mod config_maps;
mod directory;
mod object;
mod place;
mod reconciler;

use std::{env, error::Error, path::PathBuf, sync::Arc, time::Duration};

use directory::Directory;
use leasehold::{
    Timing, connect, create_free,
    manager::{BoxError, Manager, stop_signals},
};
use place::Place;
use reconciler::Reconciler;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let arguments: Vec<String> = env::args().collect();
    let usage = "controller NAME LEASE_URL OBJECTS warm|cold [slow]";
    let [_, name, url, objects, start, rest @ ..] = arguments.as_slice() else {
        return Err(usage.into());
    };
    let timing = match rest {
        [] => Timing::fast(),
        [slow] if slow == "slow" => slow_timing()?,
        _ => return Err(usage.into()),
    };
    let place = open(objects).await?;
    let reconciler = match start.as_str() {
        "warm" => Reconciler::warm(place),
        "cold" => Reconciler::cold(place),
        other => return Err(format!("{other:?}: it starts \"warm\" or \"cold\"").into()),
    };
    leasehold_integration::log_to_stderr();
    let shutdown = stop_signals()?;
    let lock = connect(url).await?;
    // For a first roll-out alone, when nobody can lead yet.
    create_free(&lock).await?;
    let manager =
        Manager::builder(name).with_lease("controller", lock).with_timing(timing).build()?;
    manager.add(reconciler)?;
    say(format_args!("ready"));
    manager.start(shutdown).await?;
    Ok(())
}

/// A lease of three seconds, for a store on a busy machine.
fn slow_timing() -> Result<Timing, BoxError> {
    let ms = Duration::from_millis;
    Ok(Timing::new(ms(3_000), ms(2_000), ms(400))?)
}

async fn open(place: &str) -> Result<Arc<dyn Place>, BoxError> {
    match place.strip_prefix("configmaps:") {
        None => Ok(Arc::new(Directory::open(PathBuf::from(place))?)),
        #[cfg(feature = "kubernetes")]
        Some(namespace) => Ok(Arc::new(config_maps::ConfigMaps::open(namespace).await?)),
        #[cfg(not(feature = "kubernetes"))]
        Some(_) => Err("ConfigMaps need the feature kubernetes".into()),
    }
}

/// One line, with the time of a clock that all processes of the host share.
fn say(what: std::fmt::Arguments<'_>) {
    println!("{} {what}", leasehold_integration::now());
}
