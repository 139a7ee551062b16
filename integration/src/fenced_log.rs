//! A resource that checks tokens: a log that numbered work is appended to, over a socket.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use leasehold::{Fence, FencingToken};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    net::{
        UnixListener, UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
};

use crate::within;

const STALE: &str = "stale";

/// What was appended, or refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// By whom.
    pub name: String,
    /// In which term.
    pub token: FencingToken,
    /// Which piece of work it was.
    pub number: u64,
}

/// The log, as the resource has it.
#[derive(Clone, Debug)]
pub struct FencedLog {
    socket: PathBuf,
    state: Arc<Mutex<State>>,
    /// How many entries there are.
    length: watch::Sender<usize>,
}

#[derive(Debug, Default)]
struct State {
    fence: Fence,
    entries: Vec<Entry>,
    refused: Vec<Entry>,
}

impl FencedLog {
    /// A log that listens at this socket, until the runtime ends.
    ///
    /// # Panics
    /// If it cannot listen there.
    pub fn listen(socket: PathBuf) -> Self {
        let listener = UnixListener::bind(&socket).expect("a socket");
        let log = Self { socket, state: Arc::default(), length: watch::Sender::default() };
        let served = log.clone();
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let served = served.clone();
                // Who is killed in the middle of a line has not asked for anything.
                tokio::spawn(async move { served.serve(connection).await });
            }
        });
        log
    }

    /// Where it listens.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// What was appended.
    pub fn entries(&self) -> Vec<Entry> {
        self.state().entries.clone()
    }

    /// What was refused, for its token was old.
    pub fn refused(&self) -> Vec<Entry> {
        self.state().refused.clone()
    }

    /// Waits until so many entries of this term are there.
    ///
    /// # Panics
    /// If they never are.
    pub async fn has(&self, token: FencingToken, entries: usize) {
        let mut length = self.length.subscribe();
        let there = |_: &usize| {
            self.state().entries.iter().rev().filter(|one| one.token == token).count() >= entries
        };
        let what = format!("{entries} entries of the term {token}");
        within(&what, "", length.wait_for(there)).await.expect("the sender is here");
    }

    async fn serve(&self, connection: UnixStream) -> io::Result<()> {
        let (read, mut write) = connection.into_split();
        let mut lines = BufReader::new(read).lines();
        while let Some(line) = lines.next_line().await? {
            let answer = self.answer(&line).ok_or(io::ErrorKind::InvalidData)?;
            write.write_all(format!("{answer}\n").as_bytes()).await?;
        }
        Ok(())
    }

    /// The check of the token, and what follows it, are one step.
    fn answer(&self, line: &str) -> Option<String> {
        let mut words = line.split(' ');
        let name = words.next()?.to_owned();
        let token = FencingToken::new(words.next()?.parse().ok()?)?;
        let number = words.next().map(|number| number.parse().ok());
        let mut state = self.state();
        let admitted = state.fence.admit(token).is_ok();
        let Some(number) = number else {
            let last = state.entries.last().map_or(0, |entry| entry.number);
            return Some(if admitted { last.to_string() } else { STALE.to_owned() });
        };
        let entry = Entry { name, token, number: number? };
        if !admitted {
            state.refused.push(entry);
            return Some(STALE.to_owned());
        }
        state.entries.push(entry);
        let length = state.entries.len();
        drop(state);
        self.length.send_replace(length);
        Some(String::new())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The log, as a leader has it.
#[derive(Debug)]
pub struct LogClient {
    name: String,
    token: FencingToken,
    last: u64,
    lines: Lines<BufReader<OwnedReadHalf>>,
    write: OwnedWriteHalf,
}

impl LogClient {
    /// Shows the token of a new term, and reads which work was done last.
    ///
    /// # Errors
    /// The token is stale, or the log does not answer.
    pub async fn open(
        socket: impl AsRef<Path> + Send,
        name: &str,
        token: FencingToken,
    ) -> io::Result<Self> {
        let connection = UnixStream::connect(socket.as_ref()).await?;
        let (read, write) = connection.into_split();
        let lines = BufReader::new(read).lines();
        let mut log = Self { name: name.to_owned(), token, last: 0, lines, write };
        let last = log.ask(&format!("{name} {token}\n")).await?;
        log.last = last.parse().map_err(|_| io::ErrorKind::InvalidData)?;
        Ok(log)
    }

    /// Appends the next piece of work.
    ///
    /// # Errors
    /// The token is stale, or the log does not answer.
    pub async fn append(&mut self) -> io::Result<()> {
        let Self { name, token, last, .. } = self;
        let line = format!("{name} {token} {}\n", *last + 1);
        self.ask(&line).await?;
        self.last += 1;
        Ok(())
    }

    async fn ask(&mut self, line: &str) -> io::Result<String> {
        self.write.write_all(line.as_bytes()).await?;
        let answer = self.lines.next_line().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
        if answer == STALE {
            return Err(io::Error::other("the token is stale"));
        }
        Ok(answer)
    }
}
