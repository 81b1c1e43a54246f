use std::collections::VecDeque;
use std::time::Instant;

use housecall_media::sdp::{AudioSession, Description, Direction, MediaTarget};
use housecall_sip::user_agent::{Body, CallHandle, Invite};
use housecall_sip::{AgentOptions, Message, NameAddr, Peer, UriError, UserAgent};

use super::{BadTrunk, Dial, Event, Output};
use crate::Route;

/// What every state of a call needs: the line to the trunk.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) agent: UserAgent,
    pub(super) call: CallHandle,
    pub(super) call_id: String,
    pub(super) peer: Peer,
    pub(super) audio: AudioSession,
    pub(super) outputs: VecDeque<Output>,
}

impl Line {
    /// Sends the INVITE with our offer.
    pub(super) fn dial(now: Instant, dial: Dial) -> Result<Self, BadTrunk> {
        let mut agent = UserAgent::new(AgentOptions {
            contact_user: dial.caller_id.to_string(),
            timers: dial.timers,
            ..AgentOptions::new(dial.contact, dial.seed)
        });
        let mut audio = AudioSession::new(session_id(&mut agent), dial.media, &dial.codecs);
        let offer = audio.offer(Direction::SendRecv);
        let route = dial.routes.first().ok_or(BadTrunk::NoRoute)?;
        let invite = invite(&dial, route, offer).map_err(|error| BadTrunk::Address {
            trunk: route.trunk.name.clone(),
            error,
        })?;
        let call = agent.invite(now, invite);
        let call_id = agent.call_id(call).unwrap_or_default().to_owned();
        Ok(Self {
            agent,
            call,
            call_id,
            peer: route.peer,
            audio,
            outputs: VecDeque::new(),
        })
    }

    pub(super) fn tell(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    /// What an answer to our offer agrees to; none if it carries none, or none that we can use.
    pub(super) fn agreed(&self, message: &Message, offered: Direction) -> Option<MediaTarget> {
        let answer = Description::parse(message.body()).ok()?;
        self.audio.agreed(&answer, offered).ok()
    }
}

fn invite(dial: &Dial, route: &Route, offer: String) -> Result<Invite, UriError> {
    let trunk = &route.trunk;
    let uri = trunk.uri_of(&dial.to)?;
    Ok(Invite {
        to_peer: route.peer,
        from: trunk.from(&dial.caller_id)?,
        to: NameAddr::new(uri.clone()),
        uri,
        headers: trunk.asserted(&dial.caller_id),
        body: Some(Body::sdp(offer)),
        credentials: trunk.credentials.clone(),
    })
}

/// RFC 8866 §5.2 wants a number; some devices read only 63 bits of it.
fn session_id(agent: &mut UserAgent) -> u64 {
    agent.random() >> 1
}
