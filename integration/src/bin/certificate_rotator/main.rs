//! Keeps a certificate authority and a server's certificate in a directory, or in a Secret of Kubernetes,
//! and renews them before they expire: in as many copies as one likes, of which one does it.
//!
//! ```sh
//! dir=$(mktemp -d); for name in anna ben cleo; do
//!   cargo run -p leasehold-integration --bin certificate_rotator -- "$name" "file://$dir/lease" "$dir/certificates" 10s &
//! done; sleep 30; openssl x509 -enddate -in "$dir"/certificates/generation.2/tls.crt -noout
//! kill $(jobs -p); wait
//! ```
//!
//! With the feature `kubernetes` the lease may be `kubernetes://NAMESPACE/NAME`, and the directory
//! `secret:NAMESPACE/NAME`.
//!
//! The work is a leader-only [`Periodic`] whose store says when it was last done: a change of leader
//! neither skips a renewal nor doubles it. A new leader first shows its token to the [`Vault`]; from then
//! on the vault refuses whoever is late.

mod certificates;
mod directory;
#[cfg(feature = "kubernetes")]
mod secret;
mod vault;

use std::{
    env,
    error::Error,
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};

use certificates::Certificates;
use directory::Directory;
use leasehold::{
    Leading, Timing, connect, create_free,
    manager::{BoxError, Manager, Periodic, stop_signals},
};
use vault::{Vault, millis};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let arguments: Vec<String> = env::args().collect();
    let [_, name, url, directory, validity, rest @ ..] = arguments.as_slice() else {
        return Err("certificate_rotator NAME LEASE_URL DIRECTORY VALIDITY [PAUSE]".into());
    };
    let validity = seconds(validity)?;
    // For tests: how long a rotation takes between its beginning and its end.
    let pause = rest.first().map_or(Ok(Duration::ZERO), |pause| seconds(pause))?;
    let vault = open(directory).await?;
    // A rotation that fails is logged by what runs it.
    leasehold_integration::log_to_stderr();
    let shutdown = stop_signals()?;

    let lock = connect(url).await?;
    // For a first roll-out alone, when nobody can lead yet.
    create_free(&lock).await?;
    let manager = Manager::builder(name)
        .with_lease("certificates", lock)
        .with_timing(Timing::fast())
        .build()?;
    let store = vault.clone();
    let rotation = Periodic::new("rotation", validity / 2, move |lead| {
        rotate(lead, vault.clone(), validity, pause)
    })?
    .with_jitter(0.0)?
    .with_time_limit(Duration::from_secs(30))?
    .with_last_done(move || last_done(store.clone()));
    manager.add(rotation)?;
    manager.start(shutdown).await?;
    Ok(())
}

async fn open(place: &str) -> Result<Arc<dyn Vault>, BoxError> {
    match place.strip_prefix("secret:") {
        None => Ok(Arc::new(Directory::open(PathBuf::from(place))?)),
        #[cfg(feature = "kubernetes")]
        Some(place) => Ok(Arc::new(secret::Secret::open(place).await?)),
        #[cfg(not(feature = "kubernetes"))]
        Some(_) => Err("a Secret needs the feature kubernetes".into()),
    }
}

/// Beyond that no calendar of certificates goes, ten times over.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

fn seconds(text: &str) -> Result<Duration, BoxError> {
    let number = text.strip_suffix('s').and_then(|number| number.parse().ok());
    let duration = number.and_then(|number| Duration::try_from_secs_f64(number).ok());
    let duration = duration.filter(|duration| *duration <= LONGEST);
    Ok(duration.ok_or_else(|| format!("{text:?}: 10s is ten seconds, and a century the most"))?)
}

async fn last_done(vault: Arc<dyn Vault>) -> Result<Option<SystemTime>, BoxError> {
    let newest = vault.newest().await?;
    Ok(newest.and_then(|stored| stored.certificates).map(|certificates| certificates.issued))
}

/// One rotation. It reads, makes and writes; whoever has written meanwhile makes the write be refused.
async fn rotate(
    lead: Leading,
    vault: Arc<dyn Vault>,
    validity: Duration,
    pause: Duration,
) -> Result<(), BoxError> {
    let token = lead.token();
    let shown = vault::show(&*vault, token).await?;
    println!("rotating {token}");
    let made = Certificates::next_after(shown.certificates.as_ref(), validity)?;
    let issued = millis(made.issued);
    tokio::time::sleep(pause).await;
    vault::rotate(&*vault, &shown, token, made)
        .await
        .inspect_err(|error| println!("refused {token} {error}"))?;
    println!("rotated {token} {issued}");
    Ok(())
}
