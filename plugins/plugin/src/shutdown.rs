//! The request to end.

use std::io;

/// Resolves when the process gets SIGINT or SIGTERM (Ctrl-C elsewhere than on Unix).
///
/// # Errors
/// When the system refuses to install a signal handler.
#[cfg(unix)]
pub async fn shutdown() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

/// Resolves when the process gets SIGINT or SIGTERM (Ctrl-C elsewhere than on Unix).
///
/// # Errors
/// When the system refuses to install a signal handler.
#[cfg(not(unix))]
pub async fn shutdown() -> io::Result<()> {
    tokio::signal::ctrl_c().await
}
