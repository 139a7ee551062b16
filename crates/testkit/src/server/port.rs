use std::{
    io,
    net::{Ipv4Addr, SocketAddr, UdpSocket},
};

use rand::RngExt;

/// A port of 127.0.0.1 that no other test takes, not even while its server is down.
///
/// Its owner holds the UDP port of the same number, which the system gives to one process at a time
/// and takes back when that ends, and which no TCP server minds. Other programs may hold the TCP
/// port; its server then says so when it is started.
#[derive(Debug)]
pub(crate) struct Port {
    number: u16,
    _reserved: UdpSocket,
}

impl Port {
    pub(crate) fn reserve() -> io::Result<Self> {
        let mut refused = None;
        for _ in 0..1_000 {
            // Below what Linux hands out to connections: a client that tries to reach a server that
            // is down would now and then be given the very port that it is calling, and keep it.
            let number = rand::rng().random_range(20_000..32_000);
            match UdpSocket::bind((Ipv4Addr::LOCALHOST, number)) {
                Ok(_reserved) => return Ok(Self { number, _reserved }),
                Err(error) => refused = Some(error),
            }
        }
        Err(refused.unwrap_or_else(|| io::ErrorKind::AddrInUse.into()))
    }

    #[cfg(feature = "redis")]
    pub(crate) fn number(&self) -> u16 {
        self.number
    }

    pub(crate) fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.number).into()
    }
}
