use std::sync::Arc;

use leasehold_core::{LeaseLock, LeaseName, MemoryStore, Observation, Tenure, create_free};
use leasehold_testkit::{Dice, History, What};
use tokio::{
    runtime,
    time::{self, Instant},
};
use tokio_util::sync::CancellationToken;

use crate::{
    LED_AGAIN_WITHIN, candidate::Pod, disturber::Disturber, stage::Stage, weather::Weather,
};

/// One simulated election, from its first candidate to the end of the last.
pub(crate) struct Election {
    seed: u64,
    weather: Weather,
}

/// What came of it.
pub(crate) struct Outcome {
    seed: u64,
    pub(crate) history: History,
    /// What the store held in the end.
    left: Observation,
    /// The terms that had begun when somebody was to lead, and those when all were told to end.
    settled: (u64, u64),
}

impl Election {
    pub(crate) fn of(seed: u64, weather: Weather) -> Self {
        Self { seed, weather }
    }

    pub(crate) fn hold(self) -> Outcome {
        runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime for the simulation")
            .block_on(self.run())
    }

    async fn run(self) -> Outcome {
        let Self { seed, weather } = self;
        let name = LeaseName::new("jobs").expect("a name that is allowed");
        let store = MemoryStore::new().lock(name);
        if weather.prepared {
            create_free(&store).await.expect("a store in memory answers");
        }
        let stage = Stage {
            store,
            weather,
            history: History::starting_now(),
            fence: Arc::default(),
            start: Instant::now(),
            calm: CancellationToken::new(),
        };
        let (store, history) = (stage.store.clone(), stage.history.clone());
        let candidates = stage.weather.candidates;
        let dice = Dice::new(seed);
        let mut disturber = Disturber { stage, dice, old: Vec::new(), lives: 0, eras: 0 };
        let mut pods: Vec<_> = (0..candidates).map(|slot| disturber.start_pod(slot)).collect();
        disturber.disturb(&mut pods).await;
        history.record("", What::Calm { within: LED_AGAIN_WITHIN });
        time::sleep(LED_AGAIN_WITHIN).await;
        let then = terms(&history);
        time::sleep(Weather::timing().lease_duration() * 3).await;
        let settled = (then, terms(&history));
        history.record("", What::Fault { what: "all are told to shut down".into() });
        pods.iter().for_each(Pod::shut_down);
        for pod in pods {
            pod.ended().await;
        }
        let left = store.observe().await.expect("a store in memory answers");
        Outcome { seed, history, left, settled }
    }
}

impl Outcome {
    pub(crate) fn terms(&self) -> u64 {
        terms(&self.history)
    }

    /// Nothing may be wrong with the history; once there are no faults the leader stays, and the
    /// last one gives its lease back.
    pub(crate) fn judge(&self) {
        let Self { seed, history, left, settled } = self;
        let violations = history.check();
        let listed: Vec<_> = violations.iter().map(ToString::to_string).collect();
        assert!(violations.is_empty(), "{history}\nseed {seed}:\n{}", listed.join("\n"));
        let (then, later) = settled;
        assert_eq!(then, later, "{history}\nseed {seed}: the leader did not stay");
        let tenure = left.record.as_ref().map(|record| &record.tenure);
        assert_eq!(tenure, Some(&Tenure::Free), "{history}\nseed {seed} left {left:?}");
    }
}

fn terms(history: &History) -> u64 {
    let began = |what: &What| matches!(what, What::Began { .. });
    history.events().iter().filter(|event| began(&event.what)).count() as u64
}
