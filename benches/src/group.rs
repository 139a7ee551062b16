use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result, bail};
use tokio::{
    sync::mpsc::{self, UnboundedReceiver, UnboundedSender},
    time::{self, Instant},
};
use tokio_util::sync::CancellationToken;

use crate::{
    Durations, Event, History, Parsed, monotonic,
    process::{Process, Said},
    program::Program,
    store::{Link, Proxies, without_secret},
};

/// What the contenders of one lease are started with.
#[derive(Clone, Debug)]
pub(crate) struct Cast {
    pub(crate) program: Arc<Program>,
    pub(crate) url: String,
    /// Where each contender goes to the store by way of a proxy of its own.
    pub(crate) link: Option<Link>,
    pub(crate) name: String,
    pub(crate) timing: Durations,
    /// How long a lease is waited for that nobody gives back.
    pub(crate) wait: Duration,
    pub(crate) contenders: usize,
}

/// The contenders of one lease, and what they have told.
#[derive(Debug)]
pub(crate) struct Group {
    cast: Cast,
    members: Vec<Member>,
    /// One for each member, where they go by way of proxies.
    proxies: Vec<Proxies>,
    pub(crate) history: History,
    /// Lines that made no sense, for a warning.
    pub(crate) odd: Vec<String>,
    interrupt: CancellationToken,
    said: UnboundedReceiver<Said>,
    say: UnboundedSender<Said>,
}

#[derive(Debug)]
struct Member {
    process: Process,
    started: u64,
    ready: bool,
    /// It was told to end, or killed.
    leaving: bool,
}

impl Group {
    /// Starts the contenders, and waits until one of them leads and the others stand by.
    pub(crate) async fn start(cast: Cast, interrupt: CancellationToken) -> Result<Self> {
        let (say, said) = mpsc::unbounded_channel();
        let links = cast.link.iter().flat_map(|link| vec![link; cast.contenders]);
        let proxies = links.map(Proxies::start).collect::<Result<_>>();
        let mut group = Self {
            proxies: proxies.context("could not start a proxy")?,
            members: Vec::new(),
            history: History::default(),
            odd: Vec::new(),
            cast,
            interrupt,
            said,
            say,
        };
        for who in 0..group.cast.contenders {
            let member = group.recruit(who)?;
            group.members.push(member);
        }
        // A lease that was never held, or was left by an earlier run, has to be waited out.
        let within = group.cast.wait * 4 + Duration::from_secs(10);
        group.settled(within).await?;
        Ok(group)
    }

    pub(crate) fn process(&mut self, who: usize) -> &mut Process {
        &mut self.members[who].process
    }

    /// The link of a contender that goes by way of a proxy.
    pub(crate) fn proxies(&self, who: usize) -> Result<&Proxies> {
        self.proxies.get(who).context("a link can only be cut where there is a proxy")
    }

    /// The contender that leads, where exactly one does.
    pub(crate) fn leader(&self) -> Option<usize> {
        let mut leaders = (0..self.members.len()).filter(|who| self.history.leads(*who));
        let leader = leaders.next()?;
        leaders.next().is_none().then_some(leader)
    }

    /// Waits until exactly one leads and all others are ready; says who leads.
    pub(crate) async fn settled(&mut self, within: Duration) -> Result<usize> {
        let found = self
            .until(within, |group| {
                let ready = group.members.iter().all(|member| member.ready);
                group.leader().filter(|_| ready)
            })
            .await?;
        let leading = (0..self.members.len()).filter(|who| self.history.leads(*who)).count();
        found.with_context(|| {
            format!(
                "after {within:?} {leading} of {} contenders lead and {} are ready; {}",
                self.members.len(),
                self.members.iter().filter(|member| member.ready).count(),
                self.complaints(),
            )
        })
    }

    /// Listens until something is found in what was told, or the time is over.
    ///
    /// # Errors
    /// A contender ended that was not told to, or the run was interrupted.
    pub(crate) async fn until<T>(
        &mut self,
        within: Duration,
        mut find: impl FnMut(&Self) -> Option<T>,
    ) -> Result<Option<T>> {
        let deadline = Instant::now() + within;
        loop {
            if let Some(found) = find(self) {
                return Ok(Some(found));
            }
            tokio::select! {
                said = self.said.recv() => match said {
                    Some(said) => self.hear(said).await?,
                    None => bail!("nobody is left to say anything"),
                },
                () = time::sleep_until(deadline) => return Ok(None),
                () = self.interrupt.cancelled() => bail!("interrupted"),
            }
        }
    }

    /// Listens for so long.
    pub(crate) async fn listen(&mut self, duration: Duration) -> Result<()> {
        self.until(duration, |_| None::<()>).await.map(drop)
    }

    /// A contender was told to end, or killed: waits for it and starts another in its place.
    pub(crate) async fn replace(&mut self, who: usize) -> Result<()> {
        self.members[who].leaving = true;
        let patience = self.cast.timing.lease + Duration::from_secs(2);
        self.members[who].process.ended(patience).await?;
        self.catch_up().await?;
        self.members[who] = self.recruit(who)?;
        Ok(())
    }

    /// Hears what was said while nobody listened.
    pub(crate) async fn catch_up(&mut self) -> Result<()> {
        while let Ok(said) = self.said.try_recv() {
            self.hear(said).await?;
        }
        Ok(())
    }

    /// It is known to be about to end: its silence is no trouble.
    pub(crate) fn expect_end(&mut self, who: usize) {
        self.members[who].leaving = true;
    }

    /// Tells all to end, and hears what they still have to say.
    pub(crate) async fn disperse(&mut self) {
        self.proxies.iter().for_each(Proxies::heal);
        for member in &mut self.members {
            member.leaving = true;
            member.process.hang_up();
            // One that is frozen cannot notice.
            let _ = member.process.signal(rustix::process::Signal::CONT);
        }
        let patience = self.cast.timing.lease + Duration::from_secs(2);
        futures::future::join_all(
            self.members.iter_mut().map(|member| member.process.ended(patience)),
        )
        .await;
        while let Ok(said) = self.said.try_recv() {
            let _ = self.hear(said).await;
        }
    }

    /// What may be the reason that nothing came of it, for an error message: lines that made no sense,
    /// and what the contenders complained of.
    pub(crate) fn complaints(&self) -> String {
        let odd = match self.odd.first() {
            Some(first) => format!("{} lines were odd, the first: {first}", self.odd.len()),
            None => "no line was odd".into(),
        };
        let each = self.members.iter().enumerate();
        let each =
            each.map(|(who, member)| format!("\ncontender {who}: {}", member.process.complaints()));
        each.fold(odd, |all, one| all + &one)
    }

    fn recruit(&self, who: usize) -> Result<Member> {
        let Cast { program, url, name, timing, .. } = &self.cast;
        let url = self.proxies.get(who).map_or(url, |proxies| &proxies.url);
        let arguments = [
            "--url".into(),
            url.clone(),
            "--id".into(),
            format!("{name}-{who}"),
            "--timing".into(),
            timing.to_string(),
            "--trace".into(),
        ];
        let own = program.arguments.iter().map(ToString::to_string);
        let arguments: Vec<_> = arguments.into_iter().chain(own).collect();
        Ok(Member {
            started: monotonic(),
            process: Process::start(&program.path, &arguments, who, self.say.clone())?,
            ready: false,
            leaving: false,
        })
    }

    async fn hear(&mut self, Said { who, line }: Said) -> Result<()> {
        let Some(line) = line else { return self.fell_silent(who).await };
        match Parsed::of(&line) {
            // Instants of another clock would make nonsense of everything that follows from them.
            Parsed::Event(t, _) if t < self.members[who].started || t > monotonic() => {
                self.odd
                    .push(format!("its \"t\" is not CLOCK_MONOTONIC in nanoseconds: {line:.200}"));
            }
            Parsed::Event(_, Event::Start { token: None }) if !self.cast.program.is_peer => {
                self.odd.push(format!("a leader that tells no token: {line:.200}"));
            }
            Parsed::Event(t, event) => {
                self.members[who].ready |= matches!(event, Event::Ready);
                self.history.record(who, t, &event);
            }
            Parsed::Unknown => {}
            Parsed::Odd(why) => self.odd.push(why),
        }
        Ok(())
    }

    async fn fell_silent(&mut self, who: usize) -> Result<()> {
        let member = &mut self.members[who];
        if member.leaving {
            return Ok(());
        }
        member.leaving = true;
        let status = member.process.ended(Duration::from_secs(1)).await?;
        bail!(
            "contender {who} ended by itself ({status}); {}\n(started as {} --url {} --timing {})",
            member.process.complaints(),
            self.cast.program.path.display(),
            without_secret(&self.cast.url),
            self.cast.timing,
        )
    }
}
