//! The label of the Pod that leads: what is wanted and what is there, and a task that makes them one.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, PoisonError, Weak},
    time::Duration,
};

use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api,
    api::{Patch, PatchParams},
    core::{ApiResource, DynamicObject, Status},
};
use serde_json::json;
use tokio::{
    runtime::Handle,
    sync::watch::Sender,
    time::{self, Instant},
};

use crate::{
    Kubernetes, advice,
    errand::{self, Trouble},
    pauses::Pauses,
    warned::Warned,
};

const LABEL: &str = "leasehold.dev/leader";

/// What failed, though nobody refused it, is tried again after this.
const PAUSE: Duration = Duration::from_secs(1);

/// A request that was not answered may arrive late, also after the one that undoes it: the system goes
/// on sending it when its connection is given up. So the last word is repeated after this.
const LATE: Duration = Duration::from_secs(30);

/// One for each Pod, whatever number of leases this process has.
pub(crate) struct Label {
    kubernetes: Kubernetes,
    namespace: String,
    pod: String,
    state: Sender<State>,
    warned: Warned,
}

/// What is wanted, and what is there.
#[derive(Clone)]
struct State {
    /// How many terms want it.
    terms: usize,
    there: There,
    /// A task makes it as it is wanted: there is one at a time.
    tended: bool,
    /// Whose Pod it is, once the apiserver has shown it: another one may get its name.
    uid: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum There {
    /// As of a Pod whose container has started again, or after a request that was not answered.
    Unknown,
    Known(bool),
    /// The apiserver refuses to make it so. It is asked again later, and when something else is wanted.
    Refused(bool),
}

impl State {
    const fn wanted(&self) -> bool {
        self.terms > 0
    }

    fn is_settled(&self) -> bool {
        let wanted = self.wanted();
        self.there == There::Known(wanted) || self.there == There::Refused(wanted)
    }
}

impl Label {
    /// That of this Pod, which all of this process share.
    pub(crate) fn of(kubernetes: &Kubernetes, pod: &str) -> Arc<Self> {
        type Place = (String, String, String);
        static LABELS: LazyLock<Mutex<HashMap<Place, Weak<Label>>>> = LazyLock::new(Mutex::default);
        let namespace = kubernetes.own_namespace();
        let place = (kubernetes.server().to_owned(), namespace.to_owned(), pod.to_owned());
        let mut labels = LABELS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(label) = labels.get(&place).and_then(Weak::upgrade) {
            return label;
        }
        labels.retain(|_, label| label.strong_count() > 0);
        let label = Arc::new(Self {
            kubernetes: kubernetes.clone(),
            namespace: namespace.to_owned(),
            pod: pod.to_owned(),
            state: Sender::new(State { terms: 0, there: There::Unknown, tended: false, uid: None }),
            warned: Warned::default(),
        });
        labels.insert(place, Arc::downgrade(&label));
        label
    }

    /// A term wants it.
    pub(crate) fn begin(self: &Arc<Self>) {
        self.state.send_modify(|state| state.terms += 1);
        self.tend();
    }

    /// A term wants it no more.
    pub(crate) fn end(self: &Arc<Self>) {
        self.state.send_modify(|state| state.terms = state.terms.saturating_sub(1));
        self.tend();
    }

    /// Ends when it is gone, or wanted by another term, or refused, or after this.
    pub(crate) async fn gone(self: &Arc<Self>, patience: Duration) {
        self.tend();
        let mut state = self.state.subscribe();
        let gone = state.wait_for(|state| state.wanted() || state.is_settled());
        if time::timeout(patience, gone).await.is_err() {
            tracing::warn!(
                pod = self.pod,
                namespace = self.namespace,
                "the lease is released though the Pod may still have the label {LABEL}, which could \
                 not be removed in time: it is tried on, and `kubectl label pod {} {LABEL}-` does it \
                 by hand",
                self.pod
            );
        }
    }

    /// Sees to it that somebody makes it as it is wanted.
    pub(crate) fn tend(self: &Arc<Self>) {
        let Ok(runtime) = Handle::try_current() else { return };
        let idle = self.state.send_if_modified(|state| {
            let idle = !state.tended && !state.is_settled();
            state.tended |= idle;
            idle
        });
        if idle {
            runtime.spawn(Tending { label: self.clone(), done: false }.until_settled());
        }
    }

    async fn write(&self, wanted: bool) -> Result<Option<String>, Trouble> {
        let operation = format!("label the pod {:?} in namespace {:?}", self.pod, self.namespace);
        let uid = self.state.borrow().uid.clone();
        let value = wanted.then_some("true");
        let mut patch = json!({ "metadata": { "labels": { LABEL: value } } });
        if let Some(uid) = uid {
            patch["metadata"]["uid"] = json!(uid);
        }
        let written = errand::run(&self.kubernetes, &operation, async |client| {
            let kind = ApiResource::erase::<Pod>(&());
            let pods = Api::<DynamicObject>::namespaced_with(client, &self.namespace, &kind);
            pods.patch(&self.pod, &PatchParams::default(), &Patch::Merge(patch)).await
        });
        Ok(written.await?.metadata.uid)
    }

    fn warn(&self, why: &str) {
        if self.warned.is_first() {
            tracing::warn!(
                pod = self.pod,
                namespace = self.namespace,
                "the label {LABEL} of this Pod cannot be kept, and the election goes on without: {why}"
            );
        }
    }

    /// What to do about a refusal.
    fn advice(&self, status: &Status) -> String {
        let Self { pod, namespace, .. } = self;
        let right = format!(
            "the verb \"patch\" on the resource \"pods\" in the namespace {namespace:?} \
             (manifests/pod-role.yaml)"
        );
        let otherwise = match status.code {
            404 => format!("name the Pod that this runs in by POD_NAME: {pod:?} is not there"),
            409 => {
                format!("the Pod {pod:?} that this has labelled is gone, and another has its name")
            }
            _ => "see what admission policies ask for".to_owned(),
        };
        advice::of_an_errand(status, &right, &otherwise)
    }
}

/// The task that makes it as it is wanted:
///
/// | there is | done |
/// |---|---|
/// | something else than is wanted, or nobody knows | it is written |
/// | what is wanted, or a refusal; and a time to look again is set, since a request may arrive late, or a right be granted | that is waited for, and it is written again |
/// | what is wanted | the task ends; [`Label::tend`] begins another |
struct Tending {
    label: Arc<Label>,
    done: bool,
}

impl Tending {
    async fn until_settled(mut self) {
        let label = self.label.clone();
        let mut changes = label.state.subscribe();
        let (mut again, mut pauses) = (None, Pauses::new());
        loop {
            let mut due = None;
            label.state.send_if_modified(|state| {
                due = (!state.is_settled()).then(|| state.wanted());
                state.tended = due.is_some() || again.is_some();
                if due.is_some() {
                    // Whatever becomes of what is sent now.
                    state.there = There::Unknown;
                }
                false
            });
            let Some(wanted) = due else {
                let Some(end) = again else {
                    self.done = true;
                    return;
                };
                tokio::select! {
                    () = time::sleep_until(end) => {
                        again = None;
                        label.state.send_modify(|state| state.there = There::Unknown);
                    }
                    _ = changes.wait_for(|state| !state.is_settled()) => {}
                }
                continue;
            };
            match label.write(wanted).await {
                Ok(uid) => {
                    label.warned.forget();
                    pauses = Pauses::new();
                    label.state.send_modify(|state| {
                        state.there = There::Known(wanted);
                        state.uid = uid;
                    });
                }
                Err(Trouble::Refused(status)) => {
                    label.warn(&label.advice(&status));
                    // While anybody else than this task still cares for it.
                    if Arc::strong_count(&label) > 2 {
                        again = again.max(Some(Instant::now() + pauses.next()));
                    }
                    label.state.send_modify(|state| state.there = There::Refused(wanted));
                }
                Err(Trouble::Unknown(why)) => {
                    label.warn(&why);
                    again = Some(Instant::now() + LATE);
                    let other = changes.wait_for(|state| state.wanted() != wanted);
                    let _ = time::timeout(PAUSE, other).await;
                }
            }
        }
    }
}

/// Where its runtime has ended, another task may begin on the next one.
impl Drop for Tending {
    fn drop(&mut self) {
        if !self.done {
            self.label.state.send_if_modified(|state| {
                state.tended = false;
                false
            });
        }
    }
}
