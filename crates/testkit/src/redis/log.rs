use std::{
    collections::VecDeque,
    io::{self, BufRead, BufReader, Read},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

const LINES: usize = 200;

/// What a server says, read by a thread as it says it.
#[derive(Debug)]
pub(super) struct Log {
    said: Mutex<Said>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Said {
    last: VecDeque<String>,
    ready: bool,
    ended: bool,
}

/// What came first.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Came {
    Ready,
    Ended,
    Nothing,
}

impl Log {
    /// Reads until the end, which is that of the server. It is ready once a line contains this.
    pub(super) fn read(
        source: impl Read + Send + 'static,
        ready: &'static str,
    ) -> io::Result<Arc<Self>> {
        let log = Arc::new(Self { said: Mutex::default(), changed: Condvar::new() });
        let kept = Arc::clone(&log);
        thread::Builder::new().name("redis-log".to_owned()).spawn(move || {
            let mut source = BufReader::new(source);
            let mut line = Vec::new();
            while source.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                kept.add(String::from_utf8_lossy(&line).trim_end().to_owned(), ready);
                line.clear();
            }
            kept.said().ended = true;
            kept.changed.notify_all();
        })?;
        Ok(log)
    }

    fn add(&self, line: String, ready: &str) {
        let mut said = self.said();
        if said.last.len() == LINES {
            said.last.pop_front();
        }
        said.ready |= line.contains(ready);
        said.last.push_back(line);
        drop(said);
        self.changed.notify_all();
    }

    pub(super) fn first_of_ready_and_end(&self, limit: Duration) -> Came {
        let end = Instant::now() + limit;
        let mut said = self.said();
        loop {
            if said.ready {
                return Came::Ready;
            }
            if said.ended {
                return Came::Ended;
            }
            let Some(left) = end.checked_duration_since(Instant::now()) else {
                return Came::Nothing;
            };
            said = self.changed.wait_timeout(said, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// The last that it said.
    pub(super) fn text(&self) -> String {
        self.said().last.iter().map(|line| format!("  {line}\n")).collect()
    }

    fn said(&self) -> MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
