use std::{
    env,
    fs::{File, OpenOptions},
    io::{self, Write},
    panic::resume_unwind,
    path::Path,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::Duration,
};

use rustix::{
    fs::{CWD, Mode, mkfifoat},
    process::{getgid, getuid},
};
use testcontainers::{
    ContainerAsync, ContainerRequest, GenericImage, ImageExt, TestcontainersError,
    core::{ExecCommand, Mount},
    runners::AsyncRunner,
};
use tokio::{
    io::AsyncBufReadExt,
    runtime::{Builder, Runtime},
};

#[cfg(feature = "etcd")]
use super::tool::Done;
use super::{
    Program,
    directory::{Directory, ORDERS},
    log::Log,
    running::{Running, Start},
};

/// Runs the server for as long as somebody has its orders open: that is this process, however it ends.
///
/// The container outlives the server, so that what it said last is not lost with it.
const SCRIPT: &str = r#"
for name in $1; do program=$(command -v "$name") && break; done
shift
"$program" "$@" </dev/null 2>&1 &
server=$!
{
  while read -r number signal; do
    kill -s "$signal" "$server"
    # It is stopped when the system says so.
    while [ "$signal" = STOP ] && read -r _ _ state _ <"/proc/$server/stat" && [ "$state" != T ]; do :; done
    echo "order $number is done"
  done <orders
  kill -s KILL "$server"
} &
wait "$server"
echo 'the server has ended'
wait
"#;
const ENDED: &str = "the server has ended";
const LIMIT: Duration = Duration::from_secs(10);

/// Docker's, and for as long as this process lives: its client lives on the runtime that it was made on.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let built = Builder::new_multi_thread().worker_threads(1).enable_all().build();
    built.expect("a runtime can be made")
});

/// A server in a container, on the network of the host, and in its own directory by the same name.
#[derive(Debug)]
pub(super) struct Container {
    log: Arc<Log>,
    orders: File,
    ordered: AtomicU32,
    /// None only while it is dropped.
    container: Option<ContainerAsync<GenericImage>>,
}

impl Container {
    pub(super) fn start(program: &Program, start: &Start<'_>) -> Result<Self, TestcontainersError> {
        let orders = orders(start.directory)?;
        let request = request(program, start);
        let log = Log::new(start.launch.ready);
        let heard = Arc::clone(&log);
        let container = outside_of_any_runtime(|| async move {
            let container = request.start().await?;
            let mut lines = container.stdout(true).lines();
            tokio::spawn(async move {
                while let Ok(Some(line)) = lines.next_line().await {
                    if line == ENDED {
                        break;
                    }
                    heard.line(line);
                }
                heard.end();
            });
            Ok::<_, TestcontainersError>(container)
        })?;
        Ok(Self { log, orders, ordered: AtomicU32::new(0), container: Some(container) })
    }

    fn order(&self, signal: &str) -> io::Result<()> {
        let number = self.ordered.fetch_add(1, Ordering::Relaxed);
        (&self.orders).write_all(format!("{number} {signal}\n").as_bytes())?;
        if self.log.says(&format!("order {number} is done"), LIMIT) {
            return Ok(());
        }
        Err(io::ErrorKind::TimedOut.into())
    }
}

impl Running for Container {
    fn log(&self) -> &Arc<Log> {
        &self.log
    }

    fn id(&self) -> Option<u32> {
        None
    }

    fn freeze(&self) -> io::Result<()> {
        self.order("STOP")
    }

    fn thaw(&self) -> io::Result<()> {
        self.order("CONT")
    }

    #[cfg(feature = "etcd")]
    fn tool(&self, name: &'static str, words: &[String]) -> io::Result<Done> {
        let Some(container) = &self.container else { return Err(io::ErrorKind::NotFound.into()) };
        let words = [&[name.to_owned()], words].concat();
        let done = outside_of_any_runtime(|| async {
            let mut done = container.exec(ExecCommand::new(words)).await?;
            let (said, complained) = (done.stdout_to_vec().await?, done.stderr_to_vec().await?);
            let succeeded = done.exit_code().await? == Some(0);
            Ok::<_, TestcontainersError>((succeeded, said, complained))
        });
        let (succeeded, said, complained) = done.map_err(io::Error::other)?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok(Done { succeeded, said: text(&said), complained: text(&complained) })
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        if let Some(container) = self.container.take() {
            let removed = outside_of_any_runtime(|| container.rm());
            if let Err(error) = removed {
                tracing::warn!(%error, "a container may be left");
            }
        }
    }
}

/// The image that the environment names.
fn image(program: &Program) -> (String, String) {
    let image = env::var(program.image).ok().filter(|image| !image.is_empty());
    let image = image.unwrap_or_else(|| program.default_image.to_owned());
    match image.rsplit_once(':') {
        // What follows the colon of a port is a path.
        Some((name, tag)) if !tag.contains('/') => (name.to_owned(), tag.to_owned()),
        _ => (image, "latest".to_owned()),
    }
}

fn request(program: &Program, start: &Start<'_>) -> ContainerRequest<GenericImage> {
    let (name, tag) = image(program);
    let directory = start.directory.path().to_string_lossy();
    let names = program.names.join(" ");
    let words = ["-c", SCRIPT, "leasehold-server", &names].into_iter();
    let words = words.chain(start.launch.arguments.iter().map(String::as_str));
    let mut request = GenericImage::new(name, tag)
        .with_entrypoint("/bin/sh")
        .with_cmd(words)
        .with_network("host")
        // What it writes is to be removed by us.
        .with_user(format!("{}:{}", getuid().as_raw(), getgid().as_raw()))
        .with_working_dir(directory.clone())
        .with_mount(Mount::bind_mount(directory.clone(), directory))
        // Removed also when nobody is left to ask for it.
        .with_host_config_modifier(|config| config.auto_remove = Some(true));
    for pair in &start.launch.environment {
        let pair = pair.to_string_lossy();
        let (name, value) = pair.split_once('=').unwrap_or((&pair, ""));
        if Path::new(value).is_absolute() && Path::new(value).exists() {
            // A library to load before others, for instance.
            request = request.with_mount(Mount::bind_mount(value, value));
        }
        request = request.with_env_var(name, value);
    }
    request
}

/// A pipe with a name, open for reading too: else opening it would wait for its reader.
fn orders(directory: &Directory) -> io::Result<File> {
    let path = directory.path().join(ORDERS);
    match mkfifoat(CWD, &path, Mode::RUSR | Mode::WUSR) {
        Ok(()) | Err(rustix::io::Errno::EXIST) => {}
        Err(errno) => return Err(errno.into()),
    }
    OpenOptions::new().read(true).write(true).open(path)
}

/// Waits for something on Docker's runtime, wherever the caller is.
fn outside_of_any_runtime<T: Send, W: Future<Output = T>>(work: impl FnOnce() -> W + Send) -> T {
    thread::scope(|scope| {
        let done = scope.spawn(|| RUNTIME.block_on(work()));
        done.join().unwrap_or_else(|panic| resume_unwind(panic))
    })
}
