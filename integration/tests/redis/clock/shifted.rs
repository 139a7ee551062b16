use std::{
    fs::{self, File},
    os::unix::fs::FileExt,
    path::Path,
    process::Command,
    sync::atomic::{AtomicI64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use leasehold_testkit::redis::{RedisOptions, RedisServer};
use tempfile::TempDir;

const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/servers/clock_shift.c");
const STEP: i64 = 30_000_000;

/// A server whose wall clock can be stepped while it runs. It is always one of this machine's
/// programs.
pub(crate) struct Shifted {
    server: RedisServer,
    /// Holds by how many microseconds its clock is wrong.
    file: File,
    shift: AtomicI64,
    _directory: TempDir,
}

impl Shifted {
    pub(crate) fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let library = directory.path().join("clock_shift.so");
        compile(&library);
        let path = directory.path().join("shift");
        fs::write(&path, 0_i64.to_ne_bytes()).unwrap();
        let options =
            RedisOptions::new().env("LD_PRELOAD", &library).env("LEASEHOLD_CLOCK_SHIFT", &path);
        let server = options.start().unwrap_or_else(|error| panic!("{error}"));
        assert!(
            server.pid().is_some(),
            "this server runs in a container, and its clock cannot be stepped there: the library that does \
             it is made for this machine's programs. Put a redis-server or valkey-server of version 7 or newer \
             on the PATH (or its path in LEASEHOLD_REDIS_SERVER; it may be copied out of the image), and run \
             this test with LEASEHOLD_SERVERS=binary"
        );
        let file = File::options().write(true).open(&path).unwrap();
        Self { server, file, shift: AtomicI64::new(0), _directory: directory }
    }

    pub(crate) fn server(&self) -> &RedisServer {
        &self.server
    }

    /// Half a minute on.
    pub(crate) fn step_forward(&self) {
        self.step(STEP);
    }

    /// Half a minute back.
    pub(crate) fn step_back(&self) {
        self.step(-STEP);
    }

    /// By its own clock, in microseconds.
    pub(crate) fn time(&self) -> i64 {
        let time = "local now = redis.call('TIME'); return now[1] .. string.format('%06d', now[2])";
        self.server.text(&["EVAL", time, "0"]).parse().unwrap()
    }

    fn step(&self, by: i64) {
        let shift = self.shift.fetch_add(by, Ordering::Relaxed) + by;
        self.file.write_all_at(&shift.to_ne_bytes(), 0).unwrap();
        let wrong_by = self.time() - now();
        assert!(
            (wrong_by - shift).abs() < STEP / 2,
            "its clock is wrong by {wrong_by} us, not {shift}: was it built without dynamic linking?"
        );
    }
}

/// By the clock of this machine.
fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros().try_into().unwrap()
}

fn compile(library: &Path) {
    let mut cc = Command::new("cc");
    let compiled = cc.args(["-shared", "-fPIC", "-O2", "-Wall", "-o"]).arg(library).arg(SOURCE);
    let compiled = compiled.output().expect("a C compiler is called `cc`: install gcc or clang");
    let said = String::from_utf8_lossy(&compiled.stderr);
    assert!(compiled.status.success(), "{SOURCE} does not compile:\n{said}");
}
