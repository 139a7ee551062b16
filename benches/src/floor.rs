use std::{path::PathBuf, time::Duration};

use anyhow::{Context, Result, bail};
use rand::{RngExt as _, rngs::StdRng};
use rustix::process::Signal;
use serde::Serialize;
use serde_json::Value;
use tokio::{
    sync::mpsc::{self, UnboundedReceiver, UnboundedSender},
    time,
};
use tokio_util::sync::CancellationToken;

use crate::{
    Distribution,
    calendar::Calendar,
    process::{Process, Said},
};

/// The bare steps of a handover, between two processes with no elector: what the store itself
/// costs, and the scheduler. In nanoseconds.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Floor {
    /// From just before the release was sent until the answer that the other has acquired.
    pub(crate) handover: Distribution,
    /// From just before the holder was killed until the answer that the other has acquired. Empty
    /// where the store cannot prove that a holder is gone.
    pub(crate) crash: Distribution,
    /// From just before an acquisition was sent until its answer, where nothing came before it: nothing
    /// does when a lease has lapsed, and what has rested is slower.
    pub(crate) acquisition: Distribution,
}

/// Two processes of the `floor` program, and what they say.
#[derive(Debug)]
pub(crate) struct Pair {
    program: PathBuf,
    url: String,
    holder: Process,
    standby: Process,
    said: UnboundedReceiver<Said>,
    say: UnboundedSender<Said>,
    /// What was said before it was asked for: two processes speak in any order.
    unheard: Vec<(usize, Value)>,
}

const HOLDER: usize = 0;
const STANDBY: usize = 1;

impl Pair {
    /// What anything may take: the store answers in milliseconds.
    const PATIENCE: Duration = Duration::from_secs(10);
    const HANDOVER: Duration = Duration::from_millis(25);

    pub(crate) async fn start(program: PathBuf, url: String) -> Result<Self> {
        let (say, said) = mpsc::unbounded_channel();
        let start = |role: &str, who| {
            let arguments = ["--url", &url, "--role", role].map(str::to_owned);
            Process::start(&program, &arguments, who, say.clone())
        };
        let (holder, standby) = (start("holder", HOLDER)?, start("standby", STANDBY)?);
        let mut pair = Self { program, url, holder, standby, said, say, unheard: Vec::new() };
        pair.expect("ready", STANDBY).await?;
        pair.expect("ready", HOLDER).await?;
        Ok(pair)
    }

    /// Hands over so many times, and crashes as often where that can be noticed.
    pub(crate) async fn measure(
        mut self,
        rounds: usize,
        crash: bool,
        mut rng: StdRng,
        calendar: Calendar,
        interrupt: CancellationToken,
    ) -> (Samples, Result<()>) {
        let mut samples = Samples::default();
        for _ in 0..rounds {
            let round = async {
                // As idle as a store is between two elections.
                let mut rest = || time::sleep(Duration::from_millis(rng.random_range(40..160)));
                rest().await;
                {
                    let _booking = calendar.now(Self::HANDOVER).await;
                    self.take(&mut samples).await?;
                }
                rest().await;
                let _booking = calendar.now(Self::HANDOVER).await;
                if crash {
                    self.crash(&mut samples).await
                } else {
                    self.hand_over(&mut samples).await
                }
            };
            let done = tokio::select! {
                done = round => done,
                () = interrupt.cancelled() => break,
            };
            if let Err(error) = done {
                return (samples, Err(error.context("floor")));
            }
        }
        (samples, Ok(()))
    }

    async fn hand_over(&mut self, samples: &mut Samples) -> Result<()> {
        self.holder.tell("release").await?;
        let released = number(&self.expect("released", HOLDER).await?, "t")?;
        self.acquired(released, samples).await?;
        // So that it can take the lease by one write.
        self.holder.tell("look").await?;
        self.expect("looked", HOLDER).await?;
        Ok(())
    }

    async fn crash(&mut self, samples: &mut Samples) -> Result<()> {
        let killed = self.holder.signal(Signal::KILL)?;
        self.acquired(killed, samples).await?;
        self.holder.ended(Self::PATIENCE).await?;
        self.forget();
        let arguments = ["--url", &self.url, "--role", "holder"].map(str::to_owned);
        self.holder = Process::start(&self.program, &arguments, HOLDER, self.say.clone())?;
        self.expect("ready", HOLDER).await?;
        Ok(())
    }

    async fn acquired(&mut self, from: u64, samples: &mut Samples) -> Result<()> {
        let acquired = number(&self.expect("acquired", STANDBY).await?, "t")?;
        samples.whole.push(acquired.cast_signed() - from.cast_signed());
        Ok(())
    }

    /// What was said until now is of no interest.
    fn forget(&mut self) {
        while self.said.try_recv().is_ok() {}
        self.unheard.clear();
    }

    async fn take(&mut self, samples: &mut Samples) -> Result<()> {
        self.forget();
        self.holder.tell("take").await?;
        let held = self.expect("held", HOLDER).await?;
        let (sent, t) = (number(&held, "sent")?, number(&held, "t")?);
        samples.acquisition.push(t.cast_signed() - sent.cast_signed());
        self.expect("seen", STANDBY).await?;
        Ok(())
    }

    /// Waits until one of them says this.
    async fn expect(&mut self, event: &str, who: usize) -> Result<Value> {
        let said = |(by, value): &(usize, Value)| *by == who && value["event"] == event;
        if let Some(at) = self.unheard.iter().position(said) {
            return Ok(self.unheard.swap_remove(at).1);
        }
        let heard = time::timeout(Self::PATIENCE, async {
            loop {
                match self.said.recv().await {
                    Some(Said { who, line: Some(line) }) => {
                        let said_now = (who, serde_json::from_str(&line).unwrap_or_default());
                        if said(&said_now) {
                            return Ok(said_now.1);
                        }
                        self.unheard.push(said_now);
                    }
                    Some(Said { who: by, line: None }) if by != who => {}
                    _ => bail!("it ended"),
                }
            }
        });
        let problem = match heard.await {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("not within {:?}", Self::PATIENCE),
        };
        let process = if who == HOLDER { &self.holder } else { &self.standby };
        bail!(
            "the floor's process {who} did not say {event:?}: {problem}; {}",
            process.complaints()
        )
    }
}

/// What a pair measured.
#[derive(Debug, Default)]
pub(crate) struct Samples {
    pub(crate) whole: Vec<i64>,
    pub(crate) acquisition: Vec<i64>,
}

fn number(value: &Value, field: &str) -> Result<u64> {
    value[field].as_u64().with_context(|| format!("no {field:?} in {value}"))
}
