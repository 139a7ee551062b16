use std::{env, path::Path, path::PathBuf, sync::Arc, sync::Mutex};

use anyhow::{Context, Result, anyhow};
use chromiumoxide::{
    BrowserConfig,
    cdp::{
        browser_protocol::{
            emulation::{MediaFeature, SetDeviceMetricsOverrideParams, SetEmulatedMediaParams},
            log::EventEntryAdded,
            network::{EnableParams, EventRequestWillBeSent},
            page::CaptureScreenshotFormat,
        },
        js_protocol::runtime::{ConsoleApiCalledType, EventConsoleApiCalled, EventExceptionThrown},
    },
    page::ScreenshotParams,
};
use futures::StreamExt as _;
use serde::de::DeserializeOwned;
use tempfile::TempDir;
use tokio::task::JoinHandle;

/// A Chromium without a window, that shows a report. It ends with this.
#[derive(Debug)]
pub struct Browser {
    chromium: chromiumoxide::Browser,
    handler: JoinHandle<()>,
    _profile: TempDir,
}

/// How a page is looked at.
#[derive(Clone, Copy, Debug)]
pub struct View {
    /// In CSS pixels.
    pub width: u32,
    /// In CSS pixels.
    pub height: u32,
    /// Device pixels to a CSS pixel.
    pub sharpness: f64,
    /// What is preferred: the dark colours, or the light ones.
    pub dark: bool,
}

/// A page that is open.
#[derive(Debug)]
pub struct Page {
    page: chromiumoxide::Page,
    heard: Heard,
    listeners: Vec<JoinHandle<()>>,
}

/// What a page complained of, and what it asked for.
type Heard = Arc<Mutex<Vec<String>>>;

/// Says what to do.
const HELP: &str = "`integration/setup chromium` finds or installs one, eval \"$(integration/setup chromium)\" makes it known, \
    and LEASEHOLD_CHROMIUM may name another";

impl Browser {
    /// Starts the one that `LEASEHOLD_CHROMIUM` names, or else the first on the `PATH`.
    ///
    /// # Errors
    /// There is none, or it does not start.
    pub async fn start() -> Result<Self> {
        let program = program().with_context(|| format!("there is no Chromium: {HELP}"))?;
        let profile = TempDir::new().context("could not make a directory for a profile")?;
        // Without a window there is nothing to compute with a GPU; in a container /dev/shm is small.
        let mut config = BrowserConfig::builder()
            .chrome_executable(&program)
            .user_data_dir(profile.path())
            .args(["disable-gpu", "disable-dev-shm-usage", "hide-scrollbars"]);
        // Chromium has no sandbox for root.
        if rustix::process::geteuid().is_root() {
            config = config.no_sandbox();
        }
        let config = config.build().map_err(|why| anyhow!("Chromium cannot be set up: {why}"))?;
        let (chromium, mut handler) = chromiumoxide::Browser::launch(config)
            .await
            .with_context(|| format!("the Chromium {} did not start: {HELP}", program.display()))?;
        // Until it is gone. Messages that are newer than the protocol that is known here are no harm.
        let handler = tokio::spawn(async move { while handler.next().await.is_some() {} });
        Ok(Self { chromium, handler, _profile: profile })
    }

    /// Opens a file.
    ///
    /// # Errors
    /// It does not load.
    pub async fn open(&self, file: &Path, view: View) -> Result<Page> {
        let page = self.chromium.new_page("about:blank").await?;
        let page =
            Page { page, heard: Heard::default(), listeners: Vec::new() }.listening().await?;
        page.look(view).await?;
        let file =
            file.canonicalize().with_context(|| format!("there is no {}", file.display()))?;
        let url = url::Url::from_file_path(&file).map_err(|()| anyhow!("{file:?} is no path"))?;
        page.page.goto(url.as_str()).await.context("the page did not load")?;
        page.page.wait_for_navigation().await?;
        Ok(page)
    }

    /// Ends it, and waits until it has ended.
    ///
    /// # Errors
    /// It does not listen.
    pub async fn close(mut self) -> Result<()> {
        self.chromium.close().await?;
        self.chromium.wait().await?;
        self.handler.await.context("the listener broke")
    }
}

impl Page {
    /// Looks at it in another way.
    ///
    /// # Errors
    /// The page is gone.
    pub async fn look(&self, view: View) -> Result<()> {
        let View { width, height, sharpness, dark } = view;
        let (width, height) = (i64::from(width), i64::from(height));
        let phone = width < 600;
        let metrics = SetDeviceMetricsOverrideParams::new(width, height, sharpness, phone);
        self.page.execute(metrics).await?;
        let scheme = if dark { "dark" } else { "light" };
        let features = vec![MediaFeature::new("prefers-color-scheme", scheme)];
        let media = SetEmulatedMediaParams::builder().features(features).build();
        self.page.execute(media).await?;
        Ok(())
    }

    /// What an expression is there.
    ///
    /// # Errors
    /// It throws, or is of another type.
    pub async fn value<T: DeserializeOwned>(&self, expression: &str) -> Result<T> {
        let value = self.page.evaluate_expression(expression).await;
        let value = value.with_context(|| format!("of {expression}"))?;
        value.into_value().with_context(|| format!("of {expression}"))
    }

    /// Leaves what is to be seen first: the headline, and the charts of a resignation and of a freeze.
    ///
    /// # Errors
    /// The page is gone.
    pub async fn shorten(&self) -> Result<()> {
        let shorten = "document.documentElement.classList.toggle('picture', true)";
        self.value::<bool>(shorten).await.map(drop)
    }

    /// Presses a key, as somebody does who has no mouse.
    ///
    /// # Errors
    /// Nothing on the page has such a name.
    pub async fn press(&self, selector: &str, key: &str) -> Result<()> {
        self.page.find_element(selector).await?.focus().await?.press_key(key).await?;
        Ok(())
    }

    /// Clicks.
    ///
    /// # Errors
    /// Nothing on the page has such a name.
    pub async fn click(&self, selector: &str) -> Result<()> {
        self.page.find_element(selector).await?.scroll_into_view().await?.click().await?;
        Ok(())
    }

    /// A picture (PNG) of all of it, however high it is.
    ///
    /// # Errors
    /// The page is gone.
    pub async fn picture(&self, view: View) -> Result<Vec<u8>> {
        self.look(view).await?;
        let height = self.value("document.documentElement.scrollHeight").await?;
        self.look(View { height, ..view }).await?;
        let format = ScreenshotParams::builder().format(CaptureScreenshotFormat::Png);
        Ok(self.page.screenshot(format.build()).await?)
    }

    /// What it has complained of until now, and what it has asked the network for.
    pub fn heard(&self) -> Vec<String> {
        self.heard.lock().map(|heard| heard.clone()).unwrap_or_default()
    }

    async fn listening(mut self) -> Result<Self> {
        self.page.execute(EnableParams::default()).await?;
        self.page.enable_log().await?;
        self.page.enable_runtime().await?;
        self.listen::<EventExceptionThrown>(|event| {
            Some(format!("exception: {:?}", event.exception_details))
        })
        .await?;
        self.listen::<EventEntryAdded>(|event| Some(format!("log: {}", event.entry.text))).await?;
        self.listen::<EventConsoleApiCalled>(|event| {
            let calm = matches!(
                event.r#type,
                ConsoleApiCalledType::Log
                    | ConsoleApiCalledType::Info
                    | ConsoleApiCalledType::Debug
            );
            (!calm).then(|| format!("console: {:?}", event.args))
        })
        .await?;
        self.listen::<EventRequestWillBeSent>(|event| {
            let url = &event.request.url;
            let here = ["file:", "data:", "about:"].iter().any(|scheme| url.starts_with(scheme));
            (!here).then(|| format!("request: {url}"))
        })
        .await?;
        Ok(self)
    }

    async fn listen<E>(&mut self, hear: fn(&E) -> Option<String>) -> Result<()>
    where
        E: chromiumoxide::cdp::IntoEventKind + Send + Sync + Unpin + 'static,
    {
        let mut events = self.page.event_listener::<E>().await?;
        let heard = self.heard.clone();
        self.listeners.push(tokio::spawn(async move {
            while let Some(event) = events.next().await {
                if let (Some(what), Ok(mut heard)) = (hear(&event), heard.lock()) {
                    heard.push(what);
                }
            }
        }));
        Ok(())
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.listeners.iter().for_each(JoinHandle::abort);
    }
}

fn program() -> Option<PathBuf> {
    if let Some(named) = env::var_os("LEASEHOLD_CHROMIUM").filter(|name| !name.is_empty()) {
        return Some(named.into());
    }
    let path = env::var_os("PATH")?;
    let folders: Vec<_> = env::split_paths(&path).collect();
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    let all = names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    all.into_iter().find(|program| program.is_file())
}
