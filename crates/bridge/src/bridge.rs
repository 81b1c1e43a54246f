use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use housecall_browser::{self as browser, Down, Kind, OutPacket, Peer, Shape, Up};
use housecall_media::sdp::MediaTarget;
use housecall_media::telephone_event::KeyListener;
use housecall_media::{AudioLevel, Key};
use housecall_phone::{self as phone, Call, Ended};

use crate::dialled::Dialled;
use crate::ear;
use crate::io::{BridgeEvent, Input, Output};
use crate::options::{BridgeOptions, DialRefused, Error};
use crate::path::{EarFrame, EarPacket, Levels, MediaPath, MediaStats, PathOutput, Quality};

/// One phone call with the browser of the person who makes it, and the sound between them.
#[derive(Debug)]
pub struct Bridge {
    call: Dialled,
    browser: Peer,
    path: MediaPath,
    moment: Moment,
    /// Whether the other side holds us.
    held_by_them: bool,
    /// Whether the phone leg is secured; none before anything is agreed.
    encrypted: Option<bool>,
    /// Keys that the page sends in its own sound (RFC 4733) instead of asking for them.
    keys: KeyListener,
    outputs: VecDeque<Output>,
}

/// As much of the call's state as the sound depends on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Moment {
    Ringing,
    Talking,
    Ended,
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
        let path = MediaPath::new(now, path)?;
        let call = Call::dial(now, options.dial)?;
        let mut bridge = Self {
            call: Dialled::new(call),
            browser,
            path,
            moment: Moment::Ringing,
            held_by_them: false,
            encrypted: None,
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
        self.path.stats()
    }

    /// How loud both sides are now.
    pub fn levels(&self) -> Levels {
        self.path.levels()
    }

    /// How both directions sound, and have sounded.
    pub fn quality(&self) -> &Quality {
        self.path.quality()
    }

    /// Whether the call is over and nothing is owed to the network any more: the bridge may be dropped.
    pub fn is_finished(&self) -> bool {
        self.moment == Moment::Ended && self.call.get().is_finished()
    }

    /// Takes what the world said.
    ///
    /// # Errors
    /// [`Error::Browser`]: a datagram that is not the browser's. It is dropped, and the call goes on.
    pub fn handle_input(&mut self, now: Instant, input: Input) -> Result<(), Error> {
        let taken = match input {
            Input::Browser { from, bytes } => self.hear_browser(now, from, bytes),
            Input::Rtp { from, bytes } => {
                self.path.rtp(now, from, bytes);
                Ok(())
            }
            Input::Rtcp { from, bytes } => {
                self.path.rtcp(now, from, &bytes);
                Ok(())
            }
            Input::Sip { from, message } => {
                let input = phone::Input::Sip { from, message };
                self.call.with(|call| call.handle_input(now, input));
                Ok(())
            }
            Input::TransportFailed { peer } => {
                let input = phone::Input::TransportFailed { peer };
                self.call.with(|call| call.handle_input(now, input));
                Ok(())
            }
        };
        self.listen(now);
        taken
    }

    /// Shuts or opens the microphone; the callee hears silence meanwhile. Nobody else is told.
    pub fn mute(&mut self, muted: bool) {
        self.path.mute(muted);
    }

    /// Asks to hold: [`BridgeEvent::Held`] or [`BridgeEvent::HoldRefused`] follows. The sound is shut at once.
    ///
    /// # Errors
    /// [`Error::WrongMoment`]
    pub fn hold(&mut self, now: Instant) -> Result<(), Error> {
        self.call.with(|call| call.hold(now))?;
        // Whoever clicks Hold and turns to somebody in the room must not be heard while the network makes up its mind.
        self.path.hold(now, true);
        self.listen(now);
        Ok(())
    }

    /// Asks to end the hold: [`BridgeEvent::Resumed`] or [`BridgeEvent::HoldRefused`] follows.
    ///
    /// # Errors
    /// [`Error::WrongMoment`]
    pub fn resume(&mut self, now: Instant) -> Result<(), Error> {
        self.call.with(|call| call.resume(now))?;
        self.listen(now);
        Ok(())
    }

    /// Presses a key (`0`–`9`, `*`, `#`, `A`–`D`) towards the phone.
    ///
    /// # Errors
    /// No such key, too many waiting, or [`Error::WrongMoment`] before the answer.
    pub fn digit(&mut self, now: Instant, digit: char) -> Result<(), Error> {
        let key = Key::new(digit).ok_or(Error::NoSuchKey(digit))?;
        match self.moment {
            Moment::Ringing => Err(wrong_moment("the phone has not answered")),
            Moment::Ended => Err(wrong_moment("the call is over")),
            Moment::Talking => {
                let pressed = self.press(now, key);
                self.listen(now);
                pressed
            }
        }
    }

    fn press(&mut self, now: Instant, key: Key) -> Result<(), Error> {
        if self.call.get().presses_by_info() {
            return Ok(self.call.with(|call| call.press(now, key))?);
        }
        self.path.press(key).map_err(|refused| Error::TooManyKeys {
            waiting: refused.waiting,
        })
    }

    /// Ends the call, in whatever state it is.
    pub fn hang_up(&mut self, now: Instant) {
        self.call.with(|call| call.hang_up(now));
        self.listen(now);
    }

    /// What to do next.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call [`Bridge::handle_timeout`] next; none once [`Bridge::is_finished`].
    pub fn poll_timeout(&self) -> Option<Instant> {
        let path = (self.moment != Moment::Ended).then(|| self.path.poll_timeout());
        [self.call.poll_timeout(), self.browser.poll_timeout(), path]
            .into_iter()
            .flatten()
            .min()
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        let due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        if due(self.browser.poll_timeout()) {
            self.browser.handle_timeout(now);
        }
        if due(self.call.poll_timeout()) {
            self.call.with(|call| call.handle_timeout(now));
        }
        if self.moment != Moment::Ended {
            self.path.handle_timeout(now);
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

    /// Passes on what the three parts say, until none says anything more.
    fn listen(&mut self, now: Instant) {
        loop {
            if let Some(output) = self.call.poll_output() {
                self.call_said(now, output);
            } else if let Some(output) = self.browser.poll_output() {
                self.browser_said(now, output);
            } else if let Some(output) = self.path.poll_output() {
                self.path_said(now, output);
            } else {
                return;
            }
        }
    }

    fn call_said(&mut self, now: Instant, output: phone::Output) {
        match output {
            phone::Output::CallId(call_id) => self.outputs.push_back(Output::CallId(call_id)),
            phone::Output::SendSip { to, bytes } => {
                self.outputs.push_back(Output::SendSip { to, bytes })
            }
            phone::Output::Event(event) => self.call_event(now, event),
        }
    }

    fn call_event(&mut self, now: Instant, event: phone::Event) {
        self.path.follow(now, &event);
        match event {
            phone::Event::RouteFailed { route, why } => {
                self.tell(BridgeEvent::RouteFailed { route, why });
            }
            phone::Event::Redirected { to } => self.tell(BridgeEvent::Redirected { to }),
            // The path presses it in another way.
            phone::Event::KeyRefused(_) => {}
            phone::Event::KeyHeard(key) => self.tell(BridgeEvent::KeyHeard(key)),
            phone::Event::EncryptionRefused => self.tell(BridgeEvent::EncryptionRefused),
            phone::Event::Ringing => self.tell(BridgeEvent::Ringing),
            phone::Event::EarlyMedia(target) => {
                self.now_encrypted(&target);
                self.tell(BridgeEvent::EarlyAudio);
            }
            phone::Event::Answered(target) => self.answered(&target),
            phone::Event::MediaChanged(target) => self.media_changed(&target),
            phone::Event::Held => self.tell(BridgeEvent::Held),
            phone::Event::Resumed => self.tell(BridgeEvent::Resumed),
            phone::Event::HoldRefused => self.tell(BridgeEvent::HoldRefused),
            phone::Event::Ended(ended) => self.ended(now, ended),
        }
    }

    fn answered(&mut self, target: &MediaTarget) {
        self.moment = Moment::Talking;
        self.now_encrypted(target);
        self.tell(BridgeEvent::Answered);
        self.now_held_by_them(!target.direction.sends());
    }

    fn media_changed(&mut self, target: &MediaTarget) {
        self.now_encrypted(target);
        self.now_held_by_them(!target.direction.sends());
    }

    fn now_encrypted(&mut self, target: &MediaTarget) {
        let encrypted = target.srtp.is_some();
        if self.encrypted != Some(encrypted) {
            self.encrypted = Some(encrypted);
            self.tell(BridgeEvent::Encrypted(encrypted));
        }
    }

    /// RFC 3264 §8.4: whoever may not be sent to holds us. Before the answer that is no hold.
    fn now_held_by_them(&mut self, held: bool) {
        if held == self.held_by_them {
            return;
        }
        self.held_by_them = held;
        self.tell(if held {
            BridgeEvent::HeldByThem
        } else {
            BridgeEvent::ResumedByThem
        });
    }

    fn ended(&mut self, now: Instant, ended: Ended) {
        self.moment = Moment::Ended;
        while let Some(output) = self.path.poll_output() {
            self.path_said(now, output);
        }
        self.browser.close(now);
        while let Some(output) = self.browser.poll_output() {
            self.browser_said(now, output);
        }
        let stats = self.path.stats();
        self.tell(BridgeEvent::Ended { ended, stats });
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
                self.path.ear(
                    now,
                    EarPacket {
                        ssrc,
                        sequence,
                        timestamp,
                        payload: packet.payload,
                    },
                );
                self.path.ear_level(level.map(AudioLevel::of_byte));
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
                self.path.ear_report(now, fraction_lost, round_trip);
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
        if self.moment != Moment::Ended {
            self.tell(BridgeEvent::BrowserLost);
            self.call.with(|call| call.hang_up(now));
        }
    }

    fn page_key(&mut self, now: Instant, timestamp: u32, payload: &Bytes) {
        let key = self.keys.packet(timestamp, payload);
        if let Some(key) = key.filter(|_| matches!(self.moment, Moment::Talking)) {
            // More keys than wait are not pressed; nobody is there to be told.
            let _ = self.press(now, key);
        }
    }

    fn path_said(&mut self, now: Instant, output: PathOutput) {
        match output {
            PathOutput::Rtp { to, bytes } => self.outputs.push_back(Output::SendRtp { to, bytes }),
            PathOutput::Rtcp { to, bytes } => {
                self.outputs.push_back(Output::SendRtcp { to, bytes })
            }
            PathOutput::Ear(frame) => self.let_hear(now, frame),
            PathOutput::KeyHeard(key) => self.tell(BridgeEvent::KeyHeard(key)),
            PathOutput::PhoneLost => {
                self.call
                    .with(|call| call.handle_input(now, phone::Input::MediaLost));
            }
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

fn wrong_moment(state: &'static str) -> Error {
    Error::WrongMoment {
        action: "press a key",
        state,
    }
}
