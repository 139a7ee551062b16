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
    core::{ApiResource, DynamicObject},
};
use serde_json::json;
use tokio::{
    runtime::Handle,
    sync::watch::Sender,
    time::{self, Instant},
};

use crate::{
    Kubernetes,
    aside::{self, Trouble},
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
}

#[derive(Clone)]
struct State {
    /// How many terms want it.
    terms: usize,
    there: There,
    /// Somebody is at it.
    tended: bool,
    /// What is wrong was said.
    warned: bool,
    /// Whose Pod it is, once the apiserver has shown it: another one may get its name.
    uid: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum There {
    /// As of a Pod whose container has started again, or after a request that was not answered.
    Unknown,
    Known(bool),
    /// The apiserver refuses to make it so. It is asked again when something else is wanted.
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
            state: Sender::new(State {
                terms: 0,
                there: There::Unknown,
                tended: false,
                warned: false,
                uid: None,
            }),
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

    /// Ends when it is gone, or wanted by another term, or refused, or at the deadline.
    pub(crate) async fn gone(self: &Arc<Self>, deadline: Instant) {
        self.tend();
        let mut state = self.state.subscribe();
        let gone = state.wait_for(|state| state.wanted() || state.is_settled());
        if time::timeout_at(deadline, gone).await.is_err() {
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
        let written = aside::ask(&self.kubernetes, &operation, async |client| {
            let kind = ApiResource::erase::<Pod>(&());
            let pods = Api::<DynamicObject>::namespaced_with(client, &self.namespace, &kind);
            pods.patch(&self.pod, &PatchParams::default(), &Patch::Merge(patch)).await
        });
        Ok(written.await?.metadata.uid)
    }

    fn warn(&self, why: &str) {
        let mut warned = false;
        self.state.send_if_modified(|state| {
            warned = std::mem::replace(&mut state.warned, true);
            false
        });
        if !warned {
            tracing::warn!(
                pod = self.pod,
                namespace = self.namespace,
                "the label {LABEL} of this Pod cannot be kept, and the election goes on without: {why}"
            );
        }
    }
}

/// Whoever is at it.
struct Tending {
    label: Arc<Label>,
    done: bool,
}

impl Tending {
    async fn until_settled(mut self) {
        let label = self.label.clone();
        let mut changes = label.state.subscribe();
        let mut late = None;
        loop {
            let mut due = None;
            label.state.send_if_modified(|state| {
                due = (!state.is_settled()).then(|| state.wanted());
                state.tended = due.is_some() || late.is_some();
                if due.is_some() {
                    // Whatever becomes of what is sent now.
                    state.there = There::Unknown;
                }
                false
            });
            let Some(wanted) = due else {
                let Some(end) = late.take() else {
                    self.done = true;
                    return;
                };
                tokio::select! {
                    () = time::sleep_until(end) => {
                        label.state.send_modify(|state| state.there = There::Unknown);
                    }
                    _ = changes.wait_for(|state| !state.is_settled()) => late = Some(end),
                }
                continue;
            };
            match label.write(wanted).await {
                Ok(uid) => label.state.send_modify(|state| {
                    state.there = There::Known(wanted);
                    state.warned = false;
                    state.uid = uid;
                }),
                Err(Trouble::Refused(why)) => {
                    label.warn(&format!(
                        "{why} (the account needs the verb \"patch\" on the resource \"pods\" in the \
                         namespace {:?}, and the Pod must be its own)",
                        label.namespace
                    ));
                    label.state.send_modify(|state| state.there = There::Refused(wanted));
                }
                Err(Trouble::Unknown(why)) => {
                    label.warn(&why);
                    late = Some(Instant::now() + LATE);
                    let other = changes.wait_for(|state| state.wanted() != wanted);
                    let _ = time::timeout(PAUSE, other).await;
                }
            }
        }
    }
}

/// Where its runtime has ended, somebody else may be at it.
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
