//! SIGSTOP and SIGCONT: a leader that sleeps through the end of its lease.

use leasehold::{Candidate, Elector, Fence, FencingToken, connect, create_free};
use leasehold_integration::{Said, Worker, now, timing};
use rustix::process::Signal;
use tokio_util::sync::CancellationToken;

const ROUNDS: usize = 50;

#[tokio::test(flavor = "multi_thread")]
async fn a_woken_leader_finds_itself_past_its_term_is_refused_drops_its_work_and_lives() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("file://{}/jobs", directory.path().display());
    let lock = connect(&url).await.unwrap();
    create_free(&lock).await.unwrap();
    let mut worker = Worker::start(env!("CARGO_BIN_EXE_worker"), "await", &url);
    let successor = Elector::new(lock, Candidate::new("successor").unwrap()).with_timing(timing());
    let shutdown = CancellationToken::new();
    let fence = Fence::default();

    for round in 0..ROUNDS {
        let token = worker
            .until(|said| match said {
                Said::Began(token) => FencingToken::new(token),
                _ => None,
            })
            .await;
        fence.admit(token).unwrap();
        worker.until(|said| matches!(said, Said::Acted(_)).then_some(())).await;
        worker.signal(Signal::STOP);

        let lead = successor.campaign(&shutdown).await.unwrap();
        let start = now();
        assert!(lead.token() > token, "round {round}");
        fence.admit(lead.token()).unwrap();

        worker.signal(Signal::CONT);
        let current = worker
            .until(|said| match said {
                Said::Woke { current } => Some(Some(current)),
                // The warden was faster than the thread that asks: the term has ended by then.
                Said::Dropped => Some(None),
                Said::Acted(at) if at >= start => panic!("round {round}: two at work"),
                _ => None,
            })
            .await;
        assert_ne!(current, Some(true), "round {round}: current after its end");
        if current.is_some() {
            worker.until(|said| matches!(said, Said::Dropped).then_some(())).await;
        }
        assert!(fence.admit(token).is_err(), "round {round}");
        assert!(worker.is_alive(), "round {round}: a lost lease does not kill the process");
        assert!(lead.is_current(), "round {round}: the successor is undisturbed");
        assert!(lead.resign().await);
    }
}
