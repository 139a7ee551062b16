use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{self, AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
};

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const END_STREAM: u8 = 1;

/// A link of which all goes on but the streams: what is pushed on those that are open when it is made
/// deaf is swallowed. (A request's answer is a stream of HTTP/2, too, which ends with it.)
pub(crate) struct DeafStreams {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// By connection and number: begun, and not ended; and those that are deaf.
    open: Mutex<Vec<(usize, u32)>>,
    deaf: Mutex<Vec<(usize, u32)>>,
    swallowed: AtomicUsize,
}

impl DeafStreams {
    pub(crate) async fn in_front_of(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::<Shared>::default();
        let for_all = shared.clone();
        tokio::spawn(async move {
            for connection in 0.. {
                let (client, _) = listener.accept().await.unwrap();
                let server = TcpStream::connect(server).await.unwrap();
                client.set_nodelay(true).unwrap();
                let (mut questions, to_client) = client.into_split();
                let (answers, mut to_server) = server.into_split();
                let shared = for_all.clone();
                tokio::spawn(async move { shared.pass(connection, answers, to_client).await });
                tokio::spawn(async move { io::copy(&mut questions, &mut to_server).await });
            }
        });
        Self { address, shared }
    }

    pub(crate) fn make_deaf(&self) {
        self.shared.deaf.lock().unwrap().extend(&*self.shared.open.lock().unwrap());
    }

    /// So many messages.
    pub(crate) fn swallowed(&self) -> usize {
        self.shared.swallowed.load(Ordering::Relaxed)
    }
}

impl Shared {
    async fn pass(
        &self,
        connection: usize,
        mut answers: OwnedReadHalf,
        mut client: OwnedWriteHalf,
    ) -> io::Result<()> {
        loop {
            let mut head = [0; 9];
            answers.read_exact(&mut head).await?;
            let [a, b, c, kind, flags, number @ ..] = head;
            let mut body = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
            answers.read_exact(&mut body).await?;
            let stream = (connection, u32::from_be_bytes(number));
            if kind == DATA && self.deaf.lock().unwrap().contains(&stream) {
                self.swallowed.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            if kind == HEADERS {
                let mut open = self.open.lock().unwrap();
                open.retain(|other| *other != stream);
                if flags & END_STREAM == 0 {
                    open.push(stream);
                }
            }
            client.write_all(&[&head[..], &body].concat()).await?;
        }
    }
}
