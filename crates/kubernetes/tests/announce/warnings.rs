//! What is warned of, by anybody in this process.

use std::{
    io,
    sync::{LazyLock, Mutex},
};

use tracing_subscriber::filter::LevelFilter;

static SAID: Mutex<Vec<u8>> = Mutex::new(Vec::new());

static LISTENING: LazyLock<()> = LazyLock::new(|| {
    tracing_subscriber::fmt()
        .with_max_level(LevelFilter::WARN)
        .with_ansi(false)
        .with_writer(|| Listener)
        .init();
});

struct Listener;

impl io::Write for Listener {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        SAID.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// To be called before anything may be warned of.
pub(crate) fn listen() {
    LazyLock::force(&LISTENING);
}

/// Those that have all of these words in them.
pub(crate) fn with(words: &[&str]) -> Vec<String> {
    let said = String::from_utf8_lossy(&SAID.lock().unwrap()).into_owned();
    let lines = said.lines().filter(|line| words.iter().all(|word| line.contains(word)));
    lines.map(str::to_owned).collect()
}
