//! A chaotic lock has the faults that it is told to have, and no others.

mod counting;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use counting::CountingLock;
use futures::{StreamExt, poll};
use leasehold_core::{ErrorKind, LeaseLock, Observation, Record, Swap};
use leasehold_testkit::{
    ChaosConfig, ChaosLock, Dice, conformance,
    conformance::{Feat, Fixture, Garbage, MemoryFixture},
};
use tokio::time::{self, Instant};

const SECOND: Duration = Duration::from_secs(1);

/// Without faults nothing is lost on the way through it: every method is forwarded.
#[derive(Debug, Default)]
struct QuietFixture(MemoryFixture);

#[async_trait]
impl Fixture for QuietFixture {
    async fn lock(&self) -> Arc<dyn LeaseLock> {
        Arc::new(ChaosLock::new(self.0.lock().await, 1, ChaosConfig::quiet()))
    }
    async fn other_lock(&self) -> Arc<dyn LeaseLock> {
        Arc::new(ChaosLock::new(self.0.other_lock().await, 1, ChaosConfig::quiet()))
    }
    fn lease_name(&self) -> String {
        self.0.lease_name()
    }
    fn secrets(&self) -> Vec<String> {
        self.0.secrets()
    }
    fn compares_era(&self) -> bool {
        self.0.compares_era()
    }
    async fn delete(&self) {
        self.0.delete().await;
    }
    async fn garble(&self, garbage: Garbage) -> Feat {
        self.0.garble(garbage).await
    }
    async fn renew_era(&self) -> Feat {
        self.0.renew_era().await
    }
    async fn forget(&self) -> Feat {
        self.0.forget().await
    }
    async fn touch(&self) -> Feat {
        self.0.touch().await
    }
}

conformance!(without_faults, QuietFixture::default());

/// A lock with faults, what it wraps, and a swap that is exact.
struct Scene {
    chaos: ChaosLock,
    store: Arc<CountingLock>,
    seen: Observation,
    record: Record,
}

impl Scene {
    async fn of(config: ChaosConfig) -> Self {
        let store = Arc::new(CountingLock::new(MemoryFixture::new().lock().await));
        let seen = store.observe().await.expect("a store in memory answers");
        let record = Record::free(seen.era.clone());
        let chaos = ChaosLock::new(store.clone(), 7, config);
        Self { chaos, store, seen, record }
    }

    async fn swap(&self) -> Result<Swap, leasehold_core::Error> {
        time::timeout(SECOND, self.chaos.swap(&self.seen, &self.record)).await.unwrap_or_else(
            |_| {
                Err(leasehold_core::Error::new(ErrorKind::Timeout, "wait", "no answer in a second"))
            },
        )
    }

    async fn is_written(&self) -> bool {
        self.store.observe().await.expect("a store in memory answers").record.is_some()
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_fails_before_has_no_effect() {
    let scene = Scene::of(ChaosConfig { fail_before: 1.0, ..ChaosConfig::quiet() }).await;
    assert_eq!(scene.swap().await.unwrap_err().kind(), ErrorKind::Unreachable);
    assert!(!scene.is_written().await);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_fails_after_has_its_effect() {
    let scene = Scene::of(ChaosConfig { fail_after: 1.0, ..ChaosConfig::quiet() }).await;
    assert_eq!(scene.swap().await.unwrap_err().kind(), ErrorKind::Unreachable);
    assert!(scene.is_written().await);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_hangs_before_is_never_answered_and_has_no_effect() {
    let scene = Scene::of(ChaosConfig { hang_before: 1.0, ..ChaosConfig::quiet() }).await;
    assert_eq!(scene.swap().await.unwrap_err().kind(), ErrorKind::Timeout);
    assert!(!scene.is_written().await);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_hangs_after_is_never_answered_and_has_its_effect() {
    let scene = Scene::of(ChaosConfig { hang_after: 1.0, ..ChaosConfig::quiet() }).await;
    assert_eq!(scene.swap().await.unwrap_err().kind(), ErrorKind::Timeout);
    assert!(scene.is_written().await);
}

#[tokio::test(start_paused = true)]
async fn a_late_request_takes_effect_after_its_author_gave_up() {
    let config = ChaosConfig { late: 1.0, late_by: SECOND * 60, ..ChaosConfig::quiet() };
    let scene = Scene::of(config).await;
    let start = Instant::now();
    assert!(scene.swap().await.is_err());
    assert!(!scene.is_written().await);
    let mut watch = scene.store.watch();
    while watch.next().await.unwrap().unwrap().record.is_none() {}
    assert!(start.elapsed() > SECOND, "it was late by {:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_duplicate_arrives_twice_and_its_author_hears_one_of_the_answers() {
    let config = ChaosConfig { duplicate: 1.0, late_by: SECOND, ..ChaosConfig::quiet() };
    let mut heard = [0, 0];
    for seed in 0..20 {
        let Scene { store, seen, record, .. } = Scene::of(ChaosConfig::quiet()).await;
        let chaos = ChaosLock::new(store.clone(), seed, config.clone());
        match chaos.swap(&seen, &record).await.unwrap() {
            Swap::Written(_) => heard[0] += 1,
            Swap::Refused(there) => {
                assert_eq!(there.unwrap().record, Some(record), "the refusal shows the first");
                heard[1] += 1;
            }
        }
        time::sleep(SECOND * 2).await;
        assert_eq!(store.swaps(), 2, "seed {seed}");
    }
    assert!(heard[0] > 3 && heard[1] > 3, "{heard:?}");
}

#[tokio::test(start_paused = true)]
async fn a_delay_delays_the_request_or_the_answer() {
    let config = ChaosConfig { delay: 1.0, delay_by: SECOND, ..ChaosConfig::quiet() };
    let scene = Scene::of(config).await;
    let start = Instant::now();
    scene.chaos.observe().await.unwrap();
    assert!(start.elapsed() > Duration::ZERO);
    assert!(start.elapsed() <= SECOND * 2);
}

#[tokio::test(start_paused = true)]
async fn stopped_faults_do_not_come_back() {
    let scene = Scene::of(ChaosConfig::rough(16.0, SECOND)).await;
    scene.chaos.stop();
    let start = Instant::now();
    let mut seen = scene.chaos.observe().await.unwrap();
    for _ in 0..1_000 {
        let record = Record::free(seen.era.clone());
        match scene.chaos.swap(&seen, &record).await.unwrap() {
            Swap::Written(written) => seen = written,
            Swap::Refused(there) => panic!("refused: there is {there:?}"),
        }
    }
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_cut_holds_everything_back_until_it_is_mended_as_often() {
    let scene = Scene::of(ChaosConfig::quiet()).await;
    let mut watch = scene.chaos.watch();
    scene.chaos.cut();
    scene.chaos.cut();
    let mut call = Box::pin(scene.chaos.observe());
    let mut change = Box::pin(watch.next());
    for _ in 0..2 {
        assert!(time::timeout(SECOND * 60, &mut call).await.is_err());
        assert!(time::timeout(SECOND * 60, &mut change).await.is_err());
        scene.chaos.mend();
    }
    call.await.unwrap();
    change.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_watch_fails_ends_drops_and_falls_silent() {
    let quiet = ChaosConfig::quiet;
    let error = Scene::of(ChaosConfig { watch_error: 1.0, ..quiet() }).await;
    let mut watch = error.chaos.watch();
    assert!(watch.next().await.unwrap().is_err());
    assert!(watch.next().await.is_none());

    let end = Scene::of(ChaosConfig { watch_end: 1.0, ..quiet() }).await;
    assert!(end.chaos.watch().next().await.is_none());

    let drop = Scene::of(ChaosConfig { watch_drop: 1.0, ..quiet() }).await;
    assert!(time::timeout(SECOND, drop.chaos.watch().next()).await.is_err());

    let mute = Scene::of(ChaosConfig { watch_mute: 1.0, ..quiet() }).await;
    let mut watch = mute.chaos.watch();
    assert!(time::timeout(SECOND, watch.next()).await.is_err());
    mute.chaos.stop();
    mute.swap().await.unwrap();
    assert!(watch.next().await.unwrap().unwrap().record.is_some(), "news after the faults");
}

#[tokio::test(start_paused = true)]
async fn a_watch_repeats_old_observations_before_the_new_one() {
    let Scene { chaos, mut seen, .. } =
        Scene::of(ChaosConfig { watch_repeat: 1.0, ..ChaosConfig::quiet() }).await;
    let mut watch = chaos.watch();
    let mut shown = vec![watch.next().await.unwrap().unwrap()];
    for _ in 0..10 {
        let Swap::Written(written) =
            chaos.swap(&seen, &Record::free(seen.era.clone())).await.unwrap()
        else {
            panic!("an exact swap is refused");
        };
        seen = written;
        let old = watch.next().await.unwrap().unwrap();
        assert!(shown.contains(&old), "{old:?} is shown as an old one");
        let new = watch.next().await.unwrap().unwrap();
        assert_eq!(new, seen);
        shown.push(new);
    }
    assert!(poll!(watch.next()).is_pending());
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_faults() {
    async fn outcomes(seed: u64) -> Vec<(Duration, bool)> {
        let Scene { store, .. } = Scene::of(ChaosConfig::quiet()).await;
        let chaos = ChaosLock::new(store, seed, ChaosConfig::rough(10.0, SECOND));
        let start = Instant::now();
        let mut outcomes = Vec::new();
        for _ in 0..100 {
            let answer = time::timeout(SECOND, chaos.observe()).await;
            outcomes.push((start.elapsed(), matches!(answer, Ok(Ok(_)))));
        }
        outcomes
    }
    let mut dice = Dice::new(3);
    for _ in 0..5 {
        let seed = dice.throw();
        assert_eq!(outcomes(seed).await, outcomes(seed).await);
    }
    assert_ne!(outcomes(1).await, outcomes(2).await);
}
