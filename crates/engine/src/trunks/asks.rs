//! What a trunk is asked outside calls; whoever asks says the same.

use std::net::SocketAddr;
use std::time::Instant;

use housecall_phone::Trunk;
use housecall_sip::registration::{Registration, RegistrationOptions};
use housecall_sip::user_agent::Ask;
use housecall_sip::{AgentOptions, Method, Name, NameAddr, Peer, Uri, UriError};

use super::{TrunkMode, TrunkSetup};

/// Who we are to this trunk: some let in only whom they find in a Contact.
pub(crate) fn agent(setup: &TrunkSetup, local: SocketAddr, seed: u64) -> AgentOptions {
    let user = match &setup.mode {
        TrunkMode::Registration { user, .. } => Some(user),
        TrunkMode::IpAuth => setup.trunk.identity.from_user.as_ref(),
    };
    AgentOptions {
        contact_user: user.cloned().unwrap_or_default(),
        contact_host: setup.trunk.identity.contact_host.clone(),
        ..AgentOptions::new(local, seed)
    }
}

/// OPTIONS to the trunk itself (RFC 3261 §11.1).
pub(crate) fn options(trunk: &Trunk, to: Peer, agent: &AgentOptions) -> Result<Ask, UriError> {
    let from_host = trunk.identity.from_host.as_deref();
    let from_user = trunk.identity.from_user.as_deref();
    let from = Uri::sip(
        from_user.unwrap_or("ping"),
        from_host.unwrap_or(&trunk.domain),
    )?;
    let uri = Uri::sip("", &trunk.domain)?;
    let header = |name: Name<'_>, value: String| (name.as_str().to_owned(), value);
    let contact = agent.contact(to.transport);
    let contact = contact.map(|it| header(Name::Contact, it.to_string()));
    let accept = header(Name::Accept, "application/sdp".to_owned());
    Ok(Ask {
        headers: [accept].into_iter().chain(contact).collect(),
        ..ask(trunk, Method::Options, to, from, uri)
    })
}

/// Where our account is registered: a REGISTER without a Contact, which registers nothing (RFC 3261 §10.2.3).
pub(crate) fn bindings(setup: &TrunkSetup, to: Peer) -> Result<Ask, UriError> {
    let trunk = &setup.trunk;
    let known = trunk.credentials.as_ref();
    let user = match &setup.mode {
        TrunkMode::Registration { user, .. } => user.as_str(),
        TrunkMode::IpAuth => known.map_or("", |known| &known.username),
    };
    let us = Uri::sip(user, &trunk.domain)?;
    let uri = Uri::sip("", &trunk.domain)?;
    Ok(Ask {
        to: NameAddr::new(us.clone()),
        ..ask(trunk, Method::Register, to, us, uri)
    })
}

fn ask(trunk: &Trunk, method: Method, to_peer: Peer, from: Uri, uri: Uri) -> Ask {
    Ask {
        method,
        to_peer,
        from: NameAddr::new(from),
        to: NameAddr::new(uri.clone()),
        uri,
        headers: Vec::new(),
        body: None,
        credentials: trunk.credentials.clone(),
        call_id: None,
        cseq: None,
    }
}

/// Our registration with this trunk; none where it asks for none.
pub(crate) fn registration(
    now: Instant,
    setup: &TrunkSetup,
    agent: &AgentOptions,
    seed: u64,
) -> Result<Option<Registration>, UriError> {
    let TrunkMode::Registration { user, expires } = &setup.mode else {
        return Ok(None);
    };
    let address = Uri::sip(user, &setup.trunk.domain)?;
    let registrar = Uri::sip("", &setup.trunk.domain)?;
    let options = RegistrationOptions {
        credentials: setup.trunk.credentials.clone(),
        expires: *expires,
        ..RegistrationOptions::new(address, registrar, agent.clone())
    };
    Ok(Some(Registration::new(now, options, seed)))
}
