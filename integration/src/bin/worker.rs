//! A process that leads, and says what happens to it: `worker WHAT URL`.
//!
//! | WHAT | its work |
//! |---|---|
//! | `await` | acts every millisecond while it is current |
//! | `block` | blocks the only thread of its runtime, and acts without asking: a bug |

use std::{io::Write, thread, time::Duration};

use leasehold::{Candidate, Elector, Error, Leading, connect};
use leasehold_integration::{now, timing};
use tokio_util::sync::CancellationToken;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, what, url] = arguments.as_slice() else { panic!("worker WHAT URL") };
    let work = match what.as_str() {
        "await" => awaiting,
        "block" => blocking,
        other => panic!("unknown: {other}"),
    };
    let elector =
        Elector::new(connect(url).await?, Candidate::new("worker")?).with_timing(timing());
    let run = elector.run(CancellationToken::new(), |lead| {
        say(format_args!("began {}", lead.token()));
        let what = lead.clone();
        // A thread that nobody drops asks as soon as it wakes from a freeze.
        thread::spawn(move || tell_when_woken(&what));
        async move {
            let _dropped = Dropped;
            work(lead).await;
            Ok(())
        }
    });
    run.await
}

type Work = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

fn awaiting(lead: Leading) -> Work {
    Box::pin(async move {
        loop {
            let at = now();
            if lead.is_current() {
                say(format_args!("acted {at}"));
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
}

fn blocking(_lead: Leading) -> Work {
    Box::pin(async {
        loop {
            say(format_args!("acted {}", now()));
            thread::sleep(Duration::from_millis(1));
        }
    })
}

fn tell_when_woken(lead: &Leading) {
    let mut last = now();
    while lead.end().is_none() {
        thread::sleep(Duration::from_millis(1));
        let woke = now();
        if woke - last > timing().lease_duration().as_nanos() as u64 {
            say(format_args!("woke {}", lead.is_current()));
            return;
        }
        last = woke;
    }
}

fn say(what: std::fmt::Arguments<'_>) {
    // One write for each line, so that lines of two threads are never mixed.
    let line = format!("{what}\n");
    let mut out = std::io::stdout().lock();
    // Nobody reads any more: the test has ended, and this process is about to be killed.
    let _ = out.write_all(line.as_bytes()).and_then(|()| out.flush());
}

struct Dropped;

impl Drop for Dropped {
    fn drop(&mut self) {
        say(format_args!("dropped"));
    }
}
