//! The bare steps of a handover, with no elector: what the store and the scheduler cost.
//!
//! The holder reads the lease (`look`) and writes it as held (`take`) or free (`release`) when told so by
//! a line on standard input; the standby watches, and acquires what is free or whose holder is proven gone.
//! Not an election: nothing here waits out a lease.

use std::{io::Write, time::Duration};

use clap::{Parser, ValueEnum};
use futures::StreamExt;
use leasehold_bench::monotonic;
use leasehold_core::{
    Candidate, Error, FencingToken, LeaseLock, Observation, RandomPart, Record, Stamp, Swap, Tenure,
};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader, stdin};

#[derive(Parser)]
struct Options {
    #[arg(long)]
    url: String,
    #[arg(long)]
    role: Role,
}

#[derive(Clone, Copy, ValueEnum)]
enum Role {
    Holder,
    Standby,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let done = run(Options::parse()).await;
    if let Err(error) = &done {
        eprintln!("error: {error:#}");
    }
    // What waits for standard input blocks a thread that nobody can wake.
    std::process::exit(i32::from(done.is_err()));
}

async fn run(Options { url, role }: Options) -> anyhow::Result<()> {
    let lock = leasehold::connect(&url).await?;
    let mut writer = Writer { author: RandomPart::random(), attempt: 0 };
    match role {
        Role::Holder => hold(&lock, &mut writer).await,
        Role::Standby => stand_by(&lock, &mut writer).await,
    }
}

async fn hold(lock: &dyn LeaseLock, writer: &mut Writer) -> anyhow::Result<()> {
    let mut seen = lock.observe().await?;
    // A directory keeps its first record for ever: who replaces that one, and is replaced at once, does
    // not know that he has written. Nobody is in haste to replace a lease that is held.
    if seen.record.is_none() {
        writer.write(lock, &seen, true).await?;
        seen = lock.observe().await?;
    }
    say(&json!({"event": "ready", "t": monotonic()}));
    let mut lines = BufReader::new(stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        match line.as_str() {
            "take" => {
                // Whatever is there: nobody works under this lease.
                let sent = loop {
                    let sent = monotonic();
                    match writer.write(lock, &seen, true).await? {
                        Swap::Written(written) => {
                            seen = written;
                            break sent;
                        }
                        Swap::Refused(_) => seen = lock.observe().await?,
                    }
                };
                say(&json!({"event": "held", "sent": sent, "t": monotonic()}));
            }
            "look" => {
                seen = lock.observe().await?;
                say(&json!({"event": "looked", "t": monotonic()}));
            }
            "release" => {
                let before = monotonic();
                if let Swap::Written(written) = writer.write(lock, &seen, false).await? {
                    seen = written;
                    say(&json!({"event": "released", "t": before}));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

async fn stand_by(lock: &dyn LeaseLock, writer: &mut Writer) -> anyhow::Result<()> {
    let mut pushes = lock.watch();
    say(&json!({"event": "ready", "t": monotonic()}));
    let mut input = BufReader::new(stdin()).lines();
    loop {
        let seen = tokio::select! {
            line = input.next_line() => match line? {
                Some(_) => continue,
                None => return Ok(()),
            },
            seen = pushes.next() => seen.ok_or_else(|| anyhow::anyhow!("the watch ended"))??,
        };
        let Some(record) = &seen.record else { continue };
        if record.tenure == Tenure::Free || seen.holder_gone {
            if let Swap::Written(_) = writer.write(lock, &seen, true).await? {
                say(&json!({"event": "acquired", "t": monotonic()}));
            }
        } else if record.stamp.is_some_and(|stamp| stamp.author != writer.author) {
            say(&json!({"event": "seen", "t": monotonic()}));
        }
    }
}

/// Writes records as an elector would.
struct Writer {
    author: RandomPart,
    attempt: u64,
}

impl Writer {
    async fn write(
        &mut self,
        lock: &dyn LeaseLock,
        seen: &Observation,
        held: bool,
    ) -> Result<Swap, Error> {
        self.attempt += 1;
        let last = seen.record.as_ref().map_or(0, |record| record.token.number());
        let token = if held { seen.version.number().max(last + 1) } else { last };
        let name = if held { Some(Candidate::new("floor")?) } else { None };
        let record = Record {
            era: seen.era.clone(),
            token: FencingToken::new(token).unwrap_or_default(),
            lease_duration: Duration::from_secs(1),
            stamp: Some(Stamp { author: self.author, attempt: self.attempt }),
            tenure: match name {
                Some(name) => Tenure::Held { holder: name.name().into() },
                None => Tenure::Free,
            },
        };
        lock.swap(seen, &record).await
    }
}

fn say(line: &Value) {
    // Who does not listen any more has ended, and standard input says so too.
    let _ = std::io::stdout().lock().write_all(format!("{line}\n").as_bytes());
}
