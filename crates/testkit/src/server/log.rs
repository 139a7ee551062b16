use std::{
    collections::VecDeque,
    io::{self, BufRead, BufReader, Read},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

const LINES: usize = 200;

/// What a server says, read as it says it.
#[derive(Debug)]
pub(super) struct Log {
    ready: &'static str,
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
    /// Of a server that is ready once a line contains this.
    pub(super) fn new(ready: &'static str) -> Arc<Self> {
        Arc::new(Self { ready, said: Mutex::default(), changed: Condvar::new() })
    }

    /// Reads until the end, which is that of the server.
    pub(super) fn read(self: &Arc<Self>, source: impl Read + Send + 'static) -> io::Result<()> {
        let log = Arc::clone(self);
        thread::Builder::new().name("server-log".to_owned()).spawn(move || {
            let mut source = BufReader::new(source);
            let mut line = Vec::new();
            while source.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                log.line(String::from_utf8_lossy(&line).trim_end().to_owned());
                line.clear();
            }
            log.end();
        })?;
        Ok(())
    }

    pub(super) fn line(&self, line: String) {
        let mut said = self.said();
        if said.last.len() == LINES {
            said.last.pop_front();
        }
        said.ready |= line.contains(self.ready);
        said.last.push_back(line);
        drop(said);
        self.changed.notify_all();
    }

    pub(super) fn end(&self) {
        self.said().ended = true;
        self.changed.notify_all();
    }

    pub(super) fn first_of_ready_and_end(&self, limit: Duration) -> Came {
        self.first_of(limit, |said| said.ready)
    }

    /// Whether it has said this line, or does in time.
    #[cfg(feature = "containers")]
    pub(super) fn says(&self, line: &str, limit: Duration) -> bool {
        self.first_of(limit, |said| said.last.iter().rev().any(|found| found == line))
            == Came::Ready
    }

    fn first_of(&self, limit: Duration, is_ready: impl Fn(&Said) -> bool) -> Came {
        let said = self.said();
        let waits = |said: &mut Said| !is_ready(said) && !said.ended;
        let waited = self.changed.wait_timeout_while(said, limit, waits);
        let (said, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if is_ready(&said) {
            Came::Ready
        } else if said.ended {
            Came::Ended
        } else {
            Came::Nothing
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
