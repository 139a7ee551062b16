use std::{sync::Arc, time::Duration};

use futures::{
    StreamExt, TryStreamExt,
    stream::{self, BoxStream},
};
use kube::{
    Api,
    api::{WatchEvent, WatchParams},
    core::DynamicObject,
};
use leasehold_core::{Error, Observation};
use tokio::{
    sync::watch::Receiver,
    time::{self, Instant},
};

use crate::{
    advice::is_forbidden,
    client::{LONGEST_CALL, Link, within},
    error, judge,
    lease::Lease,
    pauses::Pauses,
};

/// After so many seconds the apiserver ends a watch, and it is begun again: what was lost on the way,
/// unseen, is lost for no longer. (The client library allows 294.)
const PERIOD: u32 = 280;

/// By so much longer is it waited for that end.
const GRACE: Duration = Duration::from_secs(10);

/// A watch that does not show what a call was answered with, for so long, is deaf: its connection is
/// half dead, or the apiserver is behind.
const DEAF: Duration = Duration::from_secs(2);

/// A watch that ends sooner than this was not ended because its period was over.
const BRIEF: Duration = Duration::from_secs(1);

enum Phase {
    Beginning,
    Watching(Box<Watching>),
    /// To watch is forbidden here: what changes is seen by who looks, until the next try.
    Blind(Instant),
    Ended,
}

struct Watching {
    events: Events,
    link: Arc<Link>,
    /// The greatest version that a call was answered with.
    answered: Receiver<u64>,
    /// What the watch has shown, or need not show.
    shown: u64,
    /// A version that it has not shown, and since when that is known.
    missing: Option<(u64, Instant)>,
    since: Instant,
}

type Events = BoxStream<'static, kube::Result<WatchEvent<DynamicObject>>>;

/// The observation now, then one for each change.
pub(crate) fn observations(lease: Arc<Lease>) -> BoxStream<'static, Result<Observation, Error>> {
    let first = (lease, Phase::Beginning, Pauses::new());
    Box::pin(stream::unfold(first, |(lease, mut phase, mut pauses)| async move {
        loop {
            let next = match phase {
                Phase::Beginning => begin(&lease, &mut pauses).await.map(Some),
                Phase::Watching(mut watching) => match watching.next(&lease).await {
                    Ok(Some(seen)) => Ok(Some((seen, Phase::Watching(watching)))),
                    Ok(None) => Ok(None),
                    Err(error) => Err(error),
                },
                Phase::Blind(until) => {
                    time::sleep_until(until).await;
                    Ok(None)
                }
                Phase::Ended => return None,
            };
            phase = match next {
                Ok(Some((seen, phase))) => return Some((Ok(seen), (lease, phase, pauses))),
                Ok(None) => Phase::Beginning,
                Err(error) => return Some((Err(error), (lease, Phase::Ended, pauses))),
            };
        }
    }))
}

/// Opens the watch first and looks afterwards, so that nothing is missed in between. It is opened
/// from no version in particular: that of a Lease which nobody has written for long is gone from the
/// apiserver's memory.
async fn begin(lease: &Arc<Lease>, pauses: &mut Pauses) -> Result<(Observation, Phase), Error> {
    let operation = lease.operation("watch");
    let how =
        WatchParams::default().fields(&format!("metadata.name={}", lease.name)).timeout(PERIOD);
    let open = |api: Api<DynamicObject>| async move {
        match api.watch(&how, "").await {
            Ok(events) => Ok(Some(events.into_stream().boxed())),
            Err(kube::Error::Api(status)) if is_forbidden(&status) => Ok(None),
            Err(error) => Err(error),
        }
    };
    let answered = lease.answered.subscribe();
    let (events, seen, link) = within(&operation, LONGEST_CALL, async {
        let link = lease.kubernetes.link().await?;
        let begun = async {
            let events = lease.kubernetes.ask_on(&link, &operation, open).await?;
            Ok::<_, Error>((events, lease.observe().await?))
        };
        let (events, seen) = tokio::select! {
            biased;
            begun = begun => begun?,
            // Somebody else's call was not answered on these connections: nor will this one be.
            () = link.retired.cancelled() => return Err(error::disconnected(&operation)),
            () = overtaken(answered) => return Err(error::overtaken(&operation, DEAF)),
        };
        Ok((events, seen, link))
    })
    .await?;
    let Some(events) = events else {
        let until = Instant::now() + pauses.next();
        if pauses.are_many() {
            lease.warn_of_blindness();
        }
        return Ok((seen, Phase::Blind(until)));
    };
    *pauses = Pauses::new();
    let mut answered = lease.answered.subscribe();
    let shown = *answered.borrow_and_update();
    let since = Instant::now();
    let watching = Watching { events, link, answered, shown, missing: None, since };
    Ok((seen, Phase::Watching(Box::new(watching))))
}

/// Ends some time after a call was answered with news. Who has not begun by then will not, on a
/// connection that swallows everything.
async fn overtaken(mut answered: Receiver<u64>) {
    match answered.changed().await {
        Ok(()) => time::sleep(DEAF).await,
        Err(_) => std::future::pending().await,
    }
}

impl Watching {
    /// The next change, or none where the watch is over and to be begun again: its period has passed, or
    /// it is deaf, or a call on the same connections was not answered. (Whether the apiserver can be
    /// reached is for the next one to find out.)
    async fn next(&mut self, lease: &Lease) -> Result<Option<Observation>, Error> {
        let operation = lease.operation("watch");
        let end = self.since + Duration::from_secs(u64::from(PERIOD)) + GRACE;
        loop {
            let answered = *self.answered.borrow_and_update();
            match self.missing {
                Some((version, _)) if version > self.shown => {}
                _ => self.missing = (answered > self.shown).then(|| (answered, Instant::now())),
            }
            let limit = self.missing.map_or(end, |(_, since)| end.min(since + DEAF));
            let event = tokio::select! {
                biased;
                () = self.link.retired.cancelled() => return Ok(None),
                event = self.events.next() => event,
                // Its sender is the lease's own, and outlives this.
                _ = self.answered.changed() => continue,
                () = time::sleep_until(limit) => return Ok(None),
            };
            let failed = |error| {
                let kubernetes = &lease.kubernetes;
                error::failed(&operation, kubernetes.server(), kubernetes.namespace(), error)
            };
            match event {
                Some(Ok(WatchEvent::Added(object) | WatchEvent::Modified(object))) => {
                    self.has_shown(object.metadata.resource_version.as_deref());
                    return lease.shown(object, &operation).map(Some);
                }
                Some(Ok(WatchEvent::Deleted(object))) => {
                    self.has_shown(object.metadata.resource_version.as_deref());
                    return Ok(Some(judge::absent()));
                }
                Some(Ok(WatchEvent::Bookmark(bookmark))) => {
                    self.has_shown(Some(&bookmark.metadata.resource_version));
                }
                // What it was to go on from is gone from the apiserver's memory.
                Some(Ok(WatchEvent::Error(status))) if status.code == 410 => {
                    return self.over(&operation);
                }
                Some(Ok(WatchEvent::Error(status))) => {
                    return Err(failed(kube::Error::Api(status)));
                }
                Some(Err(error)) => return Err(failed(error)),
                None => return self.over(&operation),
            }
        }
    }

    /// # Errors
    /// It had only just begun: who begins again at once might do so for ever.
    fn over(&self, operation: &str) -> Result<Option<Observation>, Error> {
        match self.since.elapsed() < BRIEF {
            true => Err(error::cut_short(operation)),
            false => Ok(None),
        }
    }

    fn has_shown(&mut self, version: Option<&str>) {
        let version = version.and_then(|version| version.parse().ok()).unwrap_or_default();
        self.shown = self.shown.max(version);
    }
}
