//! What everybody can see of the Lease: each state that it was ever in, and what `kubectl` makes of it.

use std::{sync::Arc, time::SystemTime};

use futures::StreamExt;
use k8s_openapi::api::coordination::v1::Lease;
use kube::{
    Api, Client, Config,
    api::WatchParams,
    config::{KubeConfigOptions, Kubeconfig},
    core::{ApiResource, DynamicObject, WatchEvent},
};
use leasehold_integration::{now, within};
use leasehold_testkit::kubernetes::Apiserver;
use tokio::{
    sync::watch,
    task::{JoinHandle, block_in_place},
};

const ANNOTATION: &str = "leasehold.dev/record";

/// A state of the Lease.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct State {
    /// When it was heard of, on CLOCK_MONOTONIC: a moment after it was written.
    pub(crate) at: u64,
    /// The same on the wall clock, in seconds since 1970.
    pub(crate) wall: f64,
    pub(crate) holder: String,
    pub(crate) seconds: Option<i32>,
    pub(crate) transitions: i32,
    /// `renewTime`, as `wall`.
    pub(crate) renewed: f64,
    pub(crate) annotation: Option<String>,
}

impl State {
    /// What the holder is called, without its random part; nothing where nobody is named.
    pub(crate) fn name(&self) -> &str {
        self.holder.split_once('_').map_or("", |(name, _)| name)
    }

    /// The token that our annotation has.
    pub(crate) fn token(&self) -> Option<u64> {
        serde_json::from_str::<serde_json::Value>(self.annotation.as_ref()?).ok()?["token"].as_u64()
    }

    /// Whether this was written by one of ours, over that: whoever knows nothing of our annotation
    /// leaves it as it is.
    pub(crate) fn is_ours(&self, before: &Self) -> bool {
        self.annotation != before.annotation
    }
}

/// All states since this began.
pub(crate) struct Shown {
    states: Arc<watch::Sender<Vec<State>>>,
    watcher: JoinHandle<()>,
}

impl Shown {
    /// From now on. The Lease is there.
    pub(crate) async fn of(server: &Apiserver, lease: &'static str) -> Self {
        let read = Kubeconfig::read_from(server.kubeconfig()).expect("a kubeconfig");
        let config = Config::from_custom_kubeconfig(read, &KubeConfigOptions::default()).await;
        let client = Client::try_from(config.expect("a cluster")).expect("a client");
        let api =
            Api::namespaced_with(client, server.namespace(), &ApiResource::erase::<Lease>(&()));
        let states = Arc::new(watch::Sender::default());
        let watcher = tokio::spawn(follow(api, lease, states.clone()));
        let shown = Self { states, watcher };
        shown.until("the Lease is shown", |states| !states.is_empty()).await;
        shown
    }

    pub(crate) fn states(&self) -> Vec<State> {
        assert!(!self.watcher.is_finished(), "the Lease is watched no more");
        self.states.borrow().clone()
    }

    pub(crate) async fn until(&self, what: &str, wanted: impl Fn(&[State]) -> bool + Send + Sync) {
        let mut states = self.states.subscribe();
        let reached = within(what, "", states.wait_for(|states| wanted(states)));
        drop(reached.await.expect("the sender is here"));
    }

    /// Waits until it names nobody, after so many states, and says when that was heard.
    pub(crate) async fn blanked(&self, after: usize) -> u64 {
        let blank = |states: &[State]| {
            let blank = states[after..].iter().find(|state| state.holder.is_empty())?;
            Some(blank.at)
        };
        self.until("it is blank", |states| blank(states).is_some()).await;
        blank(&self.states()).expect("waited for")
    }

    /// Waits until somebody has held it through a renewal from now on.
    pub(crate) async fn is_steady(&self) {
        let now = self.states.borrow().len();
        self.until("somebody renews", |states| {
            states[now..]
                .windows(2)
                .last()
                .is_some_and(|two| !two[0].name().is_empty() && two[0].holder == two[1].holder)
        })
        .await;
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        self.watcher.abort();
    }
}

async fn follow(api: Api<DynamicObject>, lease: &str, states: Arc<watch::Sender<Vec<State>>>) {
    let first = api.get(lease).await.expect("a Lease");
    let mut version = first.metadata.resource_version.clone().expect("a version");
    states.send_modify(|states| states.push(state(first)));
    // As long as an apiserver lets one watch at least.
    let params = WatchParams::default().fields(&format!("metadata.name={lease}")).timeout(290);
    loop {
        let changes = api.watch(&params, &version).await.expect("a watch");
        let mut changes = Box::pin(changes);
        while let Some(change) = changes.next().await {
            match change.expect("a change") {
                WatchEvent::Modified(object) => {
                    version = object.metadata.resource_version.clone().expect("a version");
                    states.send_modify(|states| states.push(state(object)));
                }
                WatchEvent::Bookmark(mark) => version = mark.metadata.resource_version,
                other => panic!("nobody deletes it: {other:?}"),
            }
        }
    }
}

fn state(object: DynamicObject) -> State {
    let annotation = object.metadata.annotations.unwrap_or_default().remove(ANNOTATION);
    let spec = serde_json::from_value(object.data["spec"].clone());
    let spec: k8s_openapi::api::coordination::v1::LeaseSpec = spec.expect("a spec");
    let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    State {
        at: now(),
        wall: wall.as_secs_f64(),
        holder: spec.holder_identity.unwrap_or_default(),
        seconds: spec.lease_duration_seconds,
        transitions: spec.lease_transitions.unwrap_or(0),
        renewed: spec.renew_time.map_or(0.0, |time| time.0.as_microsecond() as f64 / 1e6),
        annotation,
    }
}

/// What the states have in common that people see in `kubectl get lease`.
pub(crate) fn assert_sensible(states: &[State]) {
    for state in states.iter().filter(|state| !state.name().is_empty()) {
        assert_eq!(state.seconds, Some(super::fleet::LEASE.as_secs() as i32), "{state:?}");
    }
    let mut held: Option<&str> = None;
    for two in states.windows(2) {
        let (before, after) = (&two[0], &two[1]);
        assert!(after.seconds.is_some_and(|seconds| seconds > 0), "{after:?}");
        // client-go reads whole seconds of it, and ours writes the next one where it would not be seen.
        assert!((after.renewed - after.wall).abs() < 3.0, "{after:?}");
        let grown = after.transitions - before.transitions;
        assert!((0..=1).contains(&grown), "{before:?}\n{after:?}");
        if !after.name().is_empty() {
            let changed = held.replace(&after.holder).is_some_and(|held| held != after.holder);
            assert!(!changed || grown == 1, "{before:?}\n{after:?}");
        }
    }
}

/// The holder that `kubectl get lease` prints.
pub(crate) fn printed_holder(server: &Apiserver, lease: &str) -> String {
    let printed = block_in_place(|| server.kubectl(&["get", "lease", lease, "--no-headers"]));
    let columns: Vec<_> = printed.split_whitespace().collect();
    // Where nobody holds it, the age comes next.
    if let [_, holder, _] = *columns { holder.to_owned() } else { String::new() }
}
