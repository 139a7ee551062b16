use std::{
    fs::File,
    io::{self, BufReader as Reader},
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use leasehold_testkit::kubernetes::Apiserver;
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

/// Stands where an apiserver is expected, shows its certificate, and whatever it is asked it refuses:
/// 503, and to come again in half a minute. Apiservers say 429 where they are asked too much; 503 with a
/// time is what balancers before them say.
pub(crate) struct Refuser {
    pub(crate) address: SocketAddr,
    asked: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl Refuser {
    pub(crate) async fn start(server: &Apiserver) -> Self {
        let acceptor = acceptor(server);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::<AtomicU64>::default();
        let count = asked.clone();
        let task = tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                // Who goes away meanwhile has not asked.
                tokio::spawn(serve(acceptor.clone(), client, count.clone()));
            }
        });
        Self { address, asked, task }
    }

    /// How many requests it has refused.
    pub(crate) fn asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }
}

impl Drop for Refuser {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn acceptor(server: &Apiserver) -> TlsAcceptor {
    let open = |name| Reader::new(File::open(server.run_directory().join(name)).unwrap());
    let chain = CertificateDer::pem_reader_iter(open("server.pem")).collect::<Result<_, _>>();
    let key = PrivateKeyDer::from_pem_reader(open("server.key")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain.unwrap(), key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

async fn serve(acceptor: TlsAcceptor, client: TcpStream, asked: Arc<AtomicU64>) -> io::Result<()> {
    let mut stream = BufReader::new(acceptor.accept(client).await?);
    while read(&mut stream).await? {
        asked.fetch_add(1, Ordering::Relaxed);
        refuse(&mut stream).await?;
    }
    Ok(())
}

/// A request to its end; false where there is none any more.
async fn read(stream: &mut (impl AsyncBufReadExt + Unpin + AsyncRead)) -> io::Result<bool> {
    let mut body = 0;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(false);
        }
        match line.trim_end().split_once(':') {
            Some((name, length)) if name.eq_ignore_ascii_case("content-length") => {
                body = length.trim().parse().unwrap();
            }
            None if line == "\r\n" => break,
            _ => {}
        }
    }
    stream.read_exact(&mut vec![0; body]).await?;
    Ok(true)
}

async fn refuse(stream: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
    let status = r#"{"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 503,
        "reason": "ServiceUnavailable", "message": "it has no time", "details": {"retryAfterSeconds": 30}}"#;
    let length = status.len();
    let answer = format!(
        "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 30\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{status}"
    );
    stream.write_all(answer.as_bytes()).await?;
    stream.flush().await
}
