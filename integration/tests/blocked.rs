//! Work that blocks its thread and cannot be dropped.

use leasehold::{Candidate, Elector, connect, create_free};
use leasehold_integration::{Said, Worker, now, timing};
use rustix::process::Signal;
use tokio_util::sync::CancellationToken;

const WORKER: &str = env!("CARGO_BIN_EXE_worker");

#[tokio::test(flavor = "multi_thread")]
async fn work_that_blocks_the_only_thread_is_aborted_before_a_successor_starts() {
    aborted_before_a_successor(|url| Worker::start(WORKER, "block", url)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_aborted_too_where_nobody_hears_the_reason() {
    aborted_before_a_successor(|url| Worker::start_unheard(WORKER, "block", url)).await;
}

async fn aborted_before_a_successor(start: impl FnOnce(&str) -> Worker) {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("file://{}/jobs", directory.path().display());
    let lock = connect(&url).await.unwrap();
    create_free(&lock).await.unwrap();
    let mut worker = start(&url);
    worker.until(|said| matches!(said, Said::Began(_)).then_some(())).await;

    let successor = Elector::new(lock, Candidate::new("successor").unwrap()).with_timing(timing());
    let shutdown = CancellationToken::new();
    let (lead, last) = tokio::join!(
        async {
            let lead = successor.campaign(&shutdown).await.unwrap();
            (now(), lead)
        },
        async {
            let mut last = 0;
            while let Some(said) = worker.says().await {
                if let Said::Acted(at) = said {
                    last = at;
                }
            }
            last
        },
    );
    let (start, lead) = lead;
    assert_eq!(worker.killed_by().await, Some(Signal::ABORT.as_raw()));
    assert!(last > 0, "it worked");
    assert!(last < start, "it worked {} ns beside its successor", last - start);
    assert!(lead.is_current());
}
