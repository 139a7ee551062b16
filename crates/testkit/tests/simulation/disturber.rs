use std::sync::Arc;

use leasehold_core::{Era, Fence, LeaseLock, MemoryLock, Observation, Record, Version};
use leasehold_testkit::{Dice, History, Turns, What};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{candidate::Pod, weather::Weather};

/// Does to candidates and to their store what hosts, operators and other programs do.
pub(crate) struct Disturber<'a> {
    pub(crate) store: &'a MemoryLock,
    pub(crate) weather: &'a Weather,
    pub(crate) history: &'a History,
    pub(crate) fence: &'a Arc<Fence>,
    pub(crate) start: Instant,
    /// There are no more faults.
    pub(crate) calm: CancellationToken,
    pub(crate) dice: Dice,
    /// What the store once held: it may go back to it.
    pub(crate) old: Vec<Observation>,
    /// How many lives there have been.
    pub(crate) lives: u64,
    pub(crate) eras: u64,
}

impl Disturber<'_> {
    /// Disturbs as long as the weather lasts, and then makes everybody live.
    pub(crate) async fn disturb(&mut self, pods: &mut [Pod]) {
        let turns = self.turns(self.weather.candidates);
        let until = self.start + Weather::LASTS;
        if let Some(every) = self.weather.disturbed_every {
            while Instant::now() < until {
                turns.sleep(self.dice.up_to(every * 2)).await;
                self.disturb_once(pods).await;
            }
        } else {
            turns.sleep(Weather::LASTS).await;
        }
        // Whoever is frozen or cut off is so for up to two seconds and a half.
        turns.sleep(std::time::Duration::from_millis(2_600)).await;
        self.calm.cancel();
        for (slot, pod) in (0..).zip(pods) {
            if !pod.is_alive() {
                *pod = self.start_pod(slot);
            }
            pod.calm();
        }
    }

    pub(crate) fn start_pod(&mut self, slot: u64) -> Pod {
        self.lives += 1;
        let name = format!("pod-{slot}-life-{}", self.lives);
        let dice = self.dice.split();
        let turns = self.turns(slot);
        Pod::start(
            name,
            self.store,
            self.weather,
            turns,
            dice,
            self.history,
            self.fence,
            &self.calm,
        )
    }

    async fn disturb_once(&mut self, pods: &mut [Pod]) {
        let slot = self.dice.below(pods.len() as u64);
        let long = self.dice.up_to(std::time::Duration::from_millis(2_500));
        let pod = &mut pods[slot as usize];
        if !pod.is_alive() {
            *pod = self.start_pod(slot);
            return;
        }
        match self.dice.below(12) {
            0 | 1 => {
                self.tell(format!("{} is told to step down", pod.name));
                pod.step_down();
            }
            2 | 3 => pod.crash(),
            4 | 5 => pod.freeze(long),
            6 => {
                self.tell(format!("{} is cut off for {long:?}", pod.name));
                pod.cut(long);
            }
            7 => {
                self.tell("the record is deleted".into());
                self.store.delete();
            }
            8 => self.replace("the record is touched", |seen| seen).await,
            9 => {
                self.replace("the record is blanked", |seen| Observation {
                    record: seen.record.is_some().then(|| Record::unreadable(seen.era.clone())),
                    ..seen
                })
                .await
            }
            10 => {
                let era = self.next_era();
                self.replace("the era changes", |seen| Observation { era, ..seen }).await;
            }
            _ => {
                let (era, record) = (self.next_era(), self.dice.pick(&self.old).cloned());
                let what = "the store goes back, and its era changes";
                self.replace(what, |seen| match record {
                    Some(old) => Observation { era, record: old.record, ..seen },
                    None => Observation { era, ..seen },
                })
                .await;
            }
        }
    }

    /// Whatever is done to a store in memory, its versions go on from where they were.
    async fn replace(
        &mut self,
        what: &str,
        change: impl FnOnce(Observation) -> Observation + Send,
    ) {
        self.tell(what.to_owned());
        let Ok(seen) = self.store.observe().await else { return };
        self.old.push(seen.clone());
        let version = Version::new(seen.version.number() + 1).expect("a version that is believed");
        self.store.replace(Observation { version, ..change(seen) });
    }

    fn next_era(&mut self) -> Era {
        self.eras += 1;
        Era::new(format!("era {}", self.eras))
    }

    fn tell(&self, what: String) {
        self.history.record("", What::Fault { what });
    }

    /// One for each candidate, and one for the disturber.
    fn turns(&self, slot: u64) -> Turns {
        Turns::new(self.start, self.weather.candidates + 1, slot)
    }
}
