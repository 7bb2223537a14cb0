//! The signals that a server answers to: the two that stop it, the one that has it read its files again, and those that it
//! passes over.

use std::pin::pin;

use futures_util::future::select;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::ServeError;

/// The signals of this process, handled from the moment at which this is made.
pub(super) struct Signals {
    pub stop: Stop,
    pub hangup: Signal,
}

/// The signals that stop the server: SIGINT (Ctrl-C) and SIGTERM (from a service manager).
pub(super) struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    pub(super) fn listen() -> Result<Signals, ServeError> {
        let install = |kind| {
            let failed = |error| {
                ServeError::Failed(format!("the signal handlers cannot be installed: {error}"))
            };
            signal(kind).map_err(failed)
        };
        // A process that has once listened to a signal is not ended by it. Nothing is done at these two: tools of other
        // programs send them out of habit.
        drop(install(SignalKind::user_defined1())?);
        drop(install(SignalKind::user_defined2())?);
        Ok(Signals {
            stop: Stop {
                interrupt: install(SignalKind::interrupt())?,
                terminate: install(SignalKind::terminate())?,
            },
            hangup: install(SignalKind::hangup())?,
        })
    }
}

impl Stop {
    pub(super) async fn received(mut self) {
        let (interrupt, terminate) = (self.interrupt.recv(), self.terminate.recv());
        select(pin!(interrupt), pin!(terminate)).await;
    }
}
