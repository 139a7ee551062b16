use std::{
    error, fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::{
    FutureExt,
    future::{BoxFuture, Shared, ready},
};
use http::{HeaderValue, Request, Response, header::AUTHORIZATION};
use kube::client::{Body, middleware::AuthLayer};
use tokio::{task, time};
use tower::{BoxError, Layer, ServiceExt, service_fn};

/// A token is renewed a minute before its end: so long does a call wait for the next one, and then it
/// goes with the last.
const PATIENCE: Duration = Duration::from_millis(50);

/// A plugin for credentials that expire.
///
/// The client library runs it inside of the call that finds its token to be near its end, and once
/// more for each call that comes after one which did not wait for it. Here it runs for itself, one at
/// a time, and whoever needs a token waits for that one.
pub(crate) struct Plugin {
    auth: AuthLayer,
    asked: Mutex<Asked>,
}

#[derive(Default)]
struct Asked {
    asking: Option<Asking>,
    last: Option<HeaderValue>,
}

type Asking = Shared<BoxFuture<'static, Result<HeaderValue, Failed>>>;

impl Plugin {
    pub(crate) fn new(auth: AuthLayer) -> Arc<Self> {
        Arc::new(Self { auth, asked: Mutex::default() })
    }

    /// What shows the apiserver who this is.
    ///
    /// # Errors
    /// There is no token yet, and the plugin gives none.
    pub(crate) async fn header(self: &Arc<Self>) -> Result<HeaderValue, BoxError> {
        let (asking, last) = {
            let mut asked = self.asked();
            let asking = match &asked.asking {
                Some(asking) if asking.peek().is_none() => asking.clone(),
                _ => asked.asking.insert(self.ask()).clone(),
            };
            (asking, asked.last.clone())
        };
        match last {
            None => Ok(asking.await?),
            // If it has expired, the apiserver says so, and all is read again.
            Some(last) => Ok(match time::timeout(PATIENCE, asking).await {
                Ok(Ok(header)) => header,
                Ok(Err(_)) | Err(_) => last,
            }),
        }
    }

    /// In a task, which goes on when nobody waits for it any more.
    fn ask(self: &Arc<Self>) -> Asking {
        let headers = service_fn(|request: Request<Body>| {
            let mut response = Response::new(());
            *response.headers_mut() = request.into_parts().0.headers;
            ready(Ok::<_, BoxError>(response))
        });
        let shown: BoxFuture<'static, Result<_, BoxError>> =
            self.auth.layer(headers).oneshot(Request::new(Body::empty())).boxed();
        let plugin = self.clone();
        let task = task::spawn(shown.map(move |shown| {
            let header = shown?.headers_mut().remove(AUTHORIZATION).ok_or("it gives no token")?;
            plugin.asked().last = Some(header.clone());
            Ok::<_, BoxError>(header)
        }));
        let done = task.map(|done| match done {
            Ok(asked) => asked.map_err(|error| Failed(error.into())),
            Err(error) => Err(Failed(Arc::new(error))),
        });
        done.boxed().shared()
    }

    fn asked(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An error of which several are told.
#[derive(Clone, Debug)]
struct Failed(Arc<dyn error::Error + Send + Sync>);

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the plugin for credentials failed")
    }
}

impl error::Error for Failed {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        Some(&*self.0)
    }
}
