use std::{sync::Arc, thread, time::Duration};

use futures::stream::{self, BoxStream};
use leasehold_core::{Error, ErrorKind, Observation, RandomPart};

use crate::{
    inotify::{News, Subscription},
    lock::blocking,
    store::Store,
};

/// The system tells of a close before it releases the file's lock: a microsecond before, or as
/// long as the dying process is kept off its processor in between.
const RELEASED_AFTER: [Duration; 6] = [
    Duration::from_micros(100),
    Duration::from_micros(200),
    Duration::from_micros(400),
    Duration::from_micros(800),
    Duration::from_micros(1600),
    Duration::from_micros(3200),
];

struct Watch {
    store: Arc<Store>,
    subscription: Option<Subscription>,
    /// What was shown last: most changes in the directory change nothing that is seen.
    shown: Option<Observation>,
    ended: bool,
}

/// The observation now, then one after each change.
pub(crate) fn observations(store: Arc<Store>) -> BoxStream<'static, Result<Observation, Error>> {
    let watch = Watch { store, subscription: None, shown: None, ended: false };
    Box::pin(stream::unfold(watch, |mut watch| async move {
        if watch.ended {
            return None;
        }
        let next = watch.next().await;
        watch.ended = next.is_err();
        Some((next, watch))
    }))
}

impl Watch {
    async fn next(&mut self) -> Result<Observation, Error> {
        loop {
            let seen = match &mut self.subscription {
                None => {
                    let (subscription, seen) = begin(self.store.clone()).await?;
                    self.subscription = Some(subscription);
                    seen
                }
                Some(subscription) => {
                    let news = subscription.next().await;
                    look_again(self.store.clone(), news).await?
                }
            };
            if self.shown.as_ref() != Some(&seen) {
                self.shown = Some(seen.clone());
                return Ok(seen);
            }
        }
    }
}

/// Subscribes first and looks then, so that no change falls between.
async fn begin(store: Arc<Store>) -> Result<(Subscription, Observation), Error> {
    let title = store.title.clone();
    blocking(&title, move || {
        let subscription = Subscription::new(&store.directory, &store.names)
            .map_err(|errno| store.failed("watching the directory", errno))?;
        Ok((subscription, store.observe()?.observation))
    })
    .await
}

async fn look_again(store: Arc<Store>, news: News) -> Result<Observation, Error> {
    let title = store.title.clone();
    if news.ended {
        return Err(Error::new(
            ErrorKind::Unreachable,
            format!("watch {title}"),
            "the directory was moved, deleted or unmounted: see who does that, and watch again",
        ));
    }
    blocking(&title, move || {
        let mut seen = store.observe()?.observation;
        for pause in RELEASED_AFTER {
            if seen.holder_gone || !closed_by_holder(&news.closed, &seen) {
                break;
            }
            thread::sleep(pause);
            seen = store.observe()?.observation;
        }
        Ok(seen)
    })
    .await
}

fn closed_by_holder(closed: &[RandomPart], seen: &Observation) -> bool {
    seen.record.as_ref().is_some_and(|record| closed.iter().any(|part| record.is_held_by(*part)))
}
