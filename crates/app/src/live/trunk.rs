//! What the configuration says of a trunk, as the engine is told it.

use std::io;
use std::path::Path;
use std::time::Duration;

use housecall::sip::{Credentials, SessionTimer, Target, Transport};
use housecall::trunk::{Codec, LargeRequests, NumberFormat, Override, Overrides, Preset, Privacy};
use housecall::{Country, Trunk, TrunkSetup};

use super::LiveError;
use crate::config;

/// Reads the trunk's secret and sets it up, for a practice in `country`.
///
/// # Errors
/// The password cannot be read, or the settings make no trunk.
pub fn setup(configured: &config::Trunk, country: Country) -> Result<TrunkSetup, LiveError> {
    let trunk = spoken_to(configured, country, credentials(configured)?);
    trunk.check()?;
    let mut setup = TrunkSetup::new(trunk, target(configured));
    if let Some(name) = &configured.tls_name {
        setup.tls_name = name.as_str().to_owned();
    }
    if let Some(seconds) = configured.ping_seconds {
        setup.ping = (seconds > 0).then(|| Duration::from_secs(seconds.into()));
    }
    match &configured.username {
        Some(username) if configured.registers() => Ok(setup.with_registration(username.as_str())),
        _ => Ok(setup),
    }
}

/// Where it is.
fn target(configured: &config::Trunk) -> Target {
    let transport = configured.transport.map(Transport::from);
    Target {
        port: configured.port,
        transport,
        secure: transport == Some(Transport::Tls),
        ..Target::new(configured.host().unwrap_or_default())
    }
}

/// How it wants to be spoken to: the preset, then what is written beside it.
fn spoken_to(
    configured: &config::Trunk,
    country: Country,
    credentials: Option<Credentials>,
) -> Trunk {
    let name = configured.name.as_str();
    let domain = in_uri(configured.domain().unwrap_or_default());
    let transport = configured.transport.map_or(Transport::Udp, Transport::from);
    let mut trunk = match configured.preset {
        Some(preset) => Preset::from(preset).trunk(name, &domain, transport, credentials),
        None => Trunk {
            credentials,
            ..Trunk::new(name, &domain)
        },
    };
    identify(&mut trunk, configured, country);
    choose(&mut trunk, configured);
    if let Some(seconds) = configured.session_expires {
        trunk.session_timer = (seconds > 0).then(|| SessionTimer {
            expires: Duration::from_secs(seconds.into()),
            ..SessionTimer::default()
        });
    }
    if let Some(millis) = configured.answer_within_ms {
        trunk.answer_within = Duration::from_millis(millis.into());
    }
    if let Some(millis) = configured.give_up_after_ms {
        trunk.give_up_after = Duration::from_millis(millis.into());
    }
    let headers = configured.headers.iter();
    trunk
        .headers
        .extend(headers.map(|(name, value)| (name.as_str().to_owned(), value.as_str().to_owned())));
    trunk.outcomes = outcomes(configured);
    trunk
}

/// What is one of several ways.
fn choose(trunk: &mut Trunk, configured: &config::Trunk) {
    if let Some(codecs) = &configured.codecs {
        trunk.codecs = codecs.iter().copied().map(Codec::from).collect();
    }
    if let Some(wish) = configured.srtp {
        trunk.srtp = wish.into();
    }
    if let Some(wish) = configured.reliable {
        trunk.reliable = wish.into();
    }
    if let Some(policy) = configured.redirects {
        trunk.redirects = policy.into();
    }
    if let Some(wish) = configured.dtmf {
        trunk.dtmf = wish.into();
    }
    if let Some(over_tcp) = configured.tcp_for_large {
        trunk.large = match over_tcp {
            true => LargeRequests::TcpFirst,
            false => LargeRequests::UdpAlone,
        };
    }
}

fn identify(trunk: &mut Trunk, configured: &config::Trunk, country: Country) {
    let identity = &mut trunk.identity;
    if let Some(user) = &configured.from_user {
        identity.from_user = Some(user.as_str().to_owned());
    }
    if let Some(host) = &configured.from_host {
        identity.from_host = Some(in_uri(host.as_str()));
    }
    if let Some(host) = &configured.contact_host {
        identity.contact_host = Some(in_uri(host.as_str()));
    }
    if let Some(asserts) = configured.asserts {
        identity.asserts = asserts.into();
    }
    if let Some(is_phone) = configured.user_is_phone {
        identity.user_is_phone = is_phone;
    }
    if let Some(format) = configured.number_format {
        identity.number_format = match format {
            config::NumberFormat::E164Plus => NumberFormat::E164Plus,
            config::NumberFormat::E164 => NumberFormat::E164,
            config::NumberFormat::National => NumberFormat::National(country),
        };
    }
    if let Some(prefix) = &configured.prefix {
        identity.prefix = prefix.as_str().to_owned();
    }
    if configured.privacy == Some(true) {
        identity.privacy = Privacy::Withheld;
    }
}

fn outcomes(configured: &config::Trunk) -> Overrides {
    let meant = |(status, name): (&config::Status, &config::OutcomeName)| {
        Override::of_status(status.code(), (*name).into())
    };
    Overrides::new(configured.outcomes.iter().map(meant).collect())
}

/// An address of IPv6 stands in brackets (RFC 3986 §3.2.2).
fn in_uri(host: &str) -> String {
    match host.parse::<std::net::Ipv6Addr>() {
        Ok(address) => format!("[{address}]"),
        Err(_) => host.to_owned(),
    }
}

fn credentials(configured: &config::Trunk) -> Result<Option<Credentials>, LiveError> {
    let (Some(username), Some(file)) = (&configured.username, &configured.password_file) else {
        return Ok(None);
    };
    let what = format!("the password of trunk {:?}", configured.name.as_str());
    let password = read_secret(file).map_err(LiveError::unreadable(what, file))?;
    let credentials = Credentials::new(username.as_str(), &password);
    Ok(Some(match &configured.realm {
        Some(realm) => credentials.for_realm(realm.as_str()),
        None => credentials,
    }))
}

/// A secret is the file's text without the line end that editors add.
fn read_secret(file: &Path) -> io::Result<String> {
    let text = std::fs::read_to_string(file)?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    /// The setup of a trunk with these further lines, whose password is in a file of this test.
    fn of(name: &str, lines: &str) -> TrunkSetup {
        let file = std::env::temp_dir().join(format!("housecall-{name}-{}", std::process::id()));
        std::fs::write(&file, "open sesame\n").unwrap();
        let text = format!(
            "[[trunks]]\nname = \"A\"\nhost = \"a.example\"\nusername = \"u\"\npassword_file = {:?}\n{lines}",
            file.display().to_string()
        );
        let config = Config::from_toml("f", &text).unwrap();
        let setup = setup(&config.trunks[0], Country::Au);
        std::fs::remove_file(file).unwrap();
        setup.unwrap()
    }

    #[test]
    fn codecs_stand_in_the_order_of_the_file() {
        let setup = of("codecs", "codecs = [\"opus\", \"g722\", \"pcma\"]\n");
        assert_eq!(setup.trunk.codecs, [Codec::Opus, Codec::G722, Codec::Pcma]);
        assert_eq!(of("no-codecs", "").trunk.codecs, Trunk::CODECS);
    }

    #[test]
    fn a_realm_binds_the_password_to_it() {
        let credentials = |setup: &TrunkSetup| setup.trunk.credentials.clone().unwrap();
        let bound = credentials(&of("realm", "realm = \"carrier.example\"\n"));
        let expected = Credentials::new("u", "open sesame");
        assert_eq!(bound, expected.clone().for_realm("carrier.example"));
        assert_eq!(credentials(&of("no-realm", "")), expected);
    }
}
