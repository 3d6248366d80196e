//! The HTTP server: HTTP/1.1 on a UNIX socket and, if asked, on a loopback port.
//!
//! One thread serves all. Every connection has a limit on its requests' heads, on the time for one, and on
//! its own life, and there are at most [`CONNECTIONS_MAX`]: more wait in the kernel's queue.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, header};
use hyper_util::rt::{TokioIo, TokioTimer};
use libhw::io::footprint;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::Shared;
use super::route::{self, Answer, Asked, Door};
use crate::log;
use crate::work::lock;

pub(crate) mod socket;

use socket::Socket;

/// So many connections at once; more wait in the kernel's queue until one ends.
const CONNECTIONS_MAX: usize = 32;

/// A request's head comes within this time, an idle connection included.
const HEAD_TIME: Duration = Duration::from_secs(5);

/// A connection asks for nothing new after this time, and is dropped after twice of it: a client that does
/// not read its answer holds a place and memory.
const CONNECTION_TIME: Duration = Duration::from_secs(30);

/// How long the requests in progress have to end when the agent stops.
const STOP_TIME: Duration = Duration::from_secs(2);

/// After so long without a request the code that answered is given back.
const QUIET_TIME: Duration = Duration::from_secs(1);

/// The largest head of a request: line and headers.
const HEAD_BYTES: usize = 16 << 10;

/// So many headers a request has at most.
const HEADERS_MAX: usize = 64;

/// Why the agent cannot be asked.
#[derive(Debug, Error)]
pub(crate) enum Error {
    /// The UNIX socket.
    #[error(transparent)]
    Socket(#[from] socket::Error),
    /// The loopback port.
    #[error("cannot listen on {address}")]
    Listen {
        address: SocketAddr,
        source: io::Error,
    },
}

/// The sockets, before anybody is answered.
#[derive(Debug)]
pub(crate) struct Doors {
    unix: Socket,
    loopback: Option<TcpListener>,
}

impl Doors {
    /// Opens them; only the address of a loopback port may be passed.
    pub(crate) fn open(socket: &Path, listen: Option<SocketAddr>) -> Result<Self, Error> {
        let unix = Socket::bind(socket)?;
        let bind = |address| {
            let listener = TcpListener::bind(address)?;
            listener.set_nonblocking(true)?;
            Ok(listener)
        };
        let loopback = listen
            .map(|address| bind(address).map_err(|source| Error::Listen { address, source }))
            .transpose()?;
        Ok(Self { unix, loopback })
    }
}

/// Answers requests until `stop` turns true, and then ends those in progress. Runs on the calling thread.
pub(crate) fn serve(
    doors: Doors,
    shared: &Arc<Shared>,
    stop: &watch::Receiver<bool>,
) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .max_blocking_threads(2)
        .thread_stack_size(256 << 10)
        .thread_keep_alive(Duration::from_millis(200))
        .build()?;
    let served = runtime.block_on(run(doors, shared, stop));
    // A disk that hangs holds a thread; the agent stops all the same.
    runtime.shutdown_timeout(Duration::from_millis(200));
    served
}

async fn run(doors: Doors, shared: &Arc<Shared>, stop: &watch::Receiver<bool>) -> io::Result<()> {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let unix = tokio::net::UnixListener::from_std(doors.unix.listener()?)?;
    let loopback = doors
        .loopback
        .map(tokio::net::TcpListener::from_std)
        .transpose()?;
    let context = |door| Visit {
        shared: Arc::clone(shared),
        stop: stop.clone(),
        door,
    };
    tokio::spawn({
        let shared = Arc::clone(shared);
        async move {
            loop {
                shared.api_wake.notified().await;
                shared.api.answer();
            }
        }
    });
    tokio::spawn(tidy(Arc::clone(shared)));
    let accepting = tokio::spawn(accept(unix, Arc::clone(&places), context(Door::Unix)));
    let accepting_tcp = loopback.map(|listener| {
        tokio::spawn(accept(
            listener,
            Arc::clone(&places),
            context(Door::Loopback),
        ))
    });
    let _ = stop.clone().wait_for(|stop| *stop).await;
    accepting.abort();
    if let Some(accepting) = accepting_tcp {
        accepting.abort();
    }
    // All places free means that all connections have ended.
    let all = u32::try_from(CONNECTIONS_MAX).unwrap_or(u32::MAX);
    if tokio::time::timeout(STOP_TIME, places.acquire_many(all))
        .await
        .is_err()
    {
        log::warning!("some requests did not end within {STOP_TIME:?}");
    }
    drop(doors.unix);
    Ok(())
}

/// What a connection needs to know.
#[derive(Clone)]
struct Visit {
    shared: Arc<Shared>,
    stop: watch::Receiver<bool>,
    door: Door,
}

/// A socket that connections come from.
trait Listener: Send + Sync {
    /// A connection.
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// Waits for the next one.
    fn next(&self) -> impl Future<Output = io::Result<Self::Stream>> + Send;
}

impl Listener for tokio::net::UnixListener {
    type Stream = tokio::net::UnixStream;

    async fn next(&self) -> io::Result<Self::Stream> {
        Ok(self.accept().await?.0)
    }
}

impl Listener for tokio::net::TcpListener {
    type Stream = tokio::net::TcpStream;

    async fn next(&self) -> io::Result<Self::Stream> {
        Ok(self.accept().await?.0)
    }
}

async fn accept(listener: impl Listener, places: Arc<Semaphore>, visit: Visit) {
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        match listener.next().await {
            Ok(stream) => {
                tokio::spawn(connection(stream, place, visit.clone()));
            }
            Err(error) => {
                // Out of descriptors, most likely: some will be given back.
                super::count(&visit.shared.counters.connections_refused);
                log::warning!("a connection could not be accepted: {error}");
                drop(place);
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn connection<S>(stream: S, place: OwnedSemaphorePermit, visit: Visit)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut stop = visit.stop.clone();
    let service = service_fn(|request| respond(request, visit.clone()));
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIME)
            .max_buf_size(HEAD_BYTES)
            .max_headers(HEADERS_MAX)
            .serve_connection(TokioIo::new(stream), service)
    );
    let mut ending = pin!(async move {
        let stopped = async move { stop.wait_for(|stop| *stop).await.map(drop) };
        let _ = tokio::time::timeout(CONNECTION_TIME, stopped).await;
    });
    let mut told = false;
    let until_end = poll_fn(|cx| {
        if !told && ending.as_mut().poll(cx).is_ready() {
            told = true;
            connection.as_mut().graceful_shutdown();
        }
        connection.as_mut().poll(cx)
    });
    // What a client does to its own connection is no news.
    let _ = tokio::time::timeout(CONNECTION_TIME * 2, until_end).await;
    drop(place);
    visit.shared.parted.notify_one();
}

/// Gives back the memory of the code that answered, whenever there was nobody to answer for a while.
async fn tidy(shared: Arc<Shared>) {
    loop {
        shared.parted.notified().await;
        while tokio::time::timeout(QUIET_TIME, shared.parted.notified())
            .await
            .is_ok()
        {}
        if let Err(error) = footprint::release_code() {
            log::debug!("no memory could be given back: {error}");
        }
    }
}

async fn respond(
    request: Request<Incoming>,
    visit: Visit,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let started = Instant::now();
    let asked = Asked {
        door: visit.door,
        method: request.method(),
        path: request.uri().path(),
        query: request.uri().query().unwrap_or_default(),
        host: request.headers().get(header::HOST),
    };
    let (path, answer) = route::answer(&visit.shared, &asked).await;
    let status = answer.status.as_u16();
    {
        let mut requests = lock(&visit.shared.counters.requests);
        let (count, time) = requests.entry((path, status)).or_default();
        *count += 1;
        *time += started.elapsed();
    }
    log::debug!(
        "{} {path}: {status} in {:?}",
        request.method(),
        started.elapsed()
    );
    Ok(response(answer))
}

fn response(answer: Answer) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(answer.body)));
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    response
}
