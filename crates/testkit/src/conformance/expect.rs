use std::{future::Future, time::Duration};

use futures::{FutureExt, StreamExt, stream::BoxStream};
use leasehold_core::{Error, Observation};
use tokio::time;

/// Longer than any step takes on the slowest store: what exceeds it hangs.
const LIMIT: Duration = Duration::from_secs(60);

/// Awaits one step, and says which it was where it hangs.
pub(super) async fn within<T: Send>(what: &str, step: impl Future<Output = T> + Send) -> T {
    match time::timeout(LIMIT, step).await {
        Ok(done) => done,
        Err(_) => panic!("hangs: {what}: nothing after {LIMIT:?}"),
    }
}

/// Reads a watch until it shows what is waited for.
pub(super) async fn shown(
    watch: &mut BoxStream<'static, Result<Observation, Error>>,
    what: &str,
    mut wanted: impl FnMut(&Observation) -> bool + Send,
) -> Observation {
    within(what, async {
        loop {
            match watch.next().await {
                Some(Ok(seen)) if wanted(&seen) => return seen,
                Some(Ok(_)) => {}
                Some(Err(error)) => panic!("a watch failed before it showed {what}: {error:?}"),
                None => panic!("a watch ended before it showed {what}"),
            }
        }
    })
    .await
}

/// Takes what a watch has to show already, which must not be its end.
pub(super) fn pushed(watch: &mut BoxStream<'static, Result<Observation, Error>>) {
    while let Some(item) = watch.next().now_or_never() {
        assert!(matches!(item, Some(Ok(_))), "a watch that is to go on shows {item:?}");
    }
}
