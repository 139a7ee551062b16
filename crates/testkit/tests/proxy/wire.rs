use std::{
    io::{ErrorKind, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    thread,
    time::Duration,
};

use leasehold_testkit::Proxy;

/// A server, a link to it, and both ends of one connection over it.
pub(crate) struct Wire {
    pub(crate) server: TcpListener,
    pub(crate) link: Proxy,
    pub(crate) near: TcpStream,
    pub(crate) far: TcpStream,
}

impl Wire {
    pub(crate) fn new() -> Self {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let link = Proxy::start(server.local_addr().unwrap()).unwrap();
        let near = connect(&link);
        let far = accept(&server);
        Self { server, link, near, far }
    }
}

/// What should come comes at once; a test that waits longer than this has failed.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn connect(link: &Proxy) -> TcpStream {
    let near = TcpStream::connect(link.address()).unwrap();
    near.set_read_timeout(Some(PATIENCE)).unwrap();
    near
}

/// One more connection, which the link has noticed.
pub(crate) fn pass_by(link: &Proxy) -> TcpStream {
    let before = link.accepted();
    let near = connect(link);
    while link.accepted() == before {
        thread::yield_now();
    }
    near
}

pub(crate) fn accept(server: &TcpListener) -> TcpStream {
    let (far, _) = server.accept().unwrap();
    far.set_read_timeout(Some(PATIENCE)).unwrap();
    far
}

pub(crate) fn say(to: &mut TcpStream, words: &str) {
    to.write_all(words.as_bytes()).unwrap();
}

/// The next so many bytes.
pub(crate) fn hear(from: &mut TcpStream, words: &str) {
    let mut heard = vec![0; words.len()];
    from.read_exact(&mut heard).unwrap();
    assert_eq!(String::from_utf8_lossy(&heard), words);
}

/// That nothing comes, neither a byte nor an end, while one would have had ample time.
pub(crate) fn hear_nothing(from: &mut TcpStream) {
    from.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let silence = loop {
        // A read with a timeout is not resumed after a signal, such as that of a child's end.
        match from.read(&mut [0]).unwrap_err() {
            error if error.kind() == ErrorKind::Interrupted => {}
            error => break error,
        }
    };
    assert!(matches!(silence.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{silence}");
    from.set_read_timeout(Some(PATIENCE)).unwrap();
}

/// All that still comes, until the other side closes.
pub(crate) fn hear_close(from: &mut TcpStream) -> String {
    let mut heard = String::new();
    from.read_to_string(&mut heard).unwrap();
    heard
}

/// All that still comes, until a reset.
pub(crate) fn hear_reset(from: &mut TcpStream) -> String {
    let mut heard = Vec::new();
    let end = from.read_to_end(&mut heard).unwrap_err();
    assert_eq!(end.kind(), ErrorKind::ConnectionReset);
    String::from_utf8(heard).unwrap()
}

pub(crate) fn close(what: &TcpStream) {
    what.shutdown(Shutdown::Write).unwrap();
}

/// Closes with a reset: there is something in it that was never read.
pub(crate) fn reset(what: TcpStream) {
    what.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!(what.peek(&mut [0]).unwrap(), 1);
    drop(what);
}
