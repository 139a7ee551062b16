//! The label, where the lease is lost without a release.

use std::time::Duration;

use leasehold_core::Timing;
use leasehold_testkit::{Direction, Proxy};

use super::{
    leader,
    place::{LABEL, Place, until},
    warnings,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lease_that_somebody_takes_takes_the_label_with_it() {
    let place = Place::new(&["pod-role"]);
    place.create_pod("pod-a");
    // Its renewals are far apart: it is the watch that tells.
    let seconds = Duration::from_secs;
    let timing = Timing::new(seconds(120), seconds(90), seconds(40)).unwrap();
    let leadership = leader(&place.url_of_pod("pod-a"), "a", timing).await;
    place.until_labelled("pod-a", true).await;
    let patch = "--patch={\"spec\": {\"holderIdentity\": \"kubectl\"}}";
    place.server.kubectl(&["patch", "lease", "jobs", "--type=merge", patch]);
    place.until_labelled("pod-a", false).await;
    leadership.resign().await;
    assert_eq!(place.holder(), "kubectl");
}

/// Its first look after the deletion tells.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lease_that_is_deleted_takes_the_label_with_it() {
    let place = Place::new(&["pod-role"]);
    place.create_pod("pod-a");
    let leadership = leader(&place.url_of_pod("pod-a"), "a", Timing::default()).await;
    place.until_labelled("pod-a", true).await;
    place.server.kubectl(&["delete", "lease", "jobs"]);
    place.until_labelled("pod-a", false).await;
    assert!(!leadership.is_current());
    leadership.resign().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_cut_off_removes_the_label_as_soon_as_the_apiserver_is_reached() {
    warnings::listen();
    let place = Place::new(&["pod-role"]);
    place.create_pod("pod-a");
    let link = Proxy::start(place.server.address()).unwrap();
    let url = place.server.url_through(link.address(), "jobs") + "&label_pod=true&pod=pod-a";
    let leadership = leader(&url, "a", Timing::fast()).await;
    place.until_labelled("pod-a", true).await;
    link.black_hole(Direction::Both);
    leadership.ended().await;
    let warned = || warnings::with(&[place.server.namespace(), LABEL, "cannot be kept"]).len();
    until("a warning that the label cannot be removed", || warned() > 0).await;
    assert!(place.is_labelled("pod-a"), "who took it away?");
    link.heal();
    place.until_labelled("pod-a", false).await;
    leadership.resign().await;
    assert_eq!(warned(), 1, "it is warned of once, however often it is tried");
}

/// As a StatefulSet gives the name of a Pod to the next one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_pod_of_the_same_name_is_left_alone() {
    warnings::listen();
    let place = Place::new(&["pod-role"]);
    place.create_pod("pod-a");
    let leadership = leader(&place.url_of_pod("pod-a"), "a", Timing::default()).await;
    place.until_labelled("pod-a", true).await;
    place.server.kubectl(&["delete", "pod", "pod-a", "--force", "--grace-period=0"]);
    place.create_pod("pod-a");
    place.server.kubectl(&["label", "pod", "pod-a", &format!("{LABEL}=true")]);
    leadership.resign().await;
    assert!(place.is_labelled("pod-a"), "the label of another Pod's leader was removed");
    let warned = warnings::with(&[place.server.namespace(), LABEL, "cannot be kept"]);
    assert_eq!(warned.len(), 1, "{warned:?}");
}
