use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use leasehold_core::{Candidate, Clock, Elector, Error, Fence, Leading};
use leasehold_testkit::{ChaosLock, Dice, History, SimClock, Turns, What};
use tokio::{task::JoinHandle, time};
use tokio_util::sync::CancellationToken;

use crate::{stage::Stage, weather::Weather};

/// How often work does something, on the candidate's own clock.
const TICK: Duration = Duration::from_millis(25);

/// One simulated host with one elector and the work of its terms.
#[derive(Debug)]
pub(crate) struct Pod {
    pub(crate) name: String,
    lock: ChaosLock,
    clock: SimClock,
    turns: Turns,
    history: History,
    frozen: Arc<AtomicBool>,
    elector: Option<Arc<Elector>>,
    shutdown: CancellationToken,
    dead: CancellationToken,
    life: Option<JoinHandle<()>>,
}

impl Pod {
    /// Starts one that campaigns until it is told to shut down.
    pub(crate) fn start(stage: &Stage, slot: u64, name: String, mut dice: Dice) -> Self {
        let Stage { store, weather, history, fence, calm, .. } = stage;
        let turns = stage.turns(slot);
        let clock = SimClock::at_rates(turns, weather.rate(&mut dice), weather.rate(&mut dice));
        let lock = ChaosLock::in_turns(
            Arc::new(store.clone()),
            dice.throw(),
            weather.chaos.clone(),
            turns,
        );
        let candidate = Candidate::new(&name).expect("a name that is allowed");
        let elector = Arc::new(
            Elector::new(lock.clone(), candidate)
                .with_timing(Weather::timing())
                .with_clock(Arc::new(clock.clone())),
        );
        let shutdown = CancellationToken::new();
        let frozen = Arc::new(AtomicBool::new(false));
        let worker = Worker {
            name: name.clone(),
            clock: clock.clone(),
            history: history.clone(),
            fence: fence.clone(),
            frozen: frozen.clone(),
            fickle: weather.fickle,
            calm: calm.clone(),
        };
        let life = tokio::spawn(worker.live(elector.clone(), shutdown.clone(), turns, dice));
        Self {
            name,
            lock,
            clock,
            turns,
            history: history.clone(),
            frozen,
            elector: Some(elector),
            shutdown,
            dead: CancellationToken::new(),
            life: Some(life),
        }
    }

    /// Everything of it is gone at once, and nothing is given back.
    pub(crate) fn crash(&mut self) {
        self.dead.cancel();
        self.history.record(&self.name, What::Crashed);
        self.lock.cut();
        self.elector = None;
        if let Some(life) = self.life.take() {
            life.abort();
        }
    }

    /// It stands still: its sleeps, its requests, and what is pushed to it.
    pub(crate) fn freeze(&self, duration: Duration) {
        self.frozen.store(true, Ordering::Relaxed);
        self.history.record(&self.name, What::Froze);
        self.clock.suspend(duration);
        self.lock.cut();
        let (lock, turns, history, name) =
            (self.lock.clone(), self.turns, self.history.clone(), self.name.clone());
        let dead = self.dead.clone();
        tokio::spawn(async move {
            turns.sleep(duration).await;
            lock.mend();
            // The dead do not thaw.
            if !dead.is_cancelled() {
                history.record(&name, What::Thawed);
            }
        });
    }

    /// Its link to the store is cut for a time.
    pub(crate) fn cut(&self, duration: Duration) {
        self.lock.cut();
        let (lock, turns) = (self.lock.clone(), self.turns);
        tokio::spawn(async move {
            turns.sleep(duration).await;
            lock.mend();
        });
    }

    pub(crate) fn step_down(&self) {
        if let Some(elector) = self.elector.clone() {
            tokio::spawn(async move { elector.step_down().await });
        }
    }

    /// No more faults.
    pub(crate) fn calm(&self) {
        self.lock.stop();
    }

    pub(crate) fn is_alive(&self) -> bool {
        !self.dead.is_cancelled()
    }

    /// Asks it to end in good order.
    pub(crate) fn shut_down(&self) {
        self.shutdown.cancel();
    }

    /// Waits for its end.
    pub(crate) async fn ended(mut self) {
        if let Some(life) = self.life.take() {
            let ended = time::timeout(Duration::from_secs(30), life).await;
            let ended = ended.unwrap_or_else(|_| panic!("{} does not end", self.name));
            ended.unwrap_or_else(|error| panic!("{} ended badly: {error}", self.name));
        }
    }
}

struct Worker {
    name: String,
    clock: SimClock,
    history: History,
    fence: Arc<Fence>,
    frozen: Arc<AtomicBool>,
    /// Gives up of its own accord, as long as nothing else may.
    fickle: bool,
    calm: CancellationToken,
}

impl Worker {
    async fn live(
        self,
        elector: Arc<Elector>,
        shutdown: CancellationToken,
        turns: Turns,
        mut dice: Dice,
    ) {
        turns.sleep(dice.up_to(TICK)).await;
        while !shutdown.is_cancelled() {
            self.history.record(&self.name, What::Campaigned);
            let work = |lead| self.work(lead, dice.split());
            // A store that has never answered ends a campaign: it is tried again.
            let _ = elector.run(shutdown.clone(), work).await;
            self.clock.sleep(TICK).await;
        }
    }

    /// Works at every tick, without asking whether it may: it is dropped when it may not. Only
    /// whoever was frozen has to ask, for nobody can drop it before it has woken.
    async fn work(&self, lead: Leading, mut dice: Dice) -> Result<(), Error> {
        let token = lead.token().number();
        self.show(token);
        let _stopped = Stopped { history: &self.history, name: &self.name, token };
        self.history.record(&self.name, What::Began { token });
        let patience = if self.fickle { 10 + dice.below(150) } else { u64::MAX };
        for tick in 0.. {
            if tick >= patience && !self.calm.is_cancelled() {
                break;
            }
            if self.frozen.load(Ordering::Relaxed) && !lead.is_current() {
                std::future::pending::<()>().await;
            }
            self.history.record(&self.name, What::Worked { token });
            if tick % 5 == 0 {
                self.show(token);
            }
            tokio::select! {
                biased;
                () = lead.stopping() => break,
                () = self.clock.sleep(TICK) => {}
            }
        }
        // What is drained is still work.
        for _ in 0..dice.below(8) {
            self.clock.sleep(TICK).await;
            if self.frozen.load(Ordering::Relaxed) && !lead.is_current() {
                std::future::pending::<()>().await;
            }
            self.history.record(&self.name, What::Worked { token });
        }
        Ok(())
    }

    fn show(&self, token: u64) {
        let shown = leasehold_core::FencingToken::new(token).expect("a token that is believed");
        let what = match self.fence.admit(shown) {
            Ok(()) => What::Admitted { token },
            Err(_) => What::Refused { token },
        };
        self.history.record(&self.name, what);
    }
}

/// Says that nothing is left of the work, however it ends.
struct Stopped<'a> {
    history: &'a History,
    name: &'a str,
    token: u64,
}

impl Drop for Stopped<'_> {
    fn drop(&mut self) {
        self.history.record(self.name, What::Stopped { token: self.token });
    }
}
