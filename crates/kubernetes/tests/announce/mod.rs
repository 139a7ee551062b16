//! Who leads is told to others than candidates: by the label of a Pod, and by Events. No election
//! waits for that, or fails by it. All is done with what the manifests grant, and no more.

mod events;
mod label;
mod lost;
mod own_pod;
mod place;
mod trouble;
mod warnings;

use leasehold_core::{Candidate, Elector, Leadership, Timing, create_free};
use leasehold_kubernetes::KubernetesLock;
use tokio_util::sync::CancellationToken;

/// A leader of a free lease.
async fn leader(url: &str, name: &str, timing: Timing) -> Leadership {
    let lock = KubernetesLock::connect(url).await.unwrap();
    create_free(&lock).await.unwrap();
    let elector = Elector::new(lock, Candidate::new(name).unwrap()).with_timing(timing);
    elector.campaign(&CancellationToken::new()).await.unwrap()
}
