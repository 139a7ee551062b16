use std::{
    io,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Why a connection ended, where its bytes say so: the client library says no more than that it did.
pub(crate) type Failure = Arc<OnceLock<Arc<io::Error>>>;

trait Bytes: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Bytes for S {}

/// The bytes of a connection, that tell when they end: the client library lets go of them then,
/// and says it to nobody before the next request fails.
pub(crate) struct Stream {
    bytes: Box<dyn Bytes>,
    failure: Failure,
    _ended: DropGuard,
}

impl Stream {
    pub(crate) fn new(
        bytes: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        ended: CancellationToken,
        failure: Failure,
    ) -> Self {
        Self { bytes: Box::new(bytes), failure, _ended: ended.drop_guard() }
    }

    fn noted<T>(&self, done: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        done.map_err(|error| {
            let kind = error.kind();
            let _ = self.failure.set(Arc::new(error));
            kind.into()
        })
    }

    /// Who does not listen any more has perhaps said why (that he wants a certificate, for one), and
    /// has in any case closed his side: so there is something to be read, now or soon.
    fn written<T>(
        &mut self,
        cx: &mut Context<'_>,
        done: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if matches!(done, Poll::Ready(Err(_))) {
            let mut bytes = [0; 1024];
            let mut words = ReadBuf::new(&mut bytes);
            let read = Pin::new(&mut self.bytes).poll_read(cx, &mut words);
            if self.noted(read).is_pending() {
                return Poll::Pending;
            }
        }
        self.noted(done)
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.bytes).poll_read(cx, buffer);
        self.noted(read)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.bytes).poll_write(cx, bytes);
        self.written(cx, done)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.bytes).poll_write_vectored(cx, slices);
        self.written(cx, done)
    }

    fn is_write_vectored(&self) -> bool {
        self.bytes.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let done = Pin::new(&mut self.bytes).poll_flush(cx);
        self.written(cx, done)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.bytes).poll_shutdown(cx)
    }
}
