//! One copy of a service, as a manager runs it: `replica NAME URL LOG WHAT`. It stands for the lease of
//! the URL, and its reconciler writes to the fenced log at the socket LOG.
//!
//! | WHAT | its reconciler |
//! |---|---|
//! | `work` | appends while it is current, and ends when it is asked to |
//! | `drain` | goes on for a while after it was asked to stop |
//! | `deaf` | ignores that it is asked to stop |
//! | `block` | blocks its thread, and acts without asking: a bug |
//! | `exit` | as `work`, and the process ends with its leadership |
//! | `stuck` | as `work`; a server beside it never lets go of its thread: a bug |
//!
//! What it is told on standard input: `step-down`. What it says: `NANOSECONDS WHAT`.

use std::{
    borrow::Cow,
    error::Error,
    io::{BufRead, Write},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use async_trait::async_trait;
use leasehold::{
    Leading, Status, Timing, connect,
    manager::{BoxError, Func, Group, Manager, OnLoss, Runnable, Scope, stop_signals},
};
use leasehold_integration::{LogClient, now};
use tokio::time;

/// What its queue holds when it is warm.
const OBJECTS: u64 = 100;
/// How often it acts.
const STEP: Duration = Duration::from_millis(5);
/// How long it takes to drain.
const DRAIN: Duration = Duration::from_millis(400);
const GRACEFUL_STOP: Duration = Duration::from_secs(2);

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, name, url, log, what] = arguments.as_slice() else {
        panic!("replica NAME URL LOG WHAT")
    };
    let shutdown = stop_signals()?;
    let manager = Manager::builder(name)
        .with_lease("jobs", connect(url).await?)
        .with_timing(Timing::fast())
        .with_graceful_stop(GRACEFUL_STOP)
        .on_loss(if what == "exit" { OnLoss::Exit } else { OnLoss::default() })
        .build()?;
    let stuck = what == "stuck";
    let server = Func::everywhere("server", move |scope| serve(scope, stuck));
    manager.add(server.in_group(Group::Servers))?;
    let (what, log) = (what.clone(), log.clone());
    manager.add(Reconciler { what, name: name.clone(), log, queue: Arc::default() })?;

    let orders = tokio::runtime::Handle::current();
    let ordered = manager.clone();
    thread::spawn(move || {
        for order in std::io::stdin().lock().lines().map_while(Result::ok) {
            assert_eq!(order, "step-down");
            let ordered = ordered.clone();
            orders.spawn(async move { ordered.step_down("jobs").await });
        }
    });
    if let Some(mut status) = manager.status("jobs") {
        tokio::spawn(async move {
            while let Some(status) = status.changed().await {
                if let Status::Following { leader: Some(leader) } = status {
                    say(format_args!("follows {leader}"));
                }
            }
        });
    }
    say(format_args!("ready"));
    let ended = manager.start(shutdown).await;
    match &ended {
        Ok(()) => say(format_args!("ended")),
        Err(error) => say(format_args!("failed: {error}")),
    }
    Ok(ended?)
}

async fn serve(scope: Scope, stuck: bool) -> Result<(), BoxError> {
    say(format_args!("server starts"));
    scope.stopping().await;
    if stuck {
        loop {
            thread::park();
        }
    }
    say(format_args!("server ends"));
    Ok(())
}

struct Reconciler {
    what: String,
    name: String,
    log: String,
    queue: Arc<Mutex<Vec<u64>>>,
}

#[async_trait]
impl Runnable for Reconciler {
    fn name(&self) -> Cow<'_, str> {
        "reconciler".into()
    }

    async fn warm_up(&self, _: Scope) -> Result<(), BoxError> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).extend(0..OBJECTS);
        say(format_args!("warm"));
        Ok(())
    }

    async fn start(&self, scope: Scope) -> Result<(), BoxError> {
        let lead = scope.leading()?;
        let token = lead.token();
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner).len();
        say(format_args!("reconciler starts {token} {queue}"));
        let _ends = Ends(token.number());
        // Its token is shown before it works: from here on no older one passes.
        let mut log = LogClient::open(&self.log, &self.name, token).await?;
        match self.what.as_str() {
            "block" => loop {
                say(format_args!("acted"));
                thread::sleep(STEP);
            },
            "deaf" => loop {
                append_while_current(lead, &mut log).await?;
            },
            _ => {
                while !scope.is_stopping() {
                    append_while_current(lead, &mut log).await?;
                }
            }
        }
        if self.what == "drain" {
            say(format_args!("draining"));
            let until = time::Instant::now() + DRAIN;
            while time::Instant::now() < until {
                append_while_current(lead, &mut log).await?;
            }
        }
        Ok(())
    }
}

async fn append_while_current(lead: &Leading, log: &mut LogClient) -> Result<(), BoxError> {
    if lead.is_current() {
        log.append().await?;
    }
    time::sleep(STEP).await;
    Ok(())
}

struct Ends(u64);

impl Drop for Ends {
    fn drop(&mut self) {
        say(format_args!("reconciler ends {}", self.0));
    }
}

fn say(what: std::fmt::Arguments<'_>) {
    // One write for each line, so that lines of two threads are never mixed.
    let line = format!("{} {what}\n", now());
    let mut out = std::io::stdout().lock();
    // Nobody reads any more: the test has ended, and this process is about to be killed.
    let _ = out.write_all(line.as_bytes()).and_then(|()| out.flush());
}
