//! Calls through a server: their legs, and what those noted.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::browser::Offering;
use crate::codec::Codec;
use crate::conductor::Conductor;
use crate::leg::{Coded, LegLog, Mouth};
use crate::network::{Impairment, Network};
use crate::phone::Phone;
use crate::server::Server;
use crate::{FRAME_MS, Result};

/// The first telephone's port.
const PHONE_PORT: u16 = 10_000;

/// What the two sides of every call say.
#[derive(Clone, Debug)]
pub struct Sounds {
    /// The browser's, in its codec.
    pub browser: Arc<[Coded]>,
    /// The telephone's, in PCMU.
    pub phone: Arc<[Coded]>,
}

/// Calls in progress through one server.
#[derive(Debug, Default)]
pub struct Load {
    /// What they say, and until when.
    pub conductor: Conductor,
    calls: Vec<(JoinHandle<LegLog>, JoinHandle<LegLog>)>,
}

/// What the two sides of a call noted.
#[derive(Debug)]
pub struct CallLog {
    /// The browser's.
    pub browser: LegLog,
    /// The telephone's.
    pub phone: LegLog,
}

impl Load {
    /// How many calls there are.
    pub fn calls(&self) -> usize {
        self.calls.len()
    }

    /// Makes one more call, whose legs both send over a network of this badness.
    ///
    /// # Errors
    /// The server refuses.
    pub async fn call(
        &mut self,
        server: &mut Server,
        codec: Codec,
        sounds: &Sounds,
        impairment: Impairment,
        seed: u64,
    ) -> Result<()> {
        let index = u16::try_from(self.calls.len())?;
        let offering = Offering::new(server.browser_ip()?, codec).await?;
        let ip = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let phone = Phone::bind(ip, PHONE_PORT + 2 * index).await?;
        let joined = server.join(&offering.offer, phone.addr()?).await?;
        let mouth = |sounds: &Arc<[Coded]>| {
            let stagger = Duration::from_millis(u64::from(index) * 7 % FRAME_MS);
            Mouth::new(sounds.clone(), self.conductor.clone(), stagger)
        };
        let (up, down) = (
            Network::new(impairment, 2 * seed),
            Network::new(impairment, 2 * seed + 1),
        );
        let conductor = self.conductor.clone();
        let connected = move || conductor.connected();
        let browser = offering.talk(&joined.answer, mouth(&sounds.browser), up, connected)?;
        let phone = phone.talk(joined.phone_peer, mouth(&sounds.phone), down);
        self.calls.push((browser, phone));
        Ok(())
    }

    /// Waits until the browsers of all calls are connected.
    ///
    /// # Errors
    /// They do not connect.
    pub async fn until_connected(&self) -> Result<()> {
        self.conductor.until_connected(self.calls.len()).await
    }

    /// Ends all calls and returns what they noted.
    ///
    /// # Errors
    /// A leg has ended by a fault.
    pub async fn end(self) -> Result<Vec<CallLog>> {
        self.conductor.stop();
        let mut logs = Vec::new();
        for (browser, phone) in self.calls {
            logs.push(CallLog {
                browser: browser.await?,
                phone: phone.await?,
            });
        }
        Ok(logs)
    }
}
