//! Our side of a conversation: a telephone, and everything that has been noted of its call.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use housecall::sip::TlsOptions;
use housecall::softphone::{
    Dial, Ended, Event, Key, MediaTarget, Noted, SoftCall, SoftEvent, Softphone, SoftphoneOptions,
    Sound, Traced, Voice, Way,
};
use housecall::{Country, Number, Outcome, Trunk};
use housecall_phone::Route;
use housecall_sip::Peer;
use housecall_sip::digest::Credentials;
use tokio::time::timeout;

use crate::certificates::{NAME, TRUSTED};
use crate::front::OUR_NAME;
use crate::sipp::Sipp;
use crate::wire::Wire;

/// Nothing that a test waits for takes longer.
const LIMIT: Duration = Duration::from_secs(20);

/// A telephone in a call.
pub(crate) struct Caller {
    call: SoftCall,
    notes: Vec<Noted>,
    /// How many notes the test has looked at.
    seen: usize,
    phone: Softphone,
}

/// A tone that somebody says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tone {
    pub(crate) hertz: f32,
    pub(crate) dbfs: f32,
}

/// What our telephones say.
pub(crate) const OUR_TONE: Tone = Tone {
    hertz: 440.0,
    dbfs: -12.0,
};

impl Tone {
    /// Whether this frequency and level are its own. Gaps, which a busy machine leaves, make it up to 6 dB softer.
    pub(crate) fn is_heard(self, heard: Option<(f32, f32)>) -> bool {
        heard.is_some_and(|(hertz, dbfs)| {
            (hertz - self.hertz).abs() < 5.0 && (-6.0..1.0).contains(&(dbfs - self.dbfs))
        })
    }
}

/// The realm, user and password of the scenarios that challenge.
pub(crate) fn credentials() -> Credentials {
    Credentials::new("housecall", "open sesame").for_realm("carrier.test")
}

/// The trunk that every scenario plays.
pub(crate) fn trunk() -> Trunk {
    Trunk::new("peer", "carrier.test").with_credentials(credentials())
}

/// A call over `trunk` by these peers, in order.
pub(crate) fn dial_to(trunk: Trunk, peers: &[Peer]) -> Dial {
    let trunk = Arc::new(trunk);
    let routes = peers
        .iter()
        .map(|peer| Route::new(Arc::clone(&trunk), *peer));
    let nowhere = ([0, 0, 0, 0], 0).into();
    let number = |text| Number::parse(text, Country::Au).unwrap();
    // No two calls of a test may be taken for one.
    static CALLS: AtomicU64 = AtomicU64::new(1);
    let seed = CALLS.fetch_add(1, Ordering::Relaxed) << 32 | u64::from(std::process::id());
    Dial::new(
        routes.collect(),
        number("02 5550 0142"),
        number("0491 570 006"),
        nowhere,
        nowhere,
        seed,
    )
}

/// A telephone with a tone for a voice. Over TLS it expects the carrier's name of every peer, and has a certificate to show.
pub(crate) fn telephone(wire: Wire, dial: &Dial) -> SoftphoneOptions {
    let mut options = SoftphoneOptions {
        ip: wire.ip(),
        voice: Voice::Tone {
            hertz: OUR_TONE.hertz,
        },
        ..SoftphoneOptions::default()
    };
    if wire == Wire::Tls {
        let peers = dial.routes.iter().map(|route| route.peer);
        options.tls_names = peers.map(|peer| (peer, NAME.parse().unwrap())).collect();
        options.sip.tls = TlsOptions {
            public_roots: false,
            roots_pem: TRUSTED.root_pem(),
            own: Some(TRUSTED.certify(OUR_NAME)),
        };
    }
    options
}

impl Caller {
    /// Rings the carrier that SIPp plays, with a tone for a voice.
    pub(crate) async fn dial(sipp: &Sipp) -> Self {
        Self::dial_with(sipp, |_| {}).await
    }

    /// The same after `change`.
    pub(crate) async fn dial_with(sipp: &Sipp, change: impl FnOnce(&mut Dial)) -> Self {
        let mut dial = dial_to(trunk(), &[sipp.peer()]);
        change(&mut dial);
        Self::dial_over(sipp.wire(), dial).await
    }

    pub(crate) async fn dial_over(wire: Wire, dial: Dial) -> Self {
        Self::dial_as(telephone(wire, &dial), dial).await
    }

    pub(crate) async fn dial_as(options: SoftphoneOptions, dial: Dial) -> Self {
        let phone = Softphone::bind(options).await.unwrap();
        let call = phone.dial(dial).await.unwrap();
        Self {
            call,
            notes: Vec::new(),
            seen: 0,
            phone,
        }
    }

    /// Where our SIP comes from.
    pub(crate) fn address(&self) -> SocketAddr {
        self.phone.local()
    }

    pub(crate) fn hang_up(&self) {
        self.call.hang_up();
    }

    pub(crate) fn hold(&self) {
        self.call.hold();
    }

    pub(crate) fn press(&self, key: char) {
        self.call.press(Key::new(key).unwrap());
    }

    pub(crate) fn resume(&self) {
        self.call.resume();
    }

    pub(crate) fn sound(&self) -> Sound {
        self.call.sound()
    }

    /// Waits for the first note, from the last one waited for, that is wanted.
    pub(crate) async fn until(
        &mut self,
        what: &str,
        wanted: impl Fn(&SoftEvent) -> bool,
    ) -> SoftEvent {
        let found = timeout(LIMIT, self.find(wanted)).await;
        match found {
            Ok(Some(found)) => found,
            Ok(None) => panic!("the call is over without: {what}\n{}", self.told()),
            Err(_) => panic!("in vain: {what}\n{}", self.told()),
        }
    }

    async fn find(&mut self, wanted: impl Fn(&SoftEvent) -> bool) -> Option<SoftEvent> {
        loop {
            while let Some(note) = self.notes.get(self.seen) {
                self.seen += 1;
                if wanted(&note.what) {
                    return Some(note.what.clone());
                }
            }
            let note = self.call.next().await?;
            self.notes.push(note);
        }
    }

    pub(crate) async fn until_event(
        &mut self,
        what: &str,
        wanted: impl Fn(&Event) -> bool,
    ) -> Event {
        let found = self.until(
            what,
            |note| matches!(note, SoftEvent::Phone(event) if wanted(event)),
        );
        match found.await {
            SoftEvent::Phone(event) => event,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn rings(&mut self) {
        self.until_event("ringing", |event| *event == Event::Ringing)
            .await;
    }

    /// Whether we have been told that it rings, in what has been noted so far.
    pub(crate) fn has_rung(&self) -> bool {
        let mut events = self.notes.iter();
        events.any(|note| matches!(note.what, SoftEvent::Phone(Event::Ringing)))
    }

    pub(crate) async fn early_media(&mut self) -> MediaTarget {
        let is_early = |event: &Event| matches!(event, Event::EarlyMedia(_));
        match self.until_event("early media", is_early).await {
            Event::EarlyMedia(target) => target,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn answered(&mut self) {
        self.until_event("an answer", |event| matches!(event, Event::Answered(_)))
            .await;
    }

    pub(crate) async fn held(&mut self) {
        self.until_event("hold", |event| *event == Event::Held)
            .await;
    }

    pub(crate) async fn resumed(&mut self) {
        self.until_event("the end of the hold", |event| *event == Event::Resumed)
            .await;
    }

    /// Waits for the end, which has to be this one.
    pub(crate) async fn ended(&mut self, outcome: Outcome) -> Ended {
        let end = self
            .until_event("an end", |event| matches!(event, Event::Ended(_)))
            .await;
        let Event::Ended(ended) = end else {
            panic!("{end:?}")
        };
        assert_eq!(ended.outcome, outcome, "{ended:?}\n{}", self.told());
        ended
    }

    /// Waits until the call, which has ended, owes the network nothing any more.
    pub(crate) async fn owes_nothing(&mut self) {
        let rest = timeout(LIMIT, self.find(|_| false)).await;
        assert!(rest.is_ok(), "it still owes something\n{}", self.told());
    }

    /// Waits for a message that we send.
    pub(crate) async fn sends(&mut self, method: &str) -> Traced {
        let wanted = |note: &SoftEvent| matches!(note, SoftEvent::Sip(trace) if trace.way == Way::Sent && trace.method() == Some(method));
        sip(self.until(&format!("that we send {method}"), wanted).await)
    }

    /// Waits for a status that we send.
    pub(crate) async fn replies(&mut self, status: u16) -> Traced {
        let wanted = |note: &SoftEvent| matches!(note, SoftEvent::Sip(trace) if trace.way == Way::Sent && trace.status() == Some(status));
        sip(self.until(&format!("that we reply {status}"), wanted).await)
    }

    /// Waits for a message of theirs.
    pub(crate) async fn hears(&mut self, start: &str) -> Traced {
        let wanted = |note: &SoftEvent| matches!(note, SoftEvent::Sip(trace) if trace.way == Way::Received && trace.start_line().starts_with(start));
        sip(self.until(&format!("that we hear {start}"), wanted).await)
    }

    /// How many requests of a method we have sent, repetitions apart, in what has been noted so far.
    pub(crate) fn sent(&self, method: &str) -> usize {
        let branches: BTreeSet<_> = self
            .sendings(method)
            .map(|trace| trace.header("Via"))
            .collect();
        branches.len()
    }

    /// The same with the repetitions.
    pub(crate) fn sendings(&self, method: &str) -> impl Iterator<Item = &Traced> {
        self.notes.iter().filter_map(move |note| match &note.what {
            SoftEvent::Sip(trace) if trace.way == Way::Sent => {
                (trace.method() == Some(method)).then_some(trace)
            }
            _ => None,
        })
    }

    /// Waits until the last second was this tone.
    pub(crate) async fn hears_tone(&self, tone: Tone) {
        let is_it = |sound: Sound| tone.is_heard(sound.frequency_hz.zip(sound.level_dbfs));
        let heard = async {
            while !is_it(self.sound()) {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let heard = timeout(LIMIT, heard).await;
        assert!(heard.is_ok(), "no {tone:?}: {:?}", self.sound());
    }

    /// Waits until that many packets of sound have come.
    pub(crate) async fn hears_packets(&self, packets: u64) {
        let enough = async {
            while self.sound().stats.from_phone.received < packets {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let heard = timeout(LIMIT, enough).await;
        assert!(
            heard.is_ok(),
            "silence: {:?}\n{}",
            self.sound(),
            self.told()
        );
    }

    /// Everything so far, for whoever has to find out why.
    fn told(&self) -> String {
        let line = |note: &Noted| match &note.what {
            SoftEvent::Sip(trace) => format!(
                "{:>7.3} {} {}\n{}",
                note.at.as_secs_f32(),
                trace,
                trace.peer.addr,
                trace.text
            ),
            other => format!("{:>7.3} {other:?}\n", note.at.as_secs_f32()),
        };
        self.notes.iter().map(line).collect()
    }
}

fn sip(event: SoftEvent) -> Traced {
    match event {
        SoftEvent::Sip(trace) => trace,
        other => panic!("{other:?}"),
    }
}
