//! SIGKILL: a leader that is gone without a word.

use leasehold::{Candidate, Elector, connect, create_free};
use leasehold_integration::{Said, Worker, timing};
use rustix::process::Signal;
use tokio_util::sync::CancellationToken;

#[tokio::test(flavor = "multi_thread")]
async fn the_successor_of_a_killed_leader_leads_with_a_greater_token_and_waits_for_no_lease() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("file://{}/jobs", directory.path().display());
    let lock = connect(&url).await.unwrap();
    create_free(&lock).await.unwrap();
    let successor = Elector::new(lock, Candidate::new("successor").unwrap()).with_timing(timing());
    let shutdown = CancellationToken::new();
    let mut tokens = Vec::new();
    for _ in 0..20 {
        let mut worker = Worker::start(env!("CARGO_BIN_EXE_worker"), "await", &url);
        let token = worker
            .until(|said| match said {
                Said::Began(token) => Some(token),
                _ => None,
            })
            .await;
        worker.signal(Signal::KILL);
        let waited = tokio::time::Instant::now();
        let lead = successor.campaign(&shutdown).await.unwrap();
        assert!(waited.elapsed() < timing().lease_duration(), "{:?}", waited.elapsed());
        tokens.extend([token, lead.token().number()]);
        assert!(lead.resign().await);
    }
    assert!(tokens.is_sorted_by(|one, next| one < next), "{tokens:?}");
}
