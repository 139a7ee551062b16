//! What a store that stalls, fails or answers late does to a leader, and what it does not.

use std::time::Instant;

use crate::common::{
    elector, free_lock,
    gate::{Gate, Passage},
    quick,
};
use leasehold_core::{
    End, ErrorKind, FencingToken, LeaseLock, MemoryLock, Status, Tenure, Version,
};
use tokio_util::sync::CancellationToken;

async fn gate() -> Gate<MemoryLock> {
    Gate::before(free_lock().await)
}

#[tokio::test]
async fn validity_counts_from_the_sending_and_never_from_the_reply() {
    let gate = gate().await;
    let late = quick().call_timeout() / 2;
    gate.set(Passage::AnswersLate(late));
    let lead = elector(&gate, "a").campaign(&CancellationToken::new()).await.unwrap();
    assert!(lead.remaining() <= quick().holder_duration() - late, "{:?}", lead.remaining());
}

#[tokio::test]
async fn one_stalled_call_does_not_cost_the_lease_for_two_whole_attempts_fit() {
    let gate = gate().await;
    let lead = elector(&gate, "a").campaign(&CancellationToken::new()).await.unwrap();
    for _ in 0..3 {
        gate.set(Passage::Shut);
        gate.swaps(1).await;
        // That attempt is swallowed; the next one passes.
        gate.set(Passage::Open);
        gate.swaps(2).await;
    }
    assert!(lead.is_current());
    assert!(lead.remaining() > quick().holder_duration() - quick().renew_deadline());
}

#[tokio::test]
async fn a_leader_whose_store_never_answers_is_asked_to_stop_and_then_ends_by_the_timer() {
    let gate = gate().await;
    let lead = elector(&gate, "a").campaign(&CancellationToken::new()).await.unwrap();
    gate.set(Passage::Shut);
    let shut = Instant::now();
    lead.stopping().await;
    assert!(lead.is_current(), "it may still act while it drains");
    let leading = lead.leading();
    leading.ended().await;
    assert!(shut.elapsed() < 2 * quick().lease_duration());
    assert!(!lead.is_current());
    assert_eq!(leading.end(), Some(End::Lapsed));
}

#[tokio::test]
async fn after_a_lapse_the_same_elector_leads_again_with_a_greater_token() {
    let gate = gate().await;
    let elector = elector(&gate, "a");
    let shutdown = CancellationToken::new();
    let lead = elector.campaign(&shutdown).await.unwrap();
    let token = lead.token();
    gate.set(Passage::Shut);
    lead.leading().ended().await;
    gate.set(Passage::Open);
    drop(lead);
    assert!(elector.campaign(&shutdown).await.unwrap().token() > token);
}

#[tokio::test]
async fn a_standby_whose_store_does_not_answer_says_since_when_and_names_nobody() {
    let gate = gate().await;
    let _lead = elector(&gate.store, "a").campaign(&CancellationToken::new()).await.unwrap();
    let standby = elector(&gate, "b");
    let shutdown = CancellationToken::new();
    let mut status = standby.status();
    let story = async {
        status.wait_for(|s| matches!(s, Status::Following { leader: Some(_) })).await.unwrap();
        let before = Instant::now();
        gate.set(Passage::Shut);
        let unknown = status.wait_for(|s| matches!(s, Status::Unknown { .. })).await.unwrap();
        match unknown {
            Status::Unknown { since, why } => {
                assert!(since <= before, "since the last answer");
                assert!(why.contains("no answer in"), "{why}");
            }
            other => panic!("{other:?}"),
        }
        gate.set(Passage::Open);
        status.wait_for(|s| matches!(s, Status::Following { leader: Some(_) })).await.unwrap();
    };
    tokio::select! {
        lead = standby.campaign(&shutdown) => panic!("two leaders: {lead:?}"),
        () = story => {}
    }
}

#[tokio::test]
async fn an_error_ends_a_campaign_only_before_the_first_answer_of_the_store() {
    let gate = gate().await;
    gate.set(Passage::Broken);
    let elector = elector(&gate, "a");
    let shutdown = CancellationToken::new();
    let error = elector.campaign(&shutdown).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);

    gate.set(Passage::Open);
    let token = elector.campaign(&shutdown).await.unwrap().token();
    gate.set(Passage::Broken);
    let mut status = elector.status();
    let heal = async {
        status.wait_for(|s| matches!(s, Status::Unknown { .. })).await.unwrap();
        gate.set(Passage::Open);
    };
    let (lead, ()) = tokio::join!(elector.campaign(&shutdown), heal);
    assert!(lead.unwrap().token() > token);
}

#[tokio::test]
async fn an_acquisition_whose_answer_was_lost_is_found_and_led_from_its_own_sending() {
    let gate = gate().await;
    // The claim is written unheard, the next attempt finds it, and nothing renews it.
    gate.plan([Passage::WritesUnheard, Passage::Open, Passage::Shut]);
    let lead = elector(&gate, "a").campaign(&CancellationToken::new()).await.unwrap();
    let lost = quick().call_timeout() + quick().retry_interval();
    assert!(lead.remaining() <= quick().holder_duration() - lost, "{:?}", lead.remaining());
}

#[tokio::test]
async fn a_renewal_whose_answer_was_lost_is_found_and_leadership_kept() {
    let gate = gate().await;
    let lead = elector(&gate, "a").campaign(&CancellationToken::new()).await.unwrap();
    gate.set(Passage::WritesUnheard);
    gate.swaps(1).await;
    gate.set(Passage::Open);
    gate.swaps(2).await;
    assert!(lead.is_current());
}

#[tokio::test]
async fn resigning_goes_on_renewing_while_the_work_drains() {
    let gate = gate().await;
    let elector = elector(&gate, "a");
    let shutdown = CancellationToken::new();
    let lead = elector.campaign(&shutdown).await.unwrap();
    shutdown.cancel();
    lead.stopping().await;
    gate.swaps(3).await;
    assert!(lead.is_current());
    assert!(lead.resign().await);
}

#[tokio::test]
async fn after_a_lapse_the_lease_is_released_too_once_the_work_has_ended() {
    let gate = gate().await;
    let lead = elector(&gate, "a").campaign(&CancellationToken::new()).await.unwrap();
    gate.set(Passage::Shut);
    lead.leading().ended().await;
    gate.set(Passage::Open);
    assert!(lead.resign().await);
    assert_eq!(gate.store.observe().await.unwrap().record.unwrap().tenure, Tenure::Free);
}

#[tokio::test]
async fn a_standby_whose_watch_is_broken_polls_and_leads_all_the_same() {
    let gate = gate().await;
    gate.set(Passage::Unwatched);
    let leader = elector(&gate.store, "a").campaign(&CancellationToken::new()).await.unwrap();
    let standby = elector(&gate, "b");
    let shutdown = CancellationToken::new();
    let mut status = standby.status();
    let resign = async {
        status.wait_for(|s| matches!(s, Status::Following { leader: Some(_) })).await.unwrap();
        let resigned = Instant::now();
        assert!(leader.resign().await);
        resigned
    };
    let (lead, resigned) = tokio::join!(standby.campaign(&shutdown), resign);
    assert!(lead.unwrap().is_current());
    assert!(resigned.elapsed() < quick().lease_duration(), "{:?}", resigned.elapsed());
}

#[tokio::test]
async fn a_campaign_that_waits_for_the_old_term_can_be_withdrawn_and_made_again() {
    let gate = gate().await;
    let elector = elector(&gate, "a");
    let shutdown = CancellationToken::new();
    let lead = elector.campaign(&shutdown).await.unwrap();
    // The release hangs, so that the next campaigns have to wait for it.
    gate.set(Passage::Shut);
    drop(lead);
    let waits = elector.campaign(&shutdown);
    assert!(tokio::time::timeout(quick().retry_interval(), waits).await.is_err());
    let withdrawn = CancellationToken::new();
    let (ended, ()) = tokio::join!(elector.campaign(&withdrawn), async { withdrawn.cancel() });
    assert_eq!(ended.unwrap_err().kind(), ErrorKind::Cancelled);
    gate.set(Passage::Open);
    assert!(elector.campaign(&shutdown).await.unwrap().is_current());
}

#[tokio::test]
async fn the_greatest_token_makes_nobody_lead_and_the_status_says_what_to_do() {
    let lock = free_lock().await;
    let mut greatest = lock.observe().await.unwrap();
    let record = greatest.record.as_mut().unwrap();
    record.token = FencingToken::new(Version::MAX).unwrap();
    lock.replace(greatest);
    let elector = elector(&lock, "a");
    let shutdown = CancellationToken::new();
    let mut status = elector.status();
    tokio::select! {
        lead = elector.campaign(&shutdown) => panic!("{lead:?}"),
        status = status.wait_for(|s| matches!(s, Status::Unknown { .. })) => match status.unwrap() {
            Status::Unknown { why, .. } => assert!(why.contains("delete the lease"), "{why}"),
            other => panic!("{other:?}"),
        },
    }
}

#[tokio::test]
async fn the_term_of_a_blocked_runtime_ends_on_time_for_everybody_else() {
    let lock = free_lock().await;
    let lead = elector(&lock, "a").campaign(&CancellationToken::new()).await.unwrap();
    let leading = lead.leading();
    let outside = std::thread::spawn(move || {
        // A runtime of its own: that of the elector is blocked.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let patience = quick().lease_duration();
        runtime.block_on(async { tokio::time::timeout(patience, leading.ended()).await.ok() });
        leading.end()
    });
    // The only thread of this test's runtime is blocked until the warden has ended the term.
    assert_eq!(outside.join().unwrap(), Some(End::Lapsed));
    assert!(!lead.is_current());
}

#[tokio::test]
async fn a_store_that_is_slow_at_first_is_asked_again_and_one_that_never_answers_is_an_error() {
    let gate = gate().await;
    gate.set(Passage::Shut);
    let first = elector(&gate, "a");
    let shutdown = CancellationToken::new();
    let mut status = first.status();
    let heal = async {
        status.wait_for(|s| matches!(s, Status::Unknown { .. })).await.unwrap();
        gate.set(Passage::Open);
    };
    let (lead, ()) = tokio::join!(first.campaign(&shutdown), heal);
    assert!(lead.unwrap().resign().await);

    gate.set(Passage::Shut);
    let error = elector(&gate, "b").campaign(&shutdown).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
}

#[tokio::test]
async fn whoever_looks_at_a_status_keeps_nobody_from_leading() {
    let gate = gate().await;
    let elector = elector(&gate, "a");
    let lead = elector.campaign(&CancellationToken::new()).await.unwrap();
    let looked_at = elector.status().now();
    gate.swaps(2).await;
    assert!(lead.is_current() && looked_at.is_leading());
    assert!(lead.resign().await);
}
