//! All objects as they were last seen.

use std::sync::{Arc, Mutex, PoisonError};

use futures::{Stream, StreamExt, channel::mpsc, stream};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::runtime::{
    reflector::{self, ObjectRef, Store},
    watcher::Event,
};
use leasehold::manager::{BoxError, Scope};

use crate::{object::is_due, place::Place};

/// Kept up to date for as long as the scope that filled it.
#[derive(Clone)]
pub(crate) struct Cache {
    store: Store<ConfigMap>,
    listener: Arc<Mutex<Option<mpsc::UnboundedSender<ObjectRef<ConfigMap>>>>>,
}

impl Cache {
    pub(crate) async fn fill(place: Arc<dyn Place>, scope: &Scope) -> Result<Self, BoxError> {
        let (store, mut writer) = reflector::store();
        let cache = Self { store, listener: Arc::default() };
        let listener = cache.listener.clone();
        let tell = Box::new(move |event: Event<ConfigMap>| {
            writer.apply_watcher_event(&event);
            if let Event::Apply(object) | Event::InitApply(object) = event
                && is_due(&object)
                && let Some(listener) = &*listener.lock().unwrap_or_else(PoisonError::into_inner)
            {
                // Nobody listens any more when a term is over.
                let _ = listener.unbounded_send(ObjectRef::from_obj(&object));
            }
        });
        let bounds = scope.clone();
        scope.spawn(async move {
            tokio::select! {
                () = place.follow(tell) => {}
                () = bounds.stopping() => {}
            }
        });
        cache.store.wait_until_ready().await?;
        Ok(cache)
    }

    pub(crate) const fn store(&self) -> &Store<ConfigMap> {
        &self.store
    }

    /// How many are due, and which: those of now, and from now on what comes to be due. One listens at a
    /// time: the term of before is over.
    pub(crate) fn due(&self) -> (usize, impl Stream<Item = ObjectRef<ConfigMap>> + Send + use<>) {
        let (listener, changes) = mpsc::unbounded();
        // It listens before it looks: nothing is missed between.
        *self.listener.lock().unwrap_or_else(PoisonError::into_inner) = Some(listener);
        let now = self.store.state_filter(is_due);
        let waiting = now.len();
        let now = now.into_iter().map(|object| ObjectRef::from_obj(&*object));
        (waiting, stream::iter(now).chain(changes))
    }
}
