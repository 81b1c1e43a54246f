use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use housecall_bridge::{EarFrame, MediaPath, PathOptions, PathOutput};
use housecall_phone::{Call, Dial, Event, Input, Message, Output, Peer, Secret};
use tokio::sync::mpsc;
use tokio::time::sleep_until;

use super::call::{Lines, Noted, Order, SoftCall, SoftEvent, Sound, Verb};
use super::connections::{self, Connections};
use super::question::Questions;
use super::voice::{Ear, Mouth};
use super::{NotDialed, SoftphoneOptions, Traced, Way};
use crate::shard::rtp::{Port, RtpPorts};
use crate::shard::rtp_poller::{Ready, RtpPoller};
use crate::shard::sip::{FromSip, SipSockets};
use crate::shard::stray;

/// SIP messages waiting for the loop.
const WAITING_MAX: usize = 1_000;
/// How often each source is read before the loop looks at anything else.
const READS_A_TURN: usize = 8;
/// There is one at a time.
const THE_CALL: u64 = 0;
/// How often the sound is measured.
const MEASURE_EVERY: Duration = Duration::from_millis(200);

/// The telephone on its thread: its sockets, and the call if there is one.
pub(super) struct Desk {
    options: SoftphoneOptions,
    sip: SipSockets,
    from_sip: mpsc::Receiver<FromSip>,
    phones: RtpPoller,
    talk: Option<Talk>,
    questions: Questions,
    connections: Connections,
}

/// A call with its sound.
struct Talk {
    call: Call,
    path: MediaPath,
    ports: RtpPorts,
    mouth: Mouth,
    ear: Ear,
    lines: Lines,
    begun: Instant,
    measure_at: Instant,
    tells_sound: bool,
}

impl Desk {
    pub(super) async fn bind(options: SoftphoneOptions) -> io::Result<Self> {
        let (inbox, from_sip) = mpsc::channel(WAITING_MAX);
        let address = SocketAddr::new(options.ip, options.sip_port);
        let mut sip = SipSockets::bind(address, &options.sip, inbox).await?;
        for (peer, name) in &options.tls_names {
            sip.expect_name(*peer, name.clone());
        }
        Ok(Self {
            questions: Questions::new(options.as_others_see(sip.local())),
            connections: Connections::default(),
            sip,
            options,
            from_sip,
            phones: RtpPoller::new()?,
            talk: None,
        })
    }

    pub(super) fn local(&self) -> SocketAddr {
        self.sip.local()
    }

    /// Runs until nobody can give orders any more and the last call is over.
    pub(super) async fn run(mut self, mut orders: mpsc::Receiver<Order>) {
        let mut ordered = true;
        while ordered || self.talk.is_some() {
            let wake = self.poll_timeout();
            tokio::select! {
                order = orders.recv(), if ordered => match order {
                    Some(order) => self.obey(order),
                    None => {
                        ordered = false;
                        self.with_talk(|talk, now| talk.call.hang_up(now));
                    }
                },
                verb = next_verb(&mut self.talk) => self.with_talk(|talk, now| talk.obey(now, verb)),
                _ = self.sip.readable() => {}
                Some(heard) = self.from_sip.recv() => self.hear(heard),
                _ = self.phones.readable() => {}
                () = sleep_until(wake.into()) => {}
            }
            self.read_sip();
            self.read_phone();
            self.with_talk(Talk::handle_timeout);
            self.with_questions(Questions::handle_timeout);
            if self.talk.as_ref().is_some_and(Talk::is_finished) {
                self.talk = None;
            }
        }
    }

    fn poll_timeout(&self) -> Instant {
        let talk = self.talk.as_ref().map(Talk::poll_timeout);
        let due = talk.into_iter().chain(self.questions.poll_timeout());
        due.fold(Instant::now() + Duration::from_secs(1), Instant::min)
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Connect { peer, reply } => self.connect(peer, reply),
            Order::Dial { dial, reply } => {
                let _ = reply.send(self.dial(*dial));
                self.with_talk(|_, _| {});
            }
            Order::Ask { question, reply } => {
                self.with_questions(|questions, now| questions.ask(now, &question, reply));
            }
        }
    }

    fn connect(&mut self, peer: Peer, reply: connections::Waiting) {
        self.connections.wait(Instant::now(), peer, reply);
        self.sip.connect(peer);
    }

    fn dial(&mut self, mut dial: Dial) -> Result<SoftCall, NotDialed> {
        if self.talk.as_ref().is_some_and(|talk| !talk.call.is_over()) {
            return Err(NotDialed::Engaged);
        }
        let ports = RtpPorts::bind(self.options.ip)?;
        self.phones.watch(THE_CALL, &ports)?;
        dial.contact = self.options.as_others_see(self.sip.local());
        dial.media = self.options.as_others_see(ports.local());
        dial.secret
            .get_or_insert_with(|| Secret::new(rand::random()));
        let now = Instant::now();
        let (path, mouth, ear) = self.sound(now, &dial).map_err(io::Error::other)?;
        let (handle, lines) = SoftCall::new();
        self.talk = Some(Talk {
            call: Call::dial(now, dial)?,
            path,
            ports,
            mouth,
            ear,
            lines,
            begun: now,
            measure_at: now,
            tells_sound: self.options.tells_sound,
        });
        Ok(handle)
    }

    fn sound(
        &self,
        now: Instant,
        dial: &Dial,
    ) -> Result<(MediaPath, Mouth, Ear), housecall_media::coder::CodecError> {
        let path = MediaPath::new(now, PathOptions::new("AU", dial.seed))?;
        Ok((
            path,
            Mouth::new(now, self.options.voice.clone())?,
            Ear::new()?,
        ))
    }

    fn read_sip(&mut self) {
        for _ in 0..READS_A_TURN {
            match self.sip.read() {
                Some(Ok(heard)) => self.hear(heard),
                Some(Err(not_sip)) => tracing::debug!(bytes = not_sip.length, "not sip"),
                None => return,
            }
        }
    }

    fn read_phone(&mut self) {
        for _ in 0..READS_A_TURN {
            for Ready { port, .. } in self.phones.ready() {
                self.with_talk(|talk, now| talk.packet(now, port));
            }
        }
    }

    fn hear(&mut self, heard: FromSip) {
        match heard {
            FromSip::Message { from, message } => self.message(from, message),
            FromSip::Connected { peer, secured } => {
                self.connections.opened(Instant::now(), peer, secured);
            }
            FromSip::TransportFailed { peer, why } => {
                tracing::debug!(%peer, %why, "the trunk is out of reach");
                self.connections.failed(peer, &why);
                let input = Input::TransportFailed { peer };
                self.with_talk(|talk, now| talk.call.handle_input(now, input));
                self.with_questions(|questions, now| questions.transport_failed(now, peer, why));
            }
        }
    }

    /// What belongs to the call goes there, other responses to the questions; any other request gets the answer it is owed.
    fn message(&mut self, from: Peer, message: Message) {
        let talk = self.talk.as_mut();
        let id = message.call_id().unwrap_or_default();
        let is_ours = |talk: &&mut Talk| talk.call.call_ids().any(|ours| ours == id);
        match talk.filter(is_ours) {
            Some(talk) => {
                talk.trace(Way::Received, from, message.bytes());
                let input = Input::Sip { from, message };
                self.with_talk(|talk, now| talk.call.handle_input(now, input));
            }
            None if !message.is_request() => {
                self.with_questions(|questions, now| questions.response(now, from, message));
            }
            None => {
                if message.is_request()
                    && self.sip.may_answer(Instant::now(), from)
                    && let Some((to, answer)) = stray::answer(from, &message)
                {
                    self.sip.send(to, answer);
                }
            }
        }
    }

    /// Lets `work` happen and then sends all it produced.
    fn with_talk(&mut self, work: impl FnOnce(&mut Talk, Instant)) {
        let Some(talk) = &mut self.talk else { return };
        work(talk, Instant::now());
        talk.drain(&mut self.sip);
    }

    fn with_questions(&mut self, work: impl FnOnce(&mut Questions, Instant)) {
        let now = Instant::now();
        work(&mut self.questions, now);
        self.questions.drain(now, &mut self.sip);
    }
}

/// The next verb for the call; none ever without one. A handle that was dropped hangs up.
async fn next_verb(talk: &mut Option<Talk>) -> Verb {
    match talk {
        Some(talk) if !talk.call.is_over() => talk.lines.verbs.recv().await.unwrap_or(Verb::HangUp),
        _ => std::future::pending().await,
    }
}

impl Talk {
    fn poll_timeout(&self) -> Instant {
        let call = self.call.poll_timeout();
        call.into_iter()
            .fold(self.path.poll_timeout(), Instant::min)
    }

    fn is_finished(&self) -> bool {
        self.call.is_finished()
    }

    fn obey(&mut self, now: Instant, verb: Verb) {
        let done = match verb {
            Verb::Hold => self.call.hold(now),
            Verb::Resume => self.call.resume(now),
            Verb::Press(key) if self.call.presses_by_info() => self.call.press(now, key),
            Verb::Press(key) => {
                // A full row of keys is a machine's doing; further ones are lost.
                let _ = self.path.press(key);
                Ok(())
            }
            Verb::HangUp => {
                self.call.hang_up(now);
                Ok(())
            }
        };
        if let Err(wrong) = done {
            self.tell(SoftEvent::WrongMoment(wrong));
        }
    }

    fn packet(&mut self, now: Instant, port: Port) {
        let Some((from, bytes)) = self.ports.read(port) else {
            return;
        };
        match port {
            Port::Rtp => self.path.rtp(now, from, bytes),
            Port::Rtcp => self.path.rtcp(now, from, &bytes),
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        while let Some(packet) = self.mouth.speak(now) {
            self.path.ear(now, packet);
        }
        self.path.handle_timeout(now);
        self.call.handle_timeout(now);
        if self.measure_at <= now && !self.call.is_over() {
            self.measure_at = now + MEASURE_EVERY;
            self.measure();
        }
    }

    fn measure(&mut self) {
        let sound = Sound {
            stats: self.path.stats(),
            level_dbfs: self.ear.level_dbfs(),
            frequency_hz: self.ear.frequency_hz(),
        };
        self.lines.sound.send_replace(sound);
    }

    /// Does what the machines ask for.
    fn drain(&mut self, sip: &mut SipSockets) {
        while let Some(output) = self.call.poll_output() {
            match output {
                // There is one call: what is its own is asked of it.
                Output::CallId(_) => {}
                Output::SendSip { to, bytes } => self.send(sip, to, bytes),
                Output::Event(event) => self.note(event),
            }
        }
        while let Some(output) = self.path.poll_output() {
            match output {
                PathOutput::Rtp { to, bytes } => self.ports.send(Port::Rtp, to, &bytes),
                PathOutput::Rtcp { to, bytes } => self.ports.send(Port::Rtcp, to, &bytes),
                PathOutput::Ear(frame) => self.hear(&frame),
                PathOutput::KeyHeard(key) => self.note(Event::KeyHeard(key)),
                PathOutput::PhoneLost => {
                    self.call.handle_input(Instant::now(), Input::MediaLost);
                }
            }
        }
    }

    fn send(&mut self, sip: &mut SipSockets, to: Peer, bytes: Bytes) {
        self.trace(Way::Sent, to, &bytes);
        sip.send(to, bytes);
    }

    fn note(&mut self, event: Event) {
        match &event {
            Event::Answered(_) => {
                self.ear.begin();
                self.mouth.answered(Instant::now());
            }
            Event::Ended(_) => self.measure(),
            _ => {}
        }
        // Whoever measures what comes wants no ringing tone of our own.
        if event != Event::Ringing {
            self.path.follow(Instant::now(), &event);
        }
        self.tell(SoftEvent::Phone(event));
    }

    fn hear(&mut self, frame: &EarFrame) {
        let samples = self.ear.hear(frame);
        if let Some(samples) = samples.filter(|_| self.tells_sound) {
            self.tell(SoftEvent::Heard(samples));
        }
    }

    fn trace(&self, way: Way, peer: Peer, bytes: &[u8]) {
        self.tell(SoftEvent::Sip(Traced::new(way, peer, bytes)));
    }

    /// A reader that is gone, or far behind, does not hold up the call.
    fn tell(&self, what: SoftEvent) {
        let at = self.begun.elapsed();
        let _ = self.lines.notes.try_send(Noted { at, what });
    }
}
