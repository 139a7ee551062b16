//! Events on the Lease.

use leasehold_core::Timing;

use super::{
    leader,
    place::{Place, manifest_text, until},
    warnings,
};

/// Lines of `kubectl get events`.
fn shown(place: &Place) -> Vec<String> {
    place.server.kubectl(&["get", "events"]).lines().map(str::to_owned).collect()
}

/// That a holder has become something is there, once, as client-go says it.
async fn until_shown(place: &Place, holder: &str, became: &str) {
    let message = format!("{holder} {became}");
    let lines =
        || shown(place).into_iter().filter(|line| line.contains(&message)).collect::<Vec<_>>();
    until(&message, || !lines().is_empty()).await;
    let lines = lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
    for word in ["Normal", "LeaderElection", "lease/jobs"] {
        assert!(lines[0].contains(word), "{lines:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_tell_who_became_leader_and_who_stopped_leading() {
    let place = Place::new(&["events-role"]);
    let leadership = leader(&place.url("events=true"), "pod-a", Timing::fast()).await;
    let holder = place.holder();
    assert!(holder.starts_with("pod-a_"), "{holder}");
    until_shown(&place, &holder, "became leader").await;
    assert_eq!(shown(&place).len(), 2, "a heading and an event: {:?}", shown(&place));
    leadership.resign().await;
    until_shown(&place, &holder, "stopped leading").await;
    // `kubectl describe` finds them by the Lease's uid.
    let described = place.server.kubectl(&["describe", "lease", "jobs"]);
    assert!(
        described.contains("became leader") && described.contains("stopped leading"),
        "{described}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_tells_of_a_lease_that_was_taken() {
    let place = Place::new(&["events-role"]);
    let leadership = leader(&place.url("events=true"), "pod-a", Timing::default()).await;
    let holder = place.holder();
    let patch = "--patch={\"spec\": {\"holderIdentity\": \"kubectl\"}}";
    place.server.kubectl(&["patch", "lease", "jobs", "--type=merge", patch]);
    until_shown(&place, &holder, "stopped leading").await;
    leadership.resign().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_not_write_events_leads_without_and_one_warning_names_the_right() {
    warnings::listen();
    let place = Place::new(&[]);
    let leadership = leader(&place.url("events=true"), "pod-a", Timing::fast()).await;
    let namespace = place.server.namespace();
    until("warned", || !warnings::with(&[namespace]).is_empty()).await;
    assert!(leadership.is_current());
    leadership.resign().await;
    // The second one is refused, too, before another leader's is written.
    place.server.apply(&manifest_text("events-role"));
    place.server.until_may("leasehold", "create", "events", true);
    let leadership = leader(&place.url("events=true"), "pod-b", Timing::fast()).await;
    until_shown(&place, &place.holder(), "became leader").await;
    leadership.resign().await;
    let warned = warnings::with(&[namespace]);
    assert_eq!(warned.len(), 1, "{warned:?}");
    let right = ["verb \"create\"", "resource \"events\""];
    assert!(right.iter().all(|word| warned[0].contains(word)), "{warned:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_writes_events_unless_asked_to() {
    let place = Place::new(&["events-role", "pod-role"]);
    let leadership =
        leader(&place.url("events=false&label_pod=false"), "pod-a", Timing::fast()).await;
    let silent = place.holder();
    leadership.resign().await;
    // What is written in the background would have been, by the time that this is.
    let leadership = leader(&place.url("events=true"), "pod-b", Timing::fast()).await;
    until_shown(&place, &place.holder(), "became leader").await;
    leadership.resign().await;
    let told = shown(&place).into_iter().filter(|line| line.contains(&silent));
    assert_eq!(told.collect::<Vec<_>>(), Vec::<String>::new());
}
