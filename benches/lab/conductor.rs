//! Tells all legs of a measurement what to say, and when to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::Result;

/// How long all browsers together may take to connect.
const CONNECT_LIMIT: Duration = Duration::from_secs(20);

/// What all legs look at before each packet.
#[derive(Clone, Debug, Default)]
pub struct Conductor(Arc<State>);

#[derive(Debug, Default)]
struct State {
    sound: AtomicUsize,
    connected: AtomicUsize,
    stopped: AtomicBool,
}

impl Conductor {
    /// Lets every leg say the sound of this number, from its beginning and over again.
    pub fn play(&self, sound: usize) {
        self.0.sound.store(sound, Ordering::Relaxed);
    }

    /// Which sound is said; none once all is over.
    pub fn sound(&self) -> Option<usize> {
        let stopped = self.0.stopped.load(Ordering::Relaxed);
        (!stopped).then(|| self.0.sound.load(Ordering::Relaxed))
    }

    /// Ends every leg at its next packet.
    pub fn stop(&self) {
        self.0.stopped.store(true, Ordering::Relaxed);
    }

    /// A browser has connected.
    pub fn connected(&self) {
        self.0.connected.fetch_add(1, Ordering::Relaxed);
    }

    /// Waits until so many browsers have connected.
    ///
    /// # Errors
    /// They do not.
    pub async fn until_connected(&self, count: usize) -> Result<()> {
        let limit = Instant::now() + CONNECT_LIMIT;
        loop {
            let connected = self.0.connected.load(Ordering::Relaxed);
            if connected >= count {
                return Ok(());
            }
            if Instant::now() > limit {
                return Err(format!("{connected} of {count} browsers connected").into());
            }
            sleep(Duration::from_millis(10)).await;
        }
    }
}
