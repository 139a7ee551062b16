//! Two of ours and two of client-go's on one Lease, and what is done to whoever leads.

use std::time::Duration;

use leasehold::create_free;
use leasehold_testkit::{Dice, kubernetes::Apiserver};
use rustix::process::Signal;
use tokio::{task::block_in_place, time};

use super::{
    candidate::Candidate,
    shown::{Shown, printed_holder},
    told::{Chronicle, Event, Told, Who},
};

pub(crate) const LEASE: Duration = Duration::from_secs(4);
pub(crate) const RENEWAL: Duration = Duration::from_secs(1);
/// The longest pause between two looks of a client-go standby: its retry interval, and up to 1.2 more.
pub(crate) const LOOK: Duration = Duration::from_millis(2_200);
/// The same as one word, and the renew deadline: legal for both.
pub(crate) const TIMING: &str = "4s/3s/1s";

pub(crate) const OURS: [Who; 2] =
    [Who { name: "ours-a", ours: true }, Who { name: "ours-b", ours: true }];
pub(crate) const CLIENT_GOS: [Who; 2] =
    [Who { name: "go-a", ours: false }, Who { name: "go-b", ours: false }];

const NAME: &str = "jobs";

/// What is done to a leader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Fault {
    Resign,
    Kill,
    Freeze,
}

/// Somebody leads after somebody.
#[derive(Clone, Copy)]
pub(crate) struct Handover {
    pub(crate) fault: Fault,
    pub(crate) from: Who,
    pub(crate) to: Who,
    /// From the fault to the work of the next. None where the lease had been lost before the fault.
    pub(crate) took: Option<Duration>,
}

/// Some candidates of one Lease.
pub(crate) struct Fleet {
    server: Apiserver,
    url: String,
    pub(crate) shown: Shown,
    pub(crate) chronicle: Chronicle,
    members: Vec<Candidate>,
    dice: Dice,
}

impl Fleet {
    pub(crate) async fn start(members: &[Who], seed: u64) -> Self {
        let server = block_in_place(|| Apiserver::shared().new_namespace());
        let url = format!("{}&mixed_fleet=true", server.url(NAME));
        let lock = leasehold::connect(&url).await.unwrap_or_else(|error| panic!("{error}"));
        create_free(&lock).await.unwrap_or_else(|error| panic!("{error}"));
        let shown = Shown::of(&server, NAME).await;
        let chronicle = Chronicle::default();
        let dice = Dice::new(seed);
        let mut fleet = Self { server, url, shown, chronicle, members: Vec::new(), dice };
        for who in members {
            fleet.join(*who).await;
        }
        fleet
    }

    pub(crate) async fn join(&mut self, who: Who) {
        let member = Candidate::start(who, &self.url, TIMING, &self.chronicle).await;
        self.members.push(member);
    }

    pub(crate) fn member(&mut self, who: Who) -> &mut Candidate {
        self.members.iter_mut().find(|member| member.who == who).expect("a member")
    }

    /// Whether it has led.
    fn has_led(&self, who: Who) -> bool {
        let start = |told: &Told| told.who == who && matches!(told.event, Event::Start { .. });
        self.chronicle.told().iter().any(start)
    }

    /// Something is done to the leader, another leads, and then all is well again. It is decided by the
    /// dice who may win: all, which is most often one of ours, for they are told at once; or one, while
    /// the others stand still.
    pub(crate) async fn hand_over(&mut self, everybody: bool) -> Handover {
        let (from, seen) = self.chronicle.leader().await;
        // Any instant between two renewals.
        time::sleep(self.dice.up_to(RENEWAL)).await;
        let others: Vec<Who> =
            self.members.iter().map(|member| member.who).filter(|who| *who != from).collect();
        let idle: Vec<Who> = others.iter().copied().filter(|who| !self.has_led(*who)).collect();
        let one = self.dice.chance(0.5);
        let chosen = match () {
            () if everybody && !idle.is_empty() => self.dice.pick(&idle).copied(),
            () if one => self.dice.pick(&others).copied(),
            () => None,
        };
        let held = others.into_iter().filter(|who| chosen.is_some_and(|chosen| chosen != *who));
        let held: Vec<Who> = held.collect();
        for who in &held {
            self.member(*who).freeze();
        }

        let faults = [Fault::Resign, Fault::Kill, Fault::Freeze];
        let fault = *self.dice.pick(&faults).expect("three");
        // It exits and is started again; or it is told to resign as it wakes, and then client-go may
        // blank the Lease of its successor.
        let other = self.dice.chance(0.5);
        let struck = match (fault, other) {
            (Fault::Resign, false) => self.member(from).signal(Signal::USR1),
            (Fault::Resign, true) => self.member(from).signal(Signal::TERM),
            (Fault::Kill, _) => self.member(from).kill().await,
            (Fault::Freeze, _) => self.member(from).freeze(),
        };
        let led = |told: &Told| matches!(told.event, Event::Start { .. });
        let (_, next) = self.chronicle.next("a successor", seen + 1, led).await;
        for who in held {
            self.member(who).thaw();
        }
        self.mend(from, seen, fault, other).await;
        let took = next.at.checked_sub(struck).map(Duration::from_nanos);
        Handover { fault, from, to: next.who, took }
    }

    async fn mend(&mut self, who: Who, since: usize, fault: Fault, other: bool) {
        match (fault, other) {
            (Fault::Resign, false) => {}
            (Fault::Resign, true) => {
                self.member(who).ends().await;
                self.member(who).start_again(TIMING).await;
            }
            (Fault::Kill, _) => self.member(who).start_again(TIMING).await,
            (Fault::Freeze, _) => {
                if other {
                    self.member(who).signal(Signal::USR1);
                }
                self.member(who).thaw();
                let stop = |event: &Event| matches!(event, Event::Stop { .. });
                self.member(who).says("stops", since, stop).await;
            }
        }
        if fault == Fault::Freeze && other {
            self.shown.is_steady().await;
        }
    }

    /// The leader exits, and is started again when another leads. Says how long that took.
    pub(crate) async fn resigns(&mut self, who: Who) -> Duration {
        let (leader, seen) = self.chronicle.leader().await;
        assert_eq!(leader, who);
        // The others know it.
        self.shown.is_steady().await;
        let struck = self.member(who).signal(Signal::TERM);
        let led = |told: &Told| matches!(told.event, Event::Start { .. });
        let (_, next) = self.chronicle.next("a successor", seen + 1, led).await;
        self.mend(who, seen, Fault::Resign, true).await;
        Duration::from_nanos(next.at - struck)
    }

    pub(crate) fn printed_holder(&self) -> String {
        printed_holder(&self.server, NAME)
    }

    /// What `kubectl get lease` prints while one leads all the time is its name.
    pub(crate) async fn assert_printed(&self) {
        let (leader, before) = self.chronicle.leader().await;
        let printed = self.printed_holder();
        let (after, now) = self.chronicle.leader().await;
        if (leader, before) == (after, now) {
            assert!(printed.starts_with(&format!("{}_", leader.name)), "{printed}: {leader:?}");
        }
    }

    /// It resigns, if it leads, and exits.
    pub(crate) async fn leaves(&mut self, who: Who) {
        self.member(who).signal(Signal::TERM);
        self.member(who).ends().await;
        self.members.retain(|member| member.who != who);
    }

    /// All do.
    pub(crate) async fn end(&mut self) {
        while let Some(member) = self.members.first() {
            self.leaves(member.who).await;
        }
    }
}
