use std::{io, net::SocketAddr, time::Duration};

use futures::future;
use tokio::net::TcpStream;

/// How long an attempt to connect may take unless set.
///
/// Linux repeats a lost SYN after 1 s, and then after 2, 4 and 8 more. With an attempt each second,
/// a lost packet costs no more than it would anyway, and a link that is healed is used within a
/// second.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// To whichever address of a host is there first: one that swallows packets must not cost the time
/// of the others. What is small is sent at once.
///
/// # Errors
/// To none of them, or there is none.
pub async fn connect(
    addresses: impl IntoIterator<Item = SocketAddr> + Send,
) -> io::Result<TcpStream> {
    let attempts = addresses.into_iter().map(|address| Box::pin(TcpStream::connect(address)));
    let attempts: Vec<_> = attempts.collect();
    if attempts.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "this host has no address"));
    }
    let (stream, _) = future::select_ok(attempts).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}
