//! Calls through a server: their legs, and what those noted.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::browser::Offering;
use crate::codec::{Codec, Width};
use crate::conductor::Conductor;
use crate::leg::{Coded, LegLog, Mouth};
use crate::network::{Impairment, Network};
use crate::phone::Phone;
use crate::server::Server;
use crate::{FRAME_MS, Result};

/// The first telephone's port.
const PHONE_PORT: u16 = 10_000;

/// How much later than those of the first the frames of a call begin, in milliseconds.
pub fn stagger_ms(call: u64) -> u64 {
    call * 7 % FRAME_MS
}

/// What the two sides of every call say.
#[derive(Clone, Debug)]
pub struct Sounds {
    /// The browser's, in its codec.
    pub browser: Voice,
    /// The telephone's, in PCMU.
    pub phone: Arc<[Coded]>,
}

/// The same sounds in every [`Width`].
#[derive(Clone, Debug)]
pub struct Voice([Arc<[Coded]>; 3]);

impl Voice {
    /// Codes them.
    ///
    /// # Errors
    /// What `coded` says.
    pub fn new(coded: impl Fn(Width) -> Result<Arc<[Coded]>>) -> Result<Self> {
        let [narrow, wide, full] = Width::ALL;
        Ok(Self([coded(narrow)?, coded(wide)?, coded(full)?]))
    }

    /// As a browser that is answered so codes them.
    pub fn answered(&self, answer: &str) -> Arc<[Coded]> {
        let Self([narrow, wide, full]) = self;
        let asked = match Width::asked_by(answer) {
            Width::Narrow => narrow,
            Width::Wide => wide,
            Width::Full => full,
        };
        Arc::clone(asked)
    }
}

/// Calls in progress through one server.
#[derive(Debug, Default)]
pub struct Load {
    /// What they say, and until when.
    pub conductor: Conductor,
    calls: Vec<Legs>,
}

#[derive(Debug)]
struct Legs {
    browser: JoinHandle<LegLog>,
    phone: JoinHandle<LegLog>,
    browser_says: Arc<[Coded]>,
}

/// What the two sides of a call noted.
#[derive(Debug)]
pub struct CallLog {
    /// The browser's.
    pub browser: LegLog,
    /// The telephone's.
    pub phone: LegLog,
    /// The browser's sounds as it coded them.
    pub browser_says: Arc<[Coded]>,
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
            let stagger = Duration::from_millis(stagger_ms(index.into()));
            Mouth::new(sounds.clone(), self.conductor.clone(), stagger)
        };
        let (up, down) = (
            Network::new(impairment, 2 * seed),
            Network::new(impairment, 2 * seed + 1),
        );
        let conductor = self.conductor.clone();
        let connected = move || conductor.connected();
        let browser_says = sounds.browser.answered(&joined.answer);
        let browser = offering.talk(&joined.answer, mouth(&browser_says), up, connected)?;
        let phone = phone.talk(joined.phone_peer, mouth(&sounds.phone), down);
        self.calls.push(Legs {
            browser,
            phone,
            browser_says,
        });
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
        for legs in self.calls {
            logs.push(CallLog {
                browser: legs.browser.await?,
                phone: legs.phone.await?,
                browser_says: legs.browser_says,
            });
        }
        Ok(logs)
    }
}
