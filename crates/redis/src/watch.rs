use std::sync::Arc;

use futures::stream::{self, BoxStream};
use leasehold_core::{Error, Observation};
use leasehold_endpoint::disconnected;

use crate::{client::within, connection::Subscription, error, lock::Lease, scripts::Seen};

/// How often a beginning is tried that the lease escapes from, as it moves to another server.
const BEGINNINGS: usize = 5;

enum State {
    Beginning,
    Subscribed(Subscription),
    Ended,
}

/// The observation now, then one for each that is published, until the connection ends.
pub(crate) fn observations(lease: Arc<Lease>) -> BoxStream<'static, Result<Observation, Error>> {
    Box::pin(stream::unfold((lease, State::Beginning), |(lease, state)| async {
        let next = match state {
            State::Beginning => begin(&lease).await,
            State::Subscribed(subscription) => next(&lease, subscription).await,
            State::Ended => return None,
        };
        match next {
            Ok((seen, subscription)) => Some((Ok(seen), (lease, State::Subscribed(subscription)))),
            Err(error) => Some((Err(error), (lease, State::Ended))),
        }
    }))
}

/// Subscribes first and looks afterwards, so that nothing is missed in between; both on one
/// connection, for a cluster may just have moved the lease, and a broken one may have been replaced.
async fn begin(lease: &Lease) -> Result<(Observation, Subscription), Error> {
    let operation = lease.operation("watch");
    let mut connection = lease.connection().await?;
    for _ in 0..BEGINNINGS {
        let subscription = within(&operation, async {
            let subscribed = connection.subscribe(lease.channel()).await;
            subscribed.map_err(|error| error::failed(&operation, &connection.address, &error))
        })
        .await?;
        let (seen, shown_by) = lease.observe().await?;
        if Arc::ptr_eq(&connection, &shown_by) {
            lease.watch_on(&connection);
            return Ok((seen, subscription));
        }
        // It may be the server that is just taking the lease's slot over.
        connection = shown_by;
    }
    Err(error::sent_around(&operation, BEGINNINGS))
}

async fn next(
    lease: &Lease,
    mut subscription: Subscription,
) -> Result<(Observation, Subscription), Error> {
    let operation = lease.operation("watch");
    let Some(message) = subscription.next().await else {
        return Err(disconnected(&operation));
    };
    let seen = match Seen::published(&message) {
        Some(seen) => lease.shown(&seen, &operation)?,
        // Somebody else's: whatever it is to say, the lease says it better.
        None => lease.observe().await?.0,
    };
    Ok((seen, subscription))
}
