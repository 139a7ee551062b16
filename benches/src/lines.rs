use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

/// The lines of a process that may write anything: bytes that are no text, or a line without end.
pub(crate) struct Lines<R> {
    from: BufReader<R>,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    /// What a line has beyond this is left out: no line that is of use is half as long.
    const LONGEST: usize = 64 * 1024;

    pub(crate) fn new(from: R) -> Self {
        Self { from: BufReader::new(from) }
    }

    /// The next line without its end, or none at the end of the stream or where it breaks off.
    pub(crate) async fn next(&mut self) -> Option<String> {
        let mut line = Vec::new();
        loop {
            let bytes = self.from.fill_buf().await.ok()?;
            if bytes.is_empty() {
                return (!line.is_empty()).then(|| text(&line));
            }
            let end = bytes.iter().position(|byte| *byte == b'\n');
            let part = &bytes[..end.unwrap_or(bytes.len())];
            let room = Self::LONGEST - line.len();
            line.extend_from_slice(&part[..part.len().min(room)]);
            let used = end.map_or(part.len(), |end| end + 1);
            self.from.consume(used);
            if end.is_some() {
                return Some(text(&line));
            }
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn endless_and_unreadable_lines_do_not_hide_the_ones_after_them() {
        let mut bytes = vec![b'x'; 1_000_000];
        bytes.extend_from_slice(b"\n\xff\xfe\n\nlast");
        let mut lines = Lines::new(&bytes[..]);
        assert_eq!(lines.next().await.unwrap().len(), Lines::<&[u8]>::LONGEST);
        assert_eq!(lines.next().await.unwrap(), "\u{fffd}\u{fffd}");
        assert_eq!(lines.next().await.unwrap(), "");
        assert_eq!(lines.next().await.unwrap(), "last");
        assert_eq!(lines.next().await, None);
    }
}
