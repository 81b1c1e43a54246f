use std::time::Instant;

use housecall_media::sdp::{AudioSession, Codec, Direction, SrtpOffer};
use housecall_sip::user_agent::{Body, CallHandle, Invite};
use housecall_sip::{AgentOptions, NameAddr, UriError, UserAgent};

use super::{BadTrunk, Dial};
use crate::{Number, Route, SrtpPolicy, Trunk, headers};

/// One INVITE and what comes of it. A call makes further attempts where the first leads nowhere.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) agent: UserAgent,
    pub(super) call: CallHandle,
    pub(super) call_id: String,
    pub(super) audio: AudioSession,
    pub(super) aim: Aim,
}

/// What an attempt tries.
#[derive(Clone, Debug)]
pub(super) struct Aim {
    /// Index into the routes.
    pub(super) route: usize,
    pub(super) to: Number,
    /// Whether SRTP is offered.
    pub(super) secure: bool,
    /// How many attempts were made before.
    pub(super) count: usize,
    /// How many redirects have led here.
    pub(super) hops: u8,
}

impl Aim {
    /// The first attempt of a route.
    pub(super) fn at(dial: &Dial, route: usize, count: usize) -> Option<Self> {
        let Route { trunk, .. } = dial.routes.get(route)?;
        Some(Self {
            route,
            to: dial.to.clone(),
            secure: trunk.srtp != SrtpPolicy::Off,
            count,
            hops: 0,
        })
    }
}

impl Attempt {
    /// Sends the INVITE with our offer.
    ///
    /// Every attempt has a user agent of its own: another trunk may want another Contact and other timers, and RFC 3261 §8.1.1.4 wants
    /// another Call-ID.
    pub(super) fn start(now: Instant, dial: &Dial, aim: Aim, seed: u64) -> Result<Self, BadTrunk> {
        let route = dial.routes.get(aim.route).ok_or(BadTrunk::NoRoute)?;
        let mut agent = UserAgent::new(AgentOptions {
            contact_user: route.trunk.contact_user(&dial.caller_id),
            contact_host: route.trunk.identity.contact_host.clone(),
            timers: dial.timers,
            reliable: route.trunk.reliable,
            session_timer: route.trunk.session_timer,
            large: route.trunk.large,
            ..AgentOptions::new(dial.contact, seed)
        });
        let spoken: Vec<Codec> = spoken_to(&route.trunk).collect();
        let audio = AudioSession::new(session_id(&mut agent), dial.media, &spoken);
        let mut audio = match dial.secret.as_ref().filter(|_| aim.secure) {
            Some(secret) => audio.with_srtp(SrtpOffer {
                local: secret.key(aim.count),
            }),
            None => audio,
        };
        let mut invite = invite(dial, route, &aim.to)?;
        invite.body = Some(Body::sdp(audio.offer(Direction::SendRecv)));
        let call = agent.invite(now, invite);
        let call_id = agent.call_id(call).unwrap_or_default().to_owned();
        Ok(Self {
            agent,
            call,
            call_id,
            audio,
            aim,
        })
    }
}

fn spoken_to(trunk: &Trunk) -> impl Iterator<Item = Codec> {
    trunk.codecs.iter().copied().chain([Codec::TelephoneEvent])
}

/// Says whether INVITEs can be written for every route, so that no fault shows only when the first trunk is down.
pub(super) fn check(dial: &Dial) -> Result<(), BadTrunk> {
    if dial.routes.is_empty() {
        return Err(BadTrunk::NoRoute);
    }
    headers::check(&dial.headers).map_err(|error| BadTrunk::Header {
        trunk: String::new(),
        error,
    })?;
    let mut routes = dial.routes.iter();
    routes.try_for_each(|route| invite(dial, route, &dial.to).map(drop))
}

fn invite(dial: &Dial, route: &Route, to: &Number) -> Result<Invite, BadTrunk> {
    let trunk = &route.trunk;
    let bad = |error: UriError| BadTrunk::Address {
        trunk: trunk.name.clone(),
        error,
    };
    trunk.check()?;
    if trunk.srtp != SrtpPolicy::Off && dial.secret.is_none() {
        let trunk = trunk.name.clone();
        return Err(BadTrunk::NoSecret { trunk });
    }
    let mut headers = trunk.asserted(&dial.caller_id);
    headers.extend(trunk.headers.iter().chain(&dial.headers).cloned());
    let uri = trunk.uri_of(to).map_err(bad)?;
    Ok(Invite {
        to_peer: route.peer,
        from: trunk.from(&dial.caller_id).map_err(bad)?,
        to: NameAddr::new(uri.clone()),
        uri,
        headers,
        body: None,
        credentials: trunk.credentials.clone(),
    })
}

/// RFC 8866 §5.2 wants a number; some devices read only 63 bits of it.
fn session_id(agent: &mut UserAgent) -> u64 {
    agent.random() >> 1
}
