//! One phone call on its shard: the bridge, its RTP ports, and what the caller of the API sees of it.

use std::time::Instant;

use housecall_bridge::{Bridge, BridgeEvent, Input, MediaStats, Output};
use housecall_meter::Fact;
use housecall_phone::{Ended, Outcome};
use tokio::sync::{oneshot, watch};

use super::outbox::Outbox;
use super::rtp::{Port, RtpPorts};
use super::{followed, quality};
use crate::call::{CallVerb, CallView, millis};
use crate::metered::Metered;
use crate::record::Quality;
use crate::trunks::Ways;

/// How a call ended, for its record.
#[derive(Debug)]
pub(crate) struct CallEnd {
    pub(crate) ended: Ended,
    /// From answer to end on the clock of charges; none when it was not answered.
    pub(crate) talk_ms: Option<u64>,
    pub(crate) quality: Option<Quality>,
}

impl CallEnd {
    /// The end of a call whose machine stopped by a fault of ours.
    pub(crate) fn fault() -> Self {
        Self {
            ended: Ended::by_us(Outcome::Failed),
            talk_ms: None,
            quality: None,
        }
    }
}

/// A call in progress.
pub(crate) struct CallSlot {
    bridge: Metered<Bridge>,
    ports: RtpPorts,
    /// What it tries, and its place on the trunk it is on; given back when it ends.
    ways: Option<Ways>,
    view: watch::Sender<CallView>,
    end: Option<oneshot::Sender<CallEnd>>,
    /// Whether a fault of ours has ended it.
    failed: bool,
}

impl CallSlot {
    pub(crate) fn new(
        bridge: Metered<Bridge>,
        ports: RtpPorts,
        ways: Ways,
        view: watch::Sender<CallView>,
        end: oneshot::Sender<CallEnd>,
    ) -> Self {
        Self {
            bridge,
            ports,
            ways: Some(ways),
            view,
            end: Some(end),
            failed: false,
        }
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.bridge.media.poll_timeout()
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        self.bridge.media.handle_timeout(now);
        self.show_quality();
    }

    /// Shows how it sounds, when a word changes.
    fn show_quality(&self) {
        let (heard, sent) = quality::now(self.bridge.media.quality());
        self.view.send_if_modified(|view| {
            let changes = (view.heard, view.sent) != (heard, sent);
            (view.heard, view.sent) = (heard, sent);
            changes
        });
    }

    /// Takes what came on one of its ports.
    pub(crate) fn hear_phone(&mut self, now: Instant, port: Port) {
        if let Some(input) = self.ports.input(port) {
            self.handle_input(now, input);
        }
    }

    pub(crate) fn handle_input(&mut self, now: Instant, input: Input) {
        if let Err(error) = self.bridge.media.handle_input(now, input) {
            tracing::debug!(%error, "input refused by the call");
        }
    }

    /// Does what the user asked, as far as the moment allows.
    pub(crate) fn obey(&mut self, now: Instant, verb: CallVerb) {
        let bridge = &mut self.bridge.media;
        let done = match verb {
            CallVerb::Hold => bridge.hold(now),
            CallVerb::Resume => bridge.resume(now),
            CallVerb::Digit(digit) => bridge.digit(now, digit),
            CallVerb::Mute(on) => {
                bridge.mute(on);
                self.view.send_modify(|view| view.muted = on);
                Ok(())
            }
            CallVerb::HangUp => {
                bridge.hang_up(now);
                Ok(())
            }
        };
        if let Err(error) = done {
            tracing::debug!(%error, "asked at the wrong moment");
        }
    }

    /// Hangs up after a fault of ours, so that nobody is left on the phone with nobody.
    pub(crate) fn fail(&mut self, now: Instant, out: &mut Outbox<'_>) {
        self.failed = true;
        self.bridge.media.hang_up(now);
        self.drain(out);
    }

    /// Sends what the bridge wants sent and notes what it tells. Returns true when nothing more is owed to anybody.
    pub(crate) fn drain(&mut self, out: &mut Outbox<'_>) -> bool {
        while let Some(output) = self.bridge.media.poll_output() {
            match output {
                Output::SendBrowser { to, bytes } => out.media(to, bytes),
                Output::Phone(output) => out.phone(&self.ports, output),
                Output::BrowserAddressProved(address) => out.proved(address),
                Output::Event(event) => self.note(event),
            }
        }
        self.bridge.media.is_finished()
    }

    fn note(&mut self, event: BridgeEvent) {
        followed::note_ways(&event, self.ways.as_mut());
        let transport = self.ways.as_ref().and_then(Ways::transport);
        match &event {
            BridgeEvent::Answered => self.bridge.tell(Fact::Answered),
            BridgeEvent::Ended { ended, stats } => self.ended(ended.clone(), stats),
            _ => {}
        }
        let now = self.bridge.now();
        self.view
            .send_if_modified(|view| followed::show(&event, view, now, transport));
    }

    fn ended(&mut self, ended: Ended, stats: &MediaStats) {
        self.ways = None;
        let ended = followed::why(ended, self.failed);
        let now = self.bridge.now();
        let talk_ms = self
            .view
            .borrow()
            .answered
            .map(|answered| millis(answered, now));
        self.bridge.tell(if talk_ms.is_some() {
            Fact::Ended
        } else {
            Fact::NeverAnswered
        });
        if let Some(end) = self.end.take() {
            let quality = talk_ms.map(|_| quality::of(self.bridge.media.quality(), stats));
            let _ = end.send(CallEnd {
                ended,
                talk_ms,
                quality,
            });
        }
    }
}
