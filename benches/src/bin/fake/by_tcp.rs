use std::{collections::VecDeque, time::Duration};

use anyhow::{Context, Result};
use leasehold_bench::{ContenderOptions, monotonic};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    time::{self, MissedTickBehavior},
};

use crate::say_at;

/// What it believes in while it leads.
struct Term {
    token: u64,
    /// When the request that was confirmed last had left.
    sent: u64,
}

/// Asks the toy store for the lease again and again, and leads while the answer is yes. One that is
/// stubborn works on until it is told no.
pub(crate) async fn campaign(
    address: &str,
    name: &str,
    stubborn: bool,
    options: &ContenderOptions,
) -> Result<()> {
    let lease = options.timing.lease.as_nanos() as u64;
    let (stops_after, valid_for) = (lease / 10 * 7, lease / 10 * 8);
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (answers, mut requests) = stream.into_split();
    let mut answers = BufReader::new(answers).lines();
    let mut unanswered = VecDeque::new();
    let mut term: Option<Term> = None;
    say_at(monotonic(), "ready", "");
    let mut ticks = time::interval(Duration::from_millis(5));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {
                let now = monotonic();
                if let Some(ended) = term.take_if(|term| !stubborn && now > term.sent + stops_after) {
                    stop(&ended, now, "lapsed");
                }
                // One that leads renews, answered or not.
                if term.is_some() || unanswered.is_empty() {
                    let sent = monotonic();
                    unanswered.push_back(sent);
                    say_at(sent, "sending", "");
                    let request = format!("{name} {} {lease}\n", options.id);
                    requests.write_all(request.as_bytes()).await?;
                }
            }
            answer = answers.next_line() => {
                let answer = answer?.context("the toy store has gone")?;
                let sent = unanswered.pop_front().context("an answer to nothing")?;
                let now = monotonic();
                match answer.parse() {
                    Ok(token) if now < sent + stops_after => {
                        let until = sent + valid_for;
                        say_at(now, "renewed", &format!(",\"sent\":{sent},\"until\":{until}"));
                        if term.replace(Term { token, sent }).is_none() {
                            say_at(monotonic(), "start", &format!(",\"token\":{token}"));
                        }
                    }
                    // Too late to lead by it.
                    Ok(_) => {}
                    Err(_) => {
                        if let Some(ended) = term.take() {
                            stop(&ended, now, "lost");
                        }
                    }
                }
            }
        }
    }
}

fn stop(term: &Term, now: u64, why: &str) {
    let token = term.token;
    say_at(now, "stop", &format!(",\"token\":{token},\"last\":{now},\"why\":\"{why}\""));
}
