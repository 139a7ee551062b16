//! Events on the Lease, as client-go's recorder writes them.

use std::{sync::Arc, time::Duration};

use k8s_openapi::{
    api::core::v1::{Event, EventSource, ObjectReference},
    apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time},
    jiff::Timestamp,
};
use kube::{Api, api::PostParams};
use leasehold_core::{LeaseName, Observation};
use tokio::time;

use crate::{
    Kubernetes, advice,
    announce::holder,
    errand::{self, Trouble},
    warned::Warned,
};

const COMPONENT: &str = "leasehold";

/// As client-go has it, for whoever filters.
const REASON: &str = "LeaderElection";

/// The name of an object has so many characters at most; 17 of an Event's are a dot and its time.
const LONGEST_NAME: usize = 253 - 17;

/// What was not answered is tried this often, and so far apart: an end is often that of the network.
const ATTEMPTS: u32 = 5;
const PAUSE: Duration = Duration::from_secs(2);

pub(crate) struct Events {
    kubernetes: Kubernetes,
    lease: String,
    warned: Warned,
}

impl Events {
    pub(crate) fn new(kubernetes: &Kubernetes, lease: &LeaseName) -> Arc<Self> {
        Arc::new(Self {
            kubernetes: kubernetes.clone(),
            lease: lease.as_str().to_owned(),
            warned: Warned::default(),
        })
    }

    /// Says in the background what became of the holder that was seen.
    pub(crate) fn write(self: &Arc<Self>, seen: &Observation, became: &str) {
        let event = self.event(seen, became);
        let this = self.clone();
        tokio::spawn(async move { this.send(event).await });
    }

    async fn send(&self, event: Event) {
        let operation = format!("create an event on the lease {:?}", self.lease);
        for attempt in 1.. {
            let sent = errand::run(&self.kubernetes, &operation, async |client| {
                let events = Api::<Event>::namespaced(client, self.kubernetes.namespace());
                events.create(&PostParams::default(), &event).await
            });
            match sent.await {
                Ok(_) => return self.warned.forget(),
                // It was written, and the answer was lost.
                Err(Trouble::Refused(status))
                    if attempt > 1 && status.reason == "AlreadyExists" =>
                {
                    return;
                }
                Err(Trouble::Unknown(_)) if attempt < ATTEMPTS => time::sleep(PAUSE).await,
                Err(Trouble::Unknown(why)) => return self.warn(&why),
                Err(Trouble::Refused(status)) => {
                    let namespace = self.kubernetes.namespace();
                    let right = format!(
                        "the verb \"create\" on the resource \"events\" in the namespace \
                         {namespace:?} (manifests/events-role.yaml)"
                    );
                    let otherwise = "see what admission policies ask for";
                    return self.warn(&advice::of_an_errand(&status, &right, otherwise));
                }
            }
        }
    }

    fn event(&self, seen: &Observation, became: &str) -> Event {
        let now = Timestamp::now();
        let name: String = self.lease.chars().take(LONGEST_NAME).collect();
        // Cut in the middle, a part of it may end as none may.
        let name = name.trim_end_matches(['.', '-']);
        let namespace = Some(self.kubernetes.namespace().to_owned());
        Event {
            metadata: ObjectMeta {
                name: Some(format!("{name}.{:016x}", now.as_nanosecond())),
                namespace: namespace.clone(),
                ..ObjectMeta::default()
            },
            involved_object: ObjectReference {
                api_version: Some("coordination.k8s.io/v1".to_owned()),
                kind: Some("Lease".to_owned()),
                namespace,
                name: Some(self.lease.clone()),
                uid: Some(seen.era.to_string()),
                resource_version: Some(seen.version.number().to_string()),
                field_path: None,
            },
            type_: Some("Normal".to_owned()),
            reason: Some(REASON.to_owned()),
            message: Some(format!("{} {became}", holder(seen))),
            source: Some(EventSource { component: Some(COMPONENT.to_owned()), host: None }),
            reporting_component: Some(COMPONENT.to_owned()),
            first_timestamp: Some(Time(now)),
            last_timestamp: Some(Time(now)),
            count: Some(1),
            ..Event::default()
        }
    }

    fn warn(&self, why: &str) {
        if self.warned.is_first() {
            tracing::warn!(
                lease = self.lease,
                namespace = self.kubernetes.namespace(),
                "Events cannot be written, and the election goes on without: {why}"
            );
        }
    }
}
