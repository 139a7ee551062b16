use std::{
    collections::HashMap,
    io::{self, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use crate::Proxy;

/// A member says at once whom it wants.
const LIMIT: Duration = Duration::from_secs(5);

/// An HTTP proxy for one client, which names by CONNECT whom it wants to reach: there is a link to each.
#[derive(Debug)]
pub(super) struct Exchange {
    address: SocketAddr,
    links: Arc<HashMap<String, Proxy>>,
    closed: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Exchange {
    /// With these links, each to whom has this name (`host:port`).
    pub(super) fn start(links: HashMap<String, Proxy>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let (links, closed) = (Arc::new(links), Arc::new(AtomicBool::new(false)));
        let (routes, until) = (links.clone(), closed.clone());
        let keep = move || {
            for client in listener.incoming() {
                if until.load(Ordering::SeqCst) {
                    return;
                }
                // Whoever does not say whom he wants in time is gone, or frozen.
                let _ = client.and_then(|client| connect(client, &routes));
            }
        };
        let thread = thread::Builder::new().name("leasehold-exchange".to_owned()).spawn(keep)?;
        Ok(Self { address, links, closed, thread: Some(thread) })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn link(&self, name: &str) -> Option<&Proxy> {
        self.links.get(name)
    }

    pub(super) fn links(&self) -> impl Iterator<Item = &Proxy> {
        self.links.values()
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::SeqCst);
        // Wakes it.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn connect(mut client: TcpStream, links: &HashMap<String, Proxy>) -> io::Result<()> {
    client.set_read_timeout(Some(LIMIT))?;
    let head = head(&mut client)?;
    let wanted = head.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next());
    let Some(link) = wanted.and_then(|wanted| links.get(wanted)) else {
        return client.write_all(b"HTTP/1.1 403 Forbidden\r\n\r\n");
    };
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
    link.carry(client)
}

/// All before the empty line. Nothing comes after it before there is an answer.
fn head(client: &mut TcpStream) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte)?;
        head.extend(byte);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}
