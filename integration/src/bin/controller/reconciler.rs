//! What the leader does, and what every copy does before.

use std::{borrow::Cow, convert::Infallible, future, io, sync::Arc, time::Duration};

use async_trait::async_trait;
use futures::{FutureExt, StreamExt};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{
    ResourceExt,
    runtime::controller::{Action, Config, applier},
};
use leasehold::{
    Leading,
    manager::{BoxError, Runnable, Scope},
};
use tokio::sync::OnceCell;

use crate::{
    cache::Cache,
    object::{is_due, token, wanted},
    place::Place,
    say,
};

/// So many at once.
const CONCURRENCY: u16 = 8;
/// After a failure.
const AGAIN: Duration = Duration::from_millis(100);

pub(crate) struct Reconciler {
    place: Arc<dyn Place>,
    warms_up: bool,
    /// Filled once in the life of a copy that warms up.
    cache: OnceCell<Cache>,
}

impl Reconciler {
    pub(crate) fn warm(place: Arc<dyn Place>) -> Self {
        Self { place, warms_up: true, cache: OnceCell::new() }
    }

    pub(crate) fn cold(place: Arc<dyn Place>) -> Self {
        Self { place, warms_up: false, cache: OnceCell::new() }
    }
}

#[async_trait]
impl Runnable for Reconciler {
    fn name(&self) -> Cow<'_, str> {
        "reconciler".into()
    }

    async fn warm_up(&self, scope: Scope) -> Result<(), BoxError> {
        if self.warms_up {
            self.cache.get_or_try_init(|| Cache::fill(self.place.clone(), &scope)).await?;
            say(format_args!("warm"));
        }
        Ok(())
    }

    async fn start(&self, scope: Scope) -> Result<(), BoxError> {
        let lead = scope.leading()?.clone();
        let cache = match self.cache.get() {
            Some(cache) => cache.clone(),
            None => Cache::fill(self.place.clone(), &scope).await?,
        };
        let (waiting, due) = cache.due();
        say(format_args!("reconciler starts {} {waiting}", lead.token()));
        let queue = due.take_until(lead.stopping()).map(Ok::<_, Infallible>);
        let term = Arc::new(Term { lead: lead.clone(), place: self.place.clone() });
        // Each object by one at a time, again after a failure.
        applier(
            |object, term| Box::pin(reconcile(object, term)),
            |object, error, _| {
                eprintln!("{}: {error}", object.name_any());
                Action::requeue(AGAIN)
            },
            term,
            cache.store().clone(),
            queue,
            Config::default().concurrency(CONCURRENCY),
        )
        .for_each(|_| future::ready(()))
        .await;
        Ok(())
    }
}

/// What a reconciliation is done with.
struct Term {
    lead: Leading,
    place: Arc<dyn Place>,
}

async fn reconcile(object: Arc<ConfigMap>, term: Arc<Term>) -> io::Result<Action> {
    let own = term.lead.token();
    // What is left when the term comes to its end is the next leader's.
    let Some(wanted) = wanted(&object).filter(|_| is_due(&object) && may_begin(&term.lead)) else {
        return Ok(Action::await_change());
    };
    let newest = token(&object);
    if newest > own {
        return Err(io::Error::other(format!("token {own} is older than {newest}")));
    }
    term.place.make(&object, own).await?;
    say(format_args!("reconciled {} {wanted} {own}", object.name_any()));
    Ok(Action::await_change())
}

/// Whether something new may be begun: nothing is, once it was asked to stop.
fn may_begin(lead: &Leading) -> bool {
    lead.is_current() && lead.stopping().now_or_never().is_none()
}
