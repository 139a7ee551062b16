use std::sync::Arc;

use futures::stream::{self, BoxStream};
use leasehold_core::{Era, Error, Observation};
use leasehold_endpoint::disconnected;

use crate::{
    error,
    hub::{News, Subscription},
    lock::Lease,
};

enum State {
    Beginning,
    /// What is pushed, and which version was seen last.
    Subscribed(Subscription, Option<(Era, u64)>),
    Ended,
}

/// The observation now, then one for each change, until changes are told no more.
pub(crate) fn observations(lease: Arc<Lease>) -> BoxStream<'static, Result<Observation, Error>> {
    Box::pin(stream::unfold((lease, State::Beginning), |(lease, state)| async {
        let (mut subscription, last) = match state {
            State::Beginning => (lease.etcd.hub().subscribe(&lease.etcd, &lease.key), None),
            State::Subscribed(subscription, last) => (subscription, last),
            State::Ended => return None,
        };
        match next(&lease, &mut subscription, last.as_ref()).await {
            Ok(seen) => {
                let last = (seen.era.clone(), seen.version.number());
                let state = State::Subscribed(subscription, Some(last));
                Some((Ok(seen), (lease, state)))
            }
            Err(error) => Some((Err(error), (lease, State::Ended))),
        }
    }))
}

async fn next(
    lease: &Lease,
    subscription: &mut Subscription,
    last: Option<&(Era, u64)>,
) -> Result<Observation, Error> {
    let operation = lease.operation("watch");
    loop {
        let seen = match subscription.next().await {
            None => return Err(disconnected(&operation)),
            Some(News::Broke(trouble, address)) => {
                return Err(error::failed(&operation, &address, &trouble, lease.etcd.config()));
            }
            // From here on, all changes are told: so nothing is missed in between.
            Some(News::Look) => lease.observe().await?,
            Some(News::Changed(seen)) => {
                let seen = lease.shown(&seen, &operation)?;
                // Told already, by the look.
                let old = |(era, newest): &(Era, u64)| {
                    *era == seen.era && seen.version.number() <= *newest
                };
                if last.is_some_and(old) {
                    continue;
                }
                seen
            }
        };
        let duration = seen.record.as_ref().map(|record| record.lease_duration);
        subscription.lasts(duration.unwrap_or_default());
        return Ok(seen);
    }
}
