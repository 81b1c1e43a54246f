//! A caller, a telephone network and the practice's money, in virtual time.

mod caller;
mod expect;
mod sound;
mod till;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use housecall_carrier::{self as carrier, Habits, Network, NetworkOptions, Security, Stage};
use housecall_meter::{Credits, Fact};
use housecall_phone::{Ended, Event, Outcome, SrtpPolicy};
use housecall_sip::{Message, Peer};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::net::{Net, Weather};
use caller::{Caller, Said};
use till::Till;

/// Everything that takes part in one call, and the time it takes.
pub(crate) struct World {
    pub(crate) seed: u64,
    weather: Weather,
    with_sound: bool,
    /// What our trunk says of SRTP.
    srtp: SrtpPolicy,
    zero: Instant,
    now: Instant,
    random: StdRng,
    network: Network,
    caller: Option<Caller>,
    till: Till,
    sip_out: Net<Bytes>,
    sip_in: Net<Bytes>,
    rtp_out: Net<(SocketAddr, Bytes)>,
    rtp_in: Net<(SocketAddr, Bytes)>,
    rtcp_in: Net<(SocketAddr, Bytes)>,
    /// What the caller was told, and when.
    told: Vec<(Instant, Event)>,
    /// How much of it the conversation has waited for.
    seen: usize,
    /// When the call last heard anything: a message or the user.
    last_input: Instant,
    finished_at: Option<Instant>,
    /// The storm has taken the conversation elsewhere: what was waited for did not come.
    astray: bool,
    steps_now: u32,
}

/// Nothing in a call takes longer than this, except the ringing and the talking.
pub(crate) const PATIENCE: Duration = Duration::from_secs(32); // 64*T1
const RING_LIMIT: Duration = Duration::from_secs(45);
/// The longest that a conversation waits for one event: the ringing, and an answer on each side of it.
const WAIT_MAX: Duration = Duration::from_secs(45 + 2 * 32);
/// A world that takes more steps than this without time going on is stuck.
const STEPS_AT_ONCE_MAX: u32 = 10_000;
pub(crate) const GRANTED: Credits = Credits(10);

pub(crate) fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

impl World {
    /// A world in clear weather, where everything can be heard.
    pub(crate) fn clear(seed: u64) -> World {
        World::new(seed, Weather::CLEAR, true)
    }

    /// A world with bad weather between caller and network, on the way of the SIP messages.
    pub(crate) fn storm(seed: u64, with_sound: bool) -> World {
        World::new(seed, Weather::STORM, with_sound)
    }

    /// A world in which nothing that anybody sends arrives.
    pub(crate) fn deaf(seed: u64) -> World {
        let deaf = Weather {
            loss: 1.0,
            ..Weather::CLEAR
        };
        World::new(seed, deaf, false)
    }

    fn new(seed: u64, weather: Weather, with_sound: bool) -> World {
        let zero = Instant::now();
        let mut random = StdRng::seed_from_u64(seed);
        let mut next = || random.random::<u64>();
        World {
            seed,
            weather,
            with_sound,
            srtp: SrtpPolicy::Off,
            zero,
            now: zero,
            network: Network::new(NetworkOptions {
                seed: next(),
                ..NetworkOptions::default()
            }),
            caller: None,
            till: Till::with(GRANTED),
            sip_out: Net::new(weather, next()),
            sip_in: Net::new(weather, next()),
            rtp_out: Net::new(Weather::CLEAR, next()),
            rtp_in: Net::new(Weather::CLEAR, next()),
            rtcp_in: Net::new(Weather::CLEAR, seed),
            told: Vec::new(),
            seen: 0,
            last_input: zero,
            finished_at: None,
            astray: false,
            steps_now: 0,
            random,
        }
    }

    /// Bad weather for the sound too, each way.
    pub(crate) fn with_rtp(mut self, weather: Weather) -> World {
        self.rtp_out = Net::new(weather, self.seed);
        self.rtp_in = Net::new(weather, !self.seed);
        self
    }

    /// Another balance than ten credits.
    pub(crate) fn with_credits(mut self, credits: Credits) -> World {
        self.till = Till::with(credits);
        self
    }

    /// What our trunk and the network say of SRTP, before anybody dials.
    pub(crate) fn secure(&mut self, srtp: SrtpPolicy, security: Security) {
        self.srtp = srtp;
        let habits = Habits {
            security,
            ..Habits::default()
        };
        self.network = Network::new(NetworkOptions {
            seed: self.seed,
            habits,
            ..NetworkOptions::default()
        });
    }

    pub(crate) fn random(&mut self, below: Duration) -> Duration {
        below.mul_f64(self.random.random::<f64>())
    }

    /// Reserves a minute and dials. False when the practice has not enough credits: then nothing is sent.
    pub(crate) fn dial(&mut self, number: &str) -> bool {
        let Some(grant) = self.till.open(self.now) else {
            return false;
        };
        let seed = self.random.random();
        let caller = Caller::dial(self.now, number, seed, self.with_sound, self.srtp, grant);
        self.caller = Some(caller);
        self.last_input = self.now;
        self.settle();
        true
    }

    pub(crate) fn hang_up(&mut self) {
        self.verb(|caller, now| {
            caller.hang_up(now);
            true
        });
    }

    /// Asks for hold, and waits until it is in force.
    pub(crate) fn hold(&mut self) {
        self.ask_to_hold();
        self.until(held());
    }

    pub(crate) fn ask_to_hold(&mut self) {
        self.verb(Caller::hold);
    }

    /// Asks for hold if this is the moment for it.
    pub(crate) fn try_to_hold(&mut self) {
        self.verb(|caller, now| {
            caller.hold(now);
            true
        });
    }

    /// Asks for hold, as soon as and as often as it takes, and waits until it is in force.
    pub(crate) fn hold_when_possible(&mut self) {
        self.again_and_again(true, Caller::hold);
    }

    /// Asks for the end of the hold, as soon as and as often as it takes, and waits for it.
    pub(crate) fn resume_when_possible(&mut self) {
        self.again_and_again(false, Caller::resume);
    }

    fn again_and_again(&mut self, wanted: bool, verb: impl Fn(&mut Caller, Instant) -> bool) {
        let answered =
            |event: &Event| matches!(event, Event::Held | Event::Resumed | Event::HoldRefused);
        for _ in 0..5 {
            self.when_possible(&verb);
            self.until(answered);
            if self
                .caller
                .as_ref()
                .is_some_and(|it| it.is_held() == wanted)
            {
                return;
            }
        }
        assert!(self.is_stormy(), "refused for ever, {}", self.story());
        self.astray = true;
    }

    /// A request of the other side's may be under way; a person clicks again.
    fn when_possible(&mut self, verb: impl Fn(&mut Caller, Instant) -> bool) {
        let give_up_at = self.now + PATIENCE;
        while self.now < give_up_at && !self.is_over() && !self.astray {
            let now = self.now;
            let done = self.caller.as_mut().is_some_and(|it| verb(it, now));
            self.last_input = self.now;
            self.settle();
            if done {
                return;
            }
            self.run(millis(200));
        }
        assert!(self.is_stormy(), "never the moment, {}", self.story());
        self.astray = true;
    }

    /// Asks for the end of the hold, and waits for it.
    pub(crate) fn resume(&mut self) {
        self.verb(Caller::resume);
        self.until(resumed());
    }

    pub(crate) fn mute(&mut self, muted: bool) {
        self.verb(|caller, _| {
            caller.mute(muted);
            true
        });
    }

    pub(crate) fn press(&mut self, keys: &str) {
        self.verb(|caller, _| {
            caller.press(keys);
            true
        });
    }

    /// Cuts the way of the sound, as when a router between the two dies.
    pub(crate) fn cut_the_sound(&mut self) {
        let cut = Weather {
            loss: 1.0,
            ..Weather::CLEAR
        };
        self.rtp_in = Net::new(cut, self.seed);
        self.rtcp_in = Net::new(cut, self.seed);
        self.rtp_out = Net::new(cut, self.seed);
    }

    fn verb(&mut self, verb: impl FnOnce(&mut Caller, Instant) -> bool) {
        let now = self.now;
        let done = verb(self.caller.as_mut().expect("somebody dialled"), now);
        // In a storm the moment for the verb may be gone.
        assert!(
            done || self.astray || self.is_over(),
            "wrong moment, {}",
            self.story()
        );
        self.last_input = self.now;
        self.settle();
    }

    /// Lets time pass until the caller is told something; in a storm the call may end instead.
    pub(crate) fn until(&mut self, what: impl Fn(&Event) -> bool) {
        let give_up_at = self.now + WAIT_MAX;
        while !self.astray {
            while let Some((_, event)) = self.told.get(self.seen) {
                self.seen += 1;
                if what(event) {
                    return;
                }
                self.astray |=
                    self.is_stormy() && matches!(event, Event::Ended(_) | Event::HoldRefused);
            }
            let next = self.next_event().filter(|next| *next <= give_up_at);
            assert!(
                self.astray || (next.is_some() && !self.is_over()),
                "waited in vain, {}",
                self.story()
            );
            self.step();
        }
    }

    /// Lets time pass, whatever happens.
    pub(crate) fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while self.next_event().is_some_and(|next| next <= end) {
            self.step();
        }
        self.now = end;
    }

    /// Lets everything come to its end: nobody has anything to send or to wait for any more.
    pub(crate) fn run_out(&mut self) {
        let end = self.now + secs(600);
        while let Some(next) = self.next_event() {
            assert!(next <= end, "never quiet, {}", self.story());
            self.step();
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.ended().is_some()
    }

    pub(crate) fn ended(&self) -> Option<&Ended> {
        self.told.iter().find_map(|(_, event)| match event {
            Event::Ended(ended) => Some(ended),
            _ => None,
        })
    }

    pub(crate) fn is_stormy(&self) -> bool {
        self.weather.loss > 0.0
    }

    pub(crate) fn is_astray(&self) -> bool {
        self.astray
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.now - self.zero
    }

    /// Whether the caller was told this, ever.
    pub(crate) fn was_told(&self, what: impl Fn(&Event) -> bool) -> bool {
        self.told.iter().any(|(_, event)| what(event))
    }

    /// For assertions: which world this is, and what happened in it.
    pub(crate) fn story(&self) -> String {
        let told = self.told.iter().map(|(at, event)| {
            let name = format!("{event:?}");
            let name = name.split(['(', ' ']).next().unwrap_or_default();
            format!("{name} at {:.3?}", *at - self.zero)
        });
        let told: Vec<String> = told.collect();
        format!(
            "seed {} ({}), {:.3?} after dialling; told: {}; ended: {:?}",
            self.seed,
            if self.is_stormy() { "storm" } else { "clear" },
            self.elapsed(),
            told.join(", "),
            self.ended(),
        )
    }

    fn next_event(&self) -> Option<Instant> {
        let nets = [self.sip_out.next_arrival(), self.sip_in.next_arrival()];
        let sound = [
            self.rtp_out.next_arrival(),
            self.rtp_in.next_arrival(),
            self.rtcp_in.next_arrival(),
        ];
        let caller = self.caller.as_ref().and_then(Caller::poll_timeout);
        let rest = [
            self.network.poll_timeout(),
            caller,
            self.till.poll_timeout(),
        ];
        let all = nets.into_iter().chain(sound).chain(rest);
        all.flatten().min()
    }

    fn step(&mut self) {
        let Some(next) = self.next_event() else {
            return;
        };
        self.steps_now = if next > self.now {
            0
        } else {
            self.steps_now + 1
        };
        assert!(
            self.steps_now < STEPS_AT_ONCE_MAX,
            "time stands still, {}",
            self.story()
        );
        self.now = self.now.max(next);
        self.deliver();
        let is_due = |at: Option<Instant>| at.is_some_and(|at| at <= next);
        if is_due(self.caller.as_ref().and_then(Caller::poll_timeout)) {
            let now = self.now;
            self.caller.iter_mut().for_each(|it| it.handle_timeout(now));
        }
        if is_due(self.network.poll_timeout()) {
            self.network.handle_timeout(self.now);
        }
        self.till.handle_timeout(self.now);
        self.settle();
    }

    fn deliver(&mut self) {
        while let Some(bytes) = self.sip_out.arrived(self.now) {
            let (from, message) = (caller::peer(), Message::parse(bytes).unwrap());
            let input = carrier::Input::Sip { from, message };
            self.network.handle_input(self.now, input);
        }
        while let Some(bytes) = self.sip_in.arrived(self.now) {
            self.call_hears(Message::parse(bytes).unwrap());
        }
        while let Some((at, datagram)) = self.rtp_out.arrived(self.now) {
            let datagram = &datagram;
            self.network
                .handle_input(self.now, carrier::Input::Media { at, datagram });
        }
        while let Some((from, bytes)) = self.rtp_in.arrived(self.now) {
            let now = self.now;
            self.caller
                .iter_mut()
                .for_each(|it| it.rtp(now, from, bytes.clone()));
        }
        while let Some((from, bytes)) = self.rtcp_in.arrived(self.now) {
            let now = self.now;
            self.caller
                .iter_mut()
                .for_each(|it| it.rtcp(now, from, &bytes));
        }
    }

    fn call_hears(&mut self, message: Message) {
        // A call that is finished is forgotten; nobody is there to be told.
        let Some(caller) = self.caller.as_mut().filter(|_| self.finished_at.is_none()) else {
            return;
        };
        self.last_input = self.now;
        caller.sip(self.now, carrier_peer(), message);
    }

    /// Puts everything that anybody wants to say on its way.
    fn settle(&mut self) {
        while let Some(said) = self.caller.as_mut().and_then(Caller::poll_output) {
            match said {
                Said::Sip(bytes) => self.sip_out.send(self.now, bytes),
                Said::Rtp(to, bytes) => self.rtp_out.send(self.now, (to, bytes)),
                Said::Event(event) => self.tell(event),
            }
        }
        while let Some(output) = self.network.poll_output() {
            match output {
                carrier::Output::SendSip { to, bytes } => {
                    assert_eq!(to, caller::peer(), "{}", self.story());
                    self.sip_in.send(self.now, bytes);
                }
                carrier::Output::SendMedia { from, to, bytes } if self.with_sound => {
                    let is_report = to == caller::reports();
                    assert!(is_report || to == caller::media(), "{}", self.story());
                    let way = match is_report {
                        true => &mut self.rtcp_in,
                        false => &mut self.rtp_in,
                    };
                    way.send(self.now, (from, bytes));
                }
                carrier::Output::SendMedia { .. } => {}
            }
        }
        if self.caller.as_ref().is_some_and(|it| it.call.is_finished()) {
            self.finished_at.get_or_insert(self.now);
        }
    }

    fn tell(&mut self, event: Event) {
        match &event {
            // The silence was what the call heard.
            Event::Ended(ended) if ended.outcome == Outcome::MediaLost => {
                self.last_input = self.now;
                self.till.hear(self.now, Fact::Ended);
            }
            Event::Answered(_) => self.till.hear(self.now, Fact::Answered),
            Event::Ended(_) if self.was_told(answered()) => self.till.hear(self.now, Fact::Ended),
            Event::Ended(_) => self.till.hear(self.now, Fact::NeverAnswered),
            _ => {}
        }
        self.told.push((self.now, event));
    }

    fn calls_left_at_the_carrier(&self) -> usize {
        let report = self.network.report();
        report
            .calls
            .iter()
            .filter(|call| call.stage != Stage::Ended)
            .count()
    }

    fn was_answered(&self) -> bool {
        self.was_told(answered())
    }

    fn ended_at(&self) -> Option<Instant> {
        let is_end = |event: &Event| matches!(event, Event::Ended(_));
        let end = self.told.iter().find(|(_, event)| is_end(event));
        end.map(|(at, _)| *at)
    }

    /// From the answer to the end, if it was answered and is over.
    fn talked(&self) -> Option<Duration> {
        let answer = self.told.iter().find(|(_, event)| answered()(event));
        let (answered_at, _) = answer?;
        Some(self.ended_at()? - *answered_at)
    }
}

fn carrier_peer() -> Peer {
    Peer::udp(NetworkOptions::default().sip)
}

pub(crate) fn ringing() -> impl Fn(&Event) -> bool {
    |event| matches!(event, Event::Ringing)
}

pub(crate) fn early_sound() -> impl Fn(&Event) -> bool {
    |event| matches!(event, Event::EarlyMedia(_))
}

pub(crate) fn answered() -> impl Fn(&Event) -> bool {
    |event| matches!(event, Event::Answered(_))
}

pub(crate) fn held() -> impl Fn(&Event) -> bool {
    |event| matches!(event, Event::Held)
}

pub(crate) fn resumed() -> impl Fn(&Event) -> bool {
    |event| matches!(event, Event::Resumed)
}

pub(crate) fn over(outcome: Outcome) -> impl Fn(&Event) -> bool {
    move |event| matches!(event, Event::Ended(ended) if ended.outcome == outcome)
}
