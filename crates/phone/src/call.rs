mod attempt;
mod dialing;
mod ended;
mod event;
mod failover;
mod forks;
mod key_info;
mod line;
mod redirect;
mod ringing;
mod scope;
mod talking;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use housecall_media::Key;
use housecall_sip::user_agent::{self, Output as AgentOutput};
use housecall_sip::{Message, Peer, StatusCode, Timers, UriError};

use crate::{BadHeader, DestinationPolicy, Number, Outcome, Route, Secret};
use dialing::Dialing;
pub use ended::{Ended, Side};
pub use event::{Event, Input, Output};
pub use failover::RouteFailure;
use line::Line;
use ringing::Ringing;
use talking::Talking;

/// One phone call, from dialling to the end.
///
/// It does nothing by itself: give it what came in with [`handle_input`](Call::handle_input), wake it with
/// [`handle_timeout`](Call::handle_timeout) at [`poll_timeout`](Call::poll_timeout), and take everything from
/// [`poll_output`](Call::poll_output) after each of these and after each verb. After [`Event::Ended`] it still owes the network some
/// messages, until [`is_finished`](Call::is_finished).
#[derive(Debug)]
pub struct Call {
    line: Line,
    state: State,
}

/// What is to be dialled, and how.
#[derive(Clone, Debug)]
pub struct Dial {
    /// The ways to the telephone network, best first; at least one.
    pub routes: Vec<Route>,
    /// The number that the called person sees. Its owner is checked by the caller of this API.
    pub caller_id: Number,
    /// The number to call; already let through by a [`DestinationPolicy`](crate::DestinationPolicy).
    pub to: Number,
    /// What a trunk that may [redirect](crate::Redirects) may lead to; without it, nowhere.
    pub destinations: Option<DestinationPolicy>,
    /// Our SIP address as the trunk reaches it.
    pub contact: SocketAddr,
    /// Our RTP address as the trunk reaches it.
    pub media: SocketAddr,
    /// How long it may ring before we give up (P7).
    pub ring_limit: Duration,
    /// Further headers of this call's INVITE, by name and value: Diversion, History-Info, Identity (RFC 8224) of whoever embeds us. They go
    /// out as they are.
    pub headers: Vec<(String, String)>,
    /// How patient the SIP transactions are.
    pub timers: Timers,
    /// What keys are made of where a trunk takes SRTP; without it no such trunk is dialled.
    pub secret: Option<Secret>,
    /// Where tags, branches and the Call-ID come from: different for each call, and hard to guess.
    pub seed: u64,
}

impl Dial {
    /// P7: the ring limit.
    pub const RING_LIMIT: Duration = Duration::from_secs(45);

    /// A call with the ring limit of P7 and the timers of RFC 3261. Set further fields with struct update syntax.
    pub fn new(
        routes: Vec<Route>,
        caller_id: Number,
        to: Number,
        contact: SocketAddr,
        media: SocketAddr,
        seed: u64,
    ) -> Self {
        Self {
            routes,
            caller_id,
            to,
            destinations: None,
            contact,
            media,
            ring_limit: Self::RING_LIMIT,
            headers: Vec::new(),
            timers: Timers::default(),
            secret: None,
            seed,
        }
    }
}

/// The verb does not fit the moment of the call.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("cannot {action} while {state}")]
pub struct WrongMoment {
    /// What was asked for.
    pub action: &'static str,
    /// What the call is doing.
    pub state: &'static str,
}

/// Why nothing can be dialled; an administrator has to mend it.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BadTrunk {
    /// There is no way to the telephone network.
    #[error("no route to the telephone network")]
    NoRoute,
    /// A trunk's settings or our number do not make a SIP address.
    #[error("trunk {trunk:?} makes no SIP address: {error}")]
    Address {
        /// The trunk's name.
        trunk: String,
        /// What is wrong.
        error: UriError,
    },
    /// A further header cannot be sent.
    #[error("trunk {trunk:?}: {error}")]
    Header {
        /// The trunk's name.
        trunk: String,
        /// What is wrong.
        error: BadHeader,
    },
    /// The trunk takes SRTP, and there is nothing to make its keys of.
    #[error("trunk {trunk:?} takes SRTP, and the call has no secret")]
    NoSecret {
        /// The trunk's name.
        trunk: String,
    },
    /// The trunk is to be offered no codec that carries a voice.
    #[error("trunk {trunk:?} has no codec for a voice")]
    NoVoice {
        /// The trunk's name.
        trunk: String,
    },
    /// A tech prefix that is none, or that is an emergency number.
    #[error("trunk {trunk:?}: {prefix:?} is no prefix")]
    Prefix {
        /// The trunk's name.
        trunk: String,
        /// The prefix.
        prefix: String,
    },
}

#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "a call spends its life talking: the large state is the usual one"
)]
enum State {
    Dialing(Dialing),
    Ringing(Ringing),
    Talking(Talking),
    Ended,
}

/// What happens to a call, whoever does it.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "made, passed on and taken apart at once; never stored"
)]
enum Happening {
    Agent(user_agent::Event),
    /// A response came, whatever the user agent makes of it.
    Heard {
        status: u16,
        /// Of the request that it answers.
        cseq: u32,
    },
    /// Not even a response came in time.
    Silent,
    HangUp,
    MediaLost,
    /// The ring limit is reached.
    RangTooLong,
}

impl Call {
    /// Dials: the INVITE is the first output.
    ///
    /// # Errors
    /// There is no route, or a trunk's settings or the headers make no INVITE.
    pub fn dial(now: Instant, dial: Dial) -> Result<Self, BadTrunk> {
        let line = Line::dial(now, dial)?;
        let state = State::Dialing(Dialing::new(now, &line));
        let mut call = Self { line, state };
        call.listen(now);
        Ok(call)
    }

    /// Takes what the world said.
    pub fn handle_input(&mut self, now: Instant, input: Input) {
        match input {
            Input::Sip { from, message } => self.hear(now, from, message),
            Input::TransportFailed { peer } => self.line.transport_failed(now, peer),
            Input::MediaLost => self.happened(now, Happening::MediaLost),
        }
        self.listen(now);
    }

    fn hear(&mut self, now: Instant, from: Peer, message: Message) {
        let status = message.status().map(StatusCode::code);
        let cseq = message.cseq().map_or(0, |cseq| cseq.number);
        let is_present = self.line.hear(now, from, message);
        if let Some(status) = status.filter(|_| is_present) {
            self.happened(now, Happening::Heard { status, cseq });
        }
    }

    /// Hangs up at any moment: CANCEL, or ACK and BYE if the answer crosses it, or BYE. No effect on an ended call.
    pub fn hang_up(&mut self, now: Instant) {
        self.happened(now, Happening::HangUp);
        self.listen(now);
    }

    /// Puts the other side on hold: offers `sendonly`, so that it hears our music (RFC 3264 §8.4). [`Event::Held`] follows.
    ///
    /// # Errors
    /// The call is not answered, is held already, or a change is on its way.
    pub fn hold(&mut self, now: Instant) -> Result<(), WrongMoment> {
        self.change(now, "hold", true)
    }

    /// Takes the other side off hold. [`Event::Resumed`] follows.
    ///
    /// # Errors
    /// The call is not held, or a change is on its way.
    pub fn resume(&mut self, now: Instant) -> Result<(), WrongMoment> {
        self.change(now, "resume", false)
    }

    fn change(
        &mut self,
        now: Instant,
        action: &'static str,
        held: bool,
    ) -> Result<(), WrongMoment> {
        let state = match &mut self.state {
            State::Talking(talking) => {
                talking.ask(now, action, held, &mut self.line)?;
                self.listen(now);
                return Ok(());
            }
            State::Dialing(_) => "dialing",
            State::Ringing(_) => "ringing",
            State::Ended => "the call is over",
        };
        Err(WrongMoment { action, state })
    }

    /// Whether silence of the other side means that it is gone: it has answered, and nobody holds anybody.
    pub fn expects_media(&self) -> bool {
        matches!(&self.state, State::Talking(talking) if talking.expects_media())
    }

    /// Whether keys are pressed with [`Call::press`]; otherwise they travel with the sound, as named events or as tones.
    pub fn presses_by_info(&self) -> bool {
        let mode = self.line.trunk().map(|trunk| trunk.dtmf);
        matches!(&self.state, State::Talking(talking) if talking.presses_by_info(mode))
    }

    /// Presses a key by INFO. [`Event::KeyRefused`] follows if the trunk does not take it.
    ///
    /// # Errors
    /// The call is not answered, or more keys wait than a person presses.
    pub fn press(&mut self, now: Instant, key: Key) -> Result<(), WrongMoment> {
        let action = "press a key";
        let State::Talking(talking) = &mut self.state else {
            let state = "nobody has answered";
            return Err(WrongMoment { action, state });
        };
        let pressed = talking.press(now, key, &mut self.line);
        self.listen(now);
        pressed.map_err(|refused| WrongMoment {
            action,
            state: refused.state,
        })
    }

    /// The Call-IDs of its messages: the present attempt's, and those of attempts that still owe their trunks something.
    pub fn call_ids(&self) -> impl Iterator<Item = &str> {
        self.line.attempts().map(|attempt| &*attempt.call_id)
    }

    /// Takes the next thing to do, in order.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.line.outputs.pop_front()
    }

    /// When [`handle_timeout`](Call::handle_timeout) next has something to do.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let limits = self.state.limits();
        let limits = limits.into_iter().map(|(at, _)| at);
        limits.chain(self.line.poll_timeout()).min()
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        let limits = self.state.limits();
        let due = limits.into_iter().find(|(at, _)| *at <= now);
        if let Some((_, happening)) = due {
            self.happened(now, happening);
        }
        self.line.handle_timeout(now);
        self.listen(now);
    }

    /// Whether [`Event::Ended`] has been told.
    pub fn is_over(&self) -> bool {
        matches!(self.state, State::Ended)
    }

    /// Whether it is over and owes the network nothing: it may be dropped. At most 64*T1 after the last message.
    pub fn is_finished(&self) -> bool {
        self.is_over() && self.line.is_idle()
    }

    /// Passes on what the user agent has to say.
    fn listen(&mut self, now: Instant) {
        while let Some(output) = self.line.poll_agent() {
            match output {
                AgentOutput::Send { to, bytes } => {
                    self.line.outputs.push_back(Output::SendSip { to, bytes });
                }
                AgentOutput::Event(event) => self.happened(now, Happening::Agent(event)),
            }
        }
    }

    fn happened(&mut self, now: Instant, happening: Happening) {
        let state = std::mem::replace(&mut self.state, State::Ended);
        self.state = match state {
            State::Dialing(dialing) => dialing.handle(now, happening, &mut self.line),
            State::Ringing(ringing) => ringing.handle(now, happening, &mut self.line),
            State::Talking(talking) => talking.handle(now, happening, &mut self.line),
            State::Ended => State::Ended,
        };
    }
}

impl State {
    /// We end the call; the user agent finds the right message for it.
    fn hang_up(now: Instant, outcome: Outcome, line: &mut Line) -> Self {
        line.hang_up(now);
        Self::end(Ended::by_us(outcome), line)
    }

    fn end(ended: Ended, line: &mut Line) -> Self {
        line.tell(Event::Ended(ended));
        Self::Ended
    }

    /// What is waited for no longer than until then, and what happens then.
    fn limits(&self) -> Vec<(Instant, Happening)> {
        let rang = |at| (at, Happening::RangTooLong);
        match self {
            Self::Dialing(dialing) => {
                let silent = dialing.silent_until.map(|at| (at, Happening::Silent));
                silent
                    .into_iter()
                    .chain([rang(dialing.ring_until)])
                    .collect()
            }
            Self::Ringing(ringing) => vec![rang(ringing.ring_until)],
            Self::Talking(_) | Self::Ended => Vec::new(),
        }
    }
}
