use std::time::Duration;

use leasehold_core::{Era, LeaseLock, Observation, Record, Version};
use leasehold_testkit::{Dice, What};
use tokio::time::Instant;

use crate::{candidate::Pod, stage::Stage, weather::Weather};

/// Does to candidates and to their store what hosts, operators and other programs do.
pub(crate) struct Disturber {
    pub(crate) stage: Stage,
    pub(crate) dice: Dice,
    /// What the store once held: it may go back to it.
    pub(crate) old: Vec<Observation>,
    /// How many lives there have been.
    pub(crate) lives: u64,
    pub(crate) eras: u64,
}

impl Disturber {
    /// Disturbs as long as the weather lasts, and then makes everybody live.
    pub(crate) async fn disturb(&mut self, pods: &mut [Pod]) {
        let turns = self.stage.turns(self.stage.weather.candidates);
        let until = self.stage.start + Weather::LASTS;
        if let Some(every) = self.stage.weather.disturbed_every {
            while Instant::now() < until {
                turns.sleep(self.dice.up_to(every * 2)).await;
                self.disturb_once(pods).await;
            }
        } else {
            turns.sleep(Weather::LASTS).await;
        }
        // Whoever is frozen or cut off is so for up to two seconds and a half.
        turns.sleep(Duration::from_millis(2_600)).await;
        self.stage.calm.cancel();
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
        Pod::start(&self.stage, slot, name, dice)
    }

    async fn disturb_once(&mut self, pods: &mut [Pod]) {
        if self.stage.weather.goes_back {
            return self.go_back().await;
        }
        let slot = self.dice.below(pods.len() as u64);
        let long = self.dice.up_to(Duration::from_millis(2_500));
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
                self.stage.store.delete();
            }
            8 => self.replace("the record is touched", |seen| seen).await,
            9 => {
                let blanked = |seen: Observation| {
                    let blank = |_| Record::unreadable(seen.era.clone());
                    Observation { record: seen.record.as_ref().map(blank), ..seen }
                };
                self.replace("the record is blanked", blanked).await;
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

    /// To what it held before, its version included. What came after that is lost for good, and
    /// all live long enough with what there is to see it.
    async fn go_back(&mut self) {
        let turns = self.stage.turns(self.stage.weather.candidates);
        for _ in 0..4 {
            self.old.extend(self.stage.store.observe().await);
            turns.sleep(Weather::timing().lease_duration()).await;
        }
        let Ok(seen) = self.stage.store.observe().await else { return };
        self.old.retain(|old| old.version.number() < seen.version.number());
        if let Some(old) = self.dice.pick(&self.old).cloned() {
            self.tell(format!("the store goes back from {:?} to {:?}", seen.version, old.version));
            self.old.retain(|other| other.version.number() <= old.version.number());
            self.stage.store.replace(old);
        }
    }

    /// Whatever is done to a store in memory, its versions go on from where they were.
    async fn replace(
        &mut self,
        what: &str,
        change: impl FnOnce(Observation) -> Observation + Send,
    ) {
        self.tell(what.to_owned());
        let Ok(seen) = self.stage.store.observe().await else { return };
        self.old.push(seen.clone());
        let version = Version::new(seen.version.number() + 1).expect("a version that is believed");
        self.stage.store.replace(Observation { version, ..change(seen) });
    }

    fn next_era(&mut self) -> Era {
        self.eras += 1;
        Era::new(format!("era {}", self.eras))
    }

    fn tell(&self, what: String) {
        self.stage.history.record("", What::Fault { what });
    }
}
