use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use housecall_browser::{self as browser, Down, Kind, OutPacket, Peer, Shape, Up};
use housecall_media::telephone_event::KeyListener;
use housecall_media::{AudioLevel, Key};

use crate::ear;
use crate::io::{BridgeEvent, Input, Output};
use crate::options::{BridgeOptions, DialRefused, Error};
use crate::path::{EarFrame, EarPacket, Levels, MediaStats, Quality};
use crate::phone_leg::{LegOutput, PhoneLeg};

/// One phone call with the browser of the person who makes it, and the sound between them.
#[derive(Debug)]
pub struct Bridge {
    leg: PhoneLeg,
    browser: Peer,
    /// Keys that the page sends in its own sound (RFC 4733) instead of asking for them.
    keys: KeyListener,
    outputs: VecDeque<Output>,
}

impl Bridge {
    /// Answers the browser's offer and dials. The second part is the answer for the browser.
    ///
    /// # Errors
    /// [`DialRefused`]: nothing was dialled.
    pub fn dial(
        now: Instant,
        options: BridgeOptions,
        offer: &str,
    ) -> Result<(Self, String), DialRefused> {
        let mut peer = browser::Options::new(options.browser_local, Shape::Call);
        peer.lite = options.ice_lite;
        peer.voice_rate = ear::voice_rate(&options.dial.routes);
        let mut path = options.path;
        if path.straight_g711 {
            peer.voices = ear::straight_voices(&options.dial.routes);
        }
        let (browser, answer) = Peer::answer(now, peer, offer)?;
        path.ear = ear::agreed(path.ear, browser.voice(), offer);
        let mut bridge = Self {
            leg: PhoneLeg::dial(now, options.dial, path)?,
            browser,
            keys: KeyListener::default(),
            outputs: VecDeque::new(),
        };
        bridge.listen(now);
        Ok((bridge, answer))
    }

    /// Our ICE name, by which the browser's first datagram is known.
    pub fn ufrag(&self) -> &str {
        self.browser.ufrag()
    }

    /// What happened to the sound so far.
    pub fn stats(&self) -> MediaStats {
        self.leg.stats()
    }

    /// How loud both sides are now.
    pub fn levels(&self) -> Levels {
        self.leg.levels()
    }

    /// How both directions sound, and have sounded.
    pub fn quality(&self) -> &Quality {
        self.leg.quality()
    }

    /// Whether the call is over and nothing is owed to the network any more: the bridge may be dropped.
    pub fn is_finished(&self) -> bool {
        self.leg.is_finished()
    }

    /// Takes what the world said.
    ///
    /// # Errors
    /// [`Error::Browser`]: a datagram that is not the browser's. It is dropped, and the call goes on.
    pub fn handle_input(&mut self, now: Instant, input: Input) -> Result<(), Error> {
        let taken = match input {
            Input::Browser { from, bytes } => self.hear_browser(now, from, bytes),
            Input::Rtp { from, bytes } => {
                self.leg.rtp(now, from, bytes);
                Ok(())
            }
            Input::Rtcp { from, bytes } => {
                self.leg.rtcp(now, from, &bytes);
                Ok(())
            }
            Input::Sip { from, message } => {
                self.leg.sip(now, from, message);
                Ok(())
            }
            Input::TransportFailed { peer } => {
                self.leg.transport_failed(now, peer);
                Ok(())
            }
        };
        self.listen(now);
        taken
    }

    /// Shuts or opens the microphone; the callee hears silence meanwhile. Nobody else is told.
    pub fn mute(&mut self, muted: bool) {
        self.leg.mute(muted);
    }

    /// Asks to hold: [`BridgeEvent::Held`] or [`BridgeEvent::HoldRefused`] follows. The sound is shut at once.
    ///
    /// # Errors
    /// [`Error::WrongMoment`]
    pub fn hold(&mut self, now: Instant) -> Result<(), Error> {
        self.leg.hold(now)?;
        self.listen(now);
        Ok(())
    }

    /// Asks to end the hold: [`BridgeEvent::Resumed`] or [`BridgeEvent::HoldRefused`] follows.
    ///
    /// # Errors
    /// [`Error::WrongMoment`]
    pub fn resume(&mut self, now: Instant) -> Result<(), Error> {
        self.leg.resume(now)?;
        self.listen(now);
        Ok(())
    }

    /// Presses a key (`0`–`9`, `*`, `#`, `A`–`D`) towards the phone.
    ///
    /// # Errors
    /// No such key, too many waiting, or [`Error::WrongMoment`] before the answer.
    pub fn digit(&mut self, now: Instant, digit: char) -> Result<(), Error> {
        let key = Key::new(digit).ok_or(Error::NoSuchKey(digit))?;
        let pressed = self.leg.press(now, key);
        self.listen(now);
        pressed
    }

    /// Ends the call, in whatever state it is.
    pub fn hang_up(&mut self, now: Instant) {
        self.leg.hang_up(now);
        self.listen(now);
    }

    /// What to do next.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call [`Bridge::handle_timeout`] next; none once [`Bridge::is_finished`].
    pub fn poll_timeout(&self) -> Option<Instant> {
        let ends = [self.leg.poll_timeout(), self.browser.poll_timeout()];
        ends.into_iter().flatten().min()
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        let due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        if due(self.browser.poll_timeout()) {
            self.browser.handle_timeout(now);
        }
        if due(self.leg.poll_timeout()) {
            self.leg.handle_timeout(now);
        }
        self.listen(now);
    }

    fn hear_browser(
        &mut self,
        now: Instant,
        from: SocketAddr,
        bytes: BytesMut,
    ) -> Result<(), Error> {
        self.browser
            .handle_input(now, browser::Input::Datagram { from, bytes })?;
        Ok(())
    }

    /// Passes on what both ends say, until neither says anything more.
    fn listen(&mut self, now: Instant) {
        loop {
            if let Some(output) = self.leg.poll_output() {
                self.leg_said(now, output);
            } else if let Some(output) = self.browser.poll_output() {
                self.browser_said(now, output);
            } else {
                return;
            }
        }
    }

    fn leg_said(&mut self, now: Instant, output: LegOutput) {
        let output = match output {
            LegOutput::Ear(frame) => return self.let_hear(now, frame),
            LegOutput::Event(event) => {
                if let BridgeEvent::Ended { .. } = event {
                    self.close_browser(now);
                }
                Output::Event(event)
            }
            LegOutput::Phone(output) => Output::Phone(output),
        };
        self.outputs.push_back(output);
    }

    fn close_browser(&mut self, now: Instant) {
        self.browser.close(now);
        while let Some(output) = self.browser.poll_output() {
            self.browser_said(now, output);
        }
    }

    fn browser_said(&mut self, now: Instant, output: browser::Output) {
        match output {
            browser::Output::Send { to, bytes } => {
                self.outputs.push_back(Output::SendBrowser { to, bytes })
            }
            browser::Output::AddressProved(addr) => {
                self.outputs.push_back(Output::BrowserAddressProved(addr))
            }
            browser::Output::Connected => self.tell(BridgeEvent::BrowserConnected),
            browser::Output::Closed(_) => self.browser_lost(now),
            browser::Output::Media {
                track: Up::Audio,
                packet,
            } => {
                let level = self.browser.level(&packet);
                let header = packet.header;
                let (ssrc, sequence, timestamp) =
                    (header.ssrc, header.sequence_number, header.timestamp);
                self.leg.ear(
                    now,
                    EarPacket {
                        ssrc,
                        sequence,
                        timestamp,
                        payload: packet.payload,
                    },
                );
                self.leg.ear_level(level.map(AudioLevel::of_byte));
            }
            browser::Output::Media {
                track: Up::Digits,
                packet,
            } => {
                self.page_key(now, packet.header.timestamp, &packet.payload);
            }
            browser::Output::Reported {
                down: Down {
                    kind: Kind::Audio, ..
                },
                fraction_lost,
            } => {
                let round_trip = self.browser.round_trip(now);
                self.leg.ear_report(now, fraction_lost, round_trip);
            }
            browser::Output::Reported { .. }
            | browser::Output::Media {
                track: Up::Video, ..
            }
            | browser::Output::KeyframeWanted { .. } => {}
        }
    }

    /// A call that nobody makes any more must not leave a patient's phone talking to nobody.
    fn browser_lost(&mut self, now: Instant) {
        if !self.leg.is_over() {
            self.tell(BridgeEvent::BrowserLost);
            self.leg.hang_up(now);
        }
    }

    fn page_key(&mut self, now: Instant, timestamp: u32, payload: &Bytes) {
        let key = self.keys.packet(timestamp, payload);
        if let Some(key) = key.filter(|_| self.leg.is_talking()) {
            // More keys than wait are not pressed; nobody is there to be told.
            let _ = self.leg.press(now, key);
        }
    }

    fn let_hear(&mut self, now: Instant, frame: EarFrame) {
        let EarFrame {
            marker,
            sequence,
            timestamp,
            level,
            payload,
        } = frame;
        let down = Down {
            kind: Kind::Audio,
            slot: 0,
        };
        // Before the browser is connected there is nobody to hear it.
        let _ = self.browser.send(
            now,
            down,
            OutPacket {
                marker,
                sequence,
                timestamp,
                level: level.map(AudioLevel::to_byte),
                payload,
            },
        );
    }

    fn tell(&mut self, event: BridgeEvent) {
        self.outputs.push_back(Output::Event(event));
    }
}
