//! Starting and running a gateway.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::future::OptionFuture;
use tidegate_auth::{AdminAuth, TokenError};
use tidegate_bus::{Bus, InProcess, InProcessConfig, Redis, RedisConfig};
use tidegate_hub::{Crew, Definitions, Hub, SystemClock};
use tidegate_protocol::DefinitionError;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::cli::{admin_link, reachable};
use crate::cluster::Messages;
use crate::config::{BusConfig, Config};
use crate::figures::LastMinute;
use crate::front::Front;
use crate::gateway::{Gateway, ToHub};
use crate::http::{Ending, Listener, Places};
use crate::lifecycle::LifecyclePublisher;
use crate::limits::Limits;
use crate::logs::{LogError, Logs, Lost};
use crate::plugins::Plugins;
use crate::publishes::Publishes;
use crate::sampler::History;
use crate::socket::LongPolls;
use crate::stopping::StopSignals;
use crate::trust::{Trust, TrustError};
use crate::{
    api, assets, cluster, descriptors, http, limits, sampler, stopping, system, trust, unix_socket,
};

/// The link printed at start is good for a day.
const START_LINK_SECONDS: u64 = 24 * 3600;

/// How long requests that are being answered have once every socket is closed.
const LAST_REQUESTS: Duration = Duration::from_secs(1);

/// Why the gateway does not start or has stopped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServeError {
    #[error(
        "cannot listen on {address}: {source}; is another gateway running, or choose another --port"
    )]
    Listen {
        address: SocketAddr,
        source: std::io::Error,
    },
    #[error("cannot listen on the Unix socket {path}: {source}; choose another --unix-socket", path = .path.display())]
    UnixSocket {
        path: std::path::PathBuf,
        source: std::io::Error,
    },
    #[error(transparent)]
    Bus(#[from] tidegate_bus::StartError),
    #[error("a channel definition cannot be used: {0}")]
    Definition(#[from] DefinitionError),
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error(transparent)]
    Trust(#[from] TrustError),
    #[error(transparent)]
    Log(#[from] LogError),
    #[error("the threads of --fan-out-threads cannot be started: {0}; ask for fewer")]
    Crew(std::io::Error),
    #[error("the gateway has stopped: {0}")]
    Io(#[from] std::io::Error),
}

/// Seconds since 1970.
pub(crate) fn now_seconds() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}

/// Runs until SIGINT or SIGTERM.
pub(crate) fn serve(config: Config) -> Result<(), ServeError> {
    // Ends last: whatever is said until then is written.
    let logs = Logs::start(&config.logs)?;
    descriptors::raise(&config);
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(run(config, &logs))
}

async fn run(config: Config, logs: &Logs) -> Result<(), ServeError> {
    let address = config.listen;
    let listener = TcpListener::bind(address)
        .await
        .map_err(|source| ServeError::Listen { address, source })?;
    let unix = match &config.unix_socket {
        None => None,
        Some((path, mode)) => {
            let listening = unix_socket::listen(path, *mode);
            let fail = |source| ServeError::UnixSocket {
                path: path.clone(),
                source,
            };
            Some(listening.map_err(fail)?)
        }
    };
    let stopping = CancellationToken::new();
    let gateway = start(config, logs.lost(), stopping.clone()).await?;
    // Before anybody learns that the gateway runs.
    let mut asked_to_stop = StopSignals::catch()?;
    announce(&gateway, listener.local_addr()?)?;
    logs.announce();
    if !assets::are_there() {
        tracing::warn!("this binary was built without the interface; build the front end first");
    }

    let front = Front::new(gateway.clone());
    let serve_at = |listener| {
        http::serve(
            listener,
            front.clone(),
            gateway.places.clone(),
            gateway.ending.clone(),
        )
    };
    let by_port = serve_at(Listener::Tcp(listener));
    // Taken away once nobody listens any more.
    let (by_unix, _unix) = match unix {
        Some((listener, placed)) => (Some(serve_at(Listener::Unix(listener))), Some(placed)),
        None => (None, None),
    };
    let serving = tokio::spawn(async {
        tokio::join!(by_port, OptionFuture::from(by_unix));
    });
    asked_to_stop.came().await;
    gateway.ending.refusing.cancel();
    stopping::drain(&gateway, &mut asked_to_stop).await;
    gateway.ending.closing.cancel();
    let abort = serving.abort_handle();
    if tokio::time::timeout(LAST_REQUESTS, serving).await.is_err() {
        abort.abort();
    }
    stopping::end_actions(&gateway).await;
    stopping::end_bus(&gateway, &stopping).await;
    trust::end(&gateway).await;
    Ok(())
}

/// Puts the parts together and starts what runs beside the sockets.
async fn start(
    config: Config,
    log_lines: Arc<Lost>,
    stopping: CancellationToken,
) -> Result<Arc<Gateway>, ServeError> {
    let (gateway, messages) = assemble(config, log_lines, stopping).await?;
    tokio::spawn(gateway.lifecycle.clone().run());
    tokio::spawn(trust::run(gateway.clone()));
    tokio::spawn(limits::run(gateway.clone()));
    tokio::spawn(system::run_clock(gateway.hub.clone()));
    tokio::spawn(system::run_presence(gateway.hub.clone()));
    tokio::spawn(system::run_idle(gateway.clone()));
    tokio::spawn(cluster::run(gateway.clone(), messages));
    tokio::spawn(sampler::run(gateway.clone()));
    Ok(gateway)
}

/// Puts the parts together. Nothing happens by itself yet, and nobody is let in.
pub(crate) async fn assemble(
    config: Config,
    log_lines: Arc<Lost>,
    stopping: CancellationToken,
) -> Result<(Arc<Gateway>, Messages), ServeError> {
    let (trust, tokens) = Trust::open(&config).await?;
    let definitions = Definitions::new(config.definitions.clone(), config.limits.definitions)?;
    let crew = Crew::new(config.fan_out_threads).map_err(ServeError::Crew)?;
    let hub = Hub::new(
        config.limits.clone(),
        definitions,
        Arc::new(SystemClock::new()),
    );
    let hub = Arc::new(hub.with_crew(crew));
    let (peers, messages) = cluster::inbox(hub.clone());
    let plugins = Plugins::new(config.plugins);
    let sink = Arc::new(ToHub {
        hub: hub.clone(),
        peers,
        plugins: plugins.clone(),
    });
    let bus: Arc<dyn Bus> = match &config.bus {
        BusConfig::InProcess {
            listen,
            password,
            limits,
        } => InProcess::start(
            InProcessConfig {
                limits: *limits,
                password: password.clone().map(|p| p.0),
            },
            *listen,
            sink,
            stopping,
        )?,
        BusConfig::Redis { url } => Redis::start(RedisConfig::new(&url.0), sink, stopping)?,
    };
    let lifecycle = Arc::new(LifecyclePublisher::new(bus.clone(), hub.clone()));
    let gateway = Arc::new(Gateway {
        tokens,
        trust,
        hashing: Arc::new(Semaphore::new(1)),
        admin: AdminAuth::new(
            config.admin_password.as_ref().map(|p| p.0.as_str()),
            now_seconds(),
        ),
        lifecycle,
        limits: Limits::new(config.rates),
        signatures: api::Refusals::default(),
        history: History::default(),
        figures: LastMinute::default(),
        long_polls: LongPolls::default(),
        places: Arc::new(Places::new(config.http)),
        ending: Ending::default(),
        sockets: TaskTracker::new(),
        actions: TaskTracker::new(),
        log_lines,
        publishes: Publishes::new(config.publish),
        plugins,
        started_at: hub.now_ms(),
        hub,
        bus,
        config,
    });
    // What the store defines holds before the first client joins.
    trust::refresh(&gateway).await?;
    Ok((gateway, messages))
}

/// Says where the gateway is, and how an administrator gets in.
fn announce(gateway: &Gateway, address: SocketAddr) -> Result<(), ServeError> {
    use std::fmt::Write as _;
    use std::io::Write as _;
    let mut config = gateway.config.clone();
    config.listen = address;
    let bus = gateway.bus_info();
    let at = bus
        .address
        .map(|address| format!(" at {address}"))
        .unwrap_or_default();
    let mut said = format!(
        "Tidegate {} listens on http://{}\nThe bus is {}{at}\n",
        env!("CARGO_PKG_VERSION"),
        reachable(&config),
        bus.kind
    );
    // Writing to a string cannot fail.
    if !gateway.admin.has_password() {
        let link = AdminAuth::make_link(&gateway.tokens, now_seconds(), START_LINK_SECONDS)?;
        let link = admin_link(&config, &link);
        let _ = writeln!(said, "Administer it (this link works once): {link}");
    }
    if !gateway.config.open_tokens {
        said.push_str(
            "POST /token is for administrators only, since this gateway listens beyond \
             loopback; --open-tokens lets everybody use it\n",
        );
    }
    if let Some((path, _)) = &gateway.config.unix_socket {
        let _ = writeln!(said, "It also listens on unix:{}", path.display());
    }
    let mut out = std::io::stdout().lock();
    // A gateway whose output nobody reads any more still serves.
    let _ = out.write_all(said.as_bytes()).and_then(|()| out.flush());
    Ok(())
}
