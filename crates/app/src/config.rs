//! Everything that can be configured, read once in `main`.
//!
//! A TOML file first, then `HOUSECALL_*` variables over it; secrets are files of their own. Without a file Housecall is a
//! demonstration: a small clinic in one SQLite file, on this machine only, whose telephone network is inside the program.

#[cfg(test)]
mod tests;
mod trunk;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use housecall::Tariff;
use housecall_store::{Address, NodePlan};
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};
use toml::Spanned;

pub use trunk::{
    Asserts, Digits, DtmfWish, NumberFormat, OutcomeName, Preset, RedirectPolicy, ReliableWish,
    SrtpWish, Trunk, TrunkCodec, TrunkTransport,
};
pub use words::{ExternalAddress, HeaderName, HostName, Line, Status};

/// The whole configuration.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The pages.
    pub server: Server,
    /// This process, where several share a PostgreSQL database.
    pub node: NodeConfig,
    /// Sound and pictures.
    pub media: Media,
    /// What trunks are told of us, and whom we believe.
    pub sip: Sip,
    /// When people may come in.
    pub visits: Visits,
    /// The ways to the telephone network, best first. Without one, no calls; the demonstration brings its own.
    pub trunks: Vec<Trunk>,
    /// True: seed a small clinic and print links to sign in. Default: true without a file, false with one.
    pub demo: bool,
    /// True: tests may move the meter's clock and ask what the pretend network heard. Default false; only in a demonstration.
    pub test_bench: bool,
}

/// The pages.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    /// Address and port to listen on. Default `127.0.0.1:8080`: this machine only.
    pub bind: SocketAddr,
    /// What people type, such as `https://clinic.example`. Default: `http://localhost` and the port.
    pub public_url: Option<String>,
    /// Directory of the database. Default `./data`.
    pub data: PathBuf,
    /// The database, where it is not `housecall.sqlite` in that directory: another file, or `postgres://user@host/database`, whose password may
    /// stand behind the user, or in the file that the variable PGPASSFILE names.
    #[serde(deserialize_with = "database")]
    pub database: Option<Address>,
    /// Directory on this machine's disk in which what happens in visits and calls is kept while the database is away. Default: `spool` in `data`.
    /// Processes may share it if they share the database.
    pub spool: Option<PathBuf>,
}

/// This process among others that share its PostgreSQL database.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NodeConfig {
    /// What people call it. Default: host and port of `url`.
    pub name: Option<String>,
    /// Where browsers reach this very process, whatever stands in front of all, such as `https://one.clinic.example`. A consultation is held
    /// where it was opened first, and pages that ask elsewhere are sent there. Default: `server.public_url`, which is right for one alone.
    pub url: Option<String>,
}

/// Sound and pictures.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Media {
    /// Address that browsers and the trunk send media to. Default `127.0.0.1`; Firefox needs an address of the network instead.
    pub address: IpAddr,
    /// First UDP port; each shard takes one. 0 (default): whatever is free.
    pub port: u16,
    /// How many threads carry media. 0 (default): one for each processor.
    pub shards: u16,
    /// A WAV or Ogg Opus file that people on hold hear, again and again. Default: Housecall's own music.
    pub hold_music: Option<PathBuf>,
    /// True: noise around the voice of who is rung is taken away, which makes it some 20 ms later. Default false.
    pub suppress_noise: bool,
    /// True: keys pressed at a phone are also heard as tones, where its trunk agrees to no telephone events. Default false.
    pub hear_tones: bool,
    /// True: a browser is asked for G.711 where a trunk speaks it, which is passed on undecoded: for servers with very many calls and clinics
    /// with good lines. Default false.
    pub straight_g711: bool,
    /// True: ICE lite, for a server with an address of its own on the Internet. Default false.
    pub ice_lite: bool,
}

/// What trunks are told of us, and whom we believe.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sip {
    /// The address by which trunks reach `media.address`, where a NAT that passes every port on stands between, as at cloud providers.
    /// Default: `media.address` itself.
    pub external_address: Option<ExternalAddress>,
    /// A PEM file with further roots: the certificate authorities of trunks that have their own. Those that browsers trust are trusted anyway.
    pub roots_file: Option<PathBuf>,
}

/// When people may come in (V5).
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Visits {
    /// Patients may check in this many minutes before the start. Default 15.
    pub patient_minutes_before: u16,
    /// Practitioners see Join this many minutes before the start. Default 10.
    pub practitioner_minutes_before: u16,
    /// Links still open the waiting room this many minutes after the booked end. Default 240, the longest a visit can last (V15).
    pub minutes_after: u16,
    /// What time costs: every block from Join to Disconnect (`standard`, the default), or the blocks alone in which patient and practitioner
    /// were connected together (`attended`). A visit keeps what it began with (M6).
    pub tariff: VisitTariff,
}

/// What the time of a visit costs.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum VisitTariff {
    /// M4.
    #[default]
    Standard,
    /// M5.
    Attended,
}

impl From<VisitTariff> for Tariff {
    fn from(tariff: VisitTariff) -> Self {
        match tariff {
            VisitTariff::Standard => Self::STANDARD,
            VisitTariff::Attended => Self::ATTENDED,
        }
    }
}

/// What is wrong with the configuration, and where.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {file}: {why}")]
    Unreadable {
        /// Which file.
        file: String,
        /// What the system says.
        why: std::io::Error,
    },
    /// The file says something we do not understand.
    #[error("{file}, line {line}: {why}")]
    Wrong {
        /// Which file.
        file: String,
        /// Counted from 1.
        line: usize,
        /// What is wrong there.
        why: String,
    },
    /// A variable says something we do not understand.
    #[error("the variable {name} is wrong: {why}")]
    Variable {
        /// Which variable.
        name: String,
        /// What is wrong with it.
        why: String,
    },
    /// Each value is right and together they are not.
    #[error("{0}")]
    Contradiction(String),
}

impl Default for Server {
    fn default() -> Self {
        Self {
            bind: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            public_url: None,
            data: PathBuf::from("data"),
            database: None,
            spool: None,
        }
    }
}

impl Default for Media {
    fn default() -> Self {
        Self {
            address: Ipv4Addr::LOCALHOST.into(),
            port: 0,
            shards: 0,
            hold_music: None,
            suppress_noise: false,
            hear_tones: false,
            straight_g711: false,
            ice_lite: false,
        }
    }
}

impl Default for Visits {
    fn default() -> Self {
        Self {
            patient_minutes_before: 15,
            practitioner_minutes_before: 10,
            minutes_after: 240,
            tariff: VisitTariff::default(),
        }
    }
}

impl Config {
    /// Returns the demonstration: what runs without a file.
    pub fn demo() -> Self {
        Self {
            demo: true,
            ..Self::default()
        }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read, or says something unknown: the error names the line.
    pub fn from_file(file: &Path) -> Result<Self, ConfigError> {
        let named = file.display().to_string();
        let text = std::fs::read_to_string(file).map_err(|why| ConfigError::Unreadable {
            file: named.clone(),
            why,
        })?;
        Self::from_toml(&named, &text)
    }

    /// Reads the text of a file called `file`.
    ///
    /// # Errors
    /// When it says something unknown: the error names the line.
    pub fn from_toml(file: &str, text: &str) -> Result<Self, ConfigError> {
        let wrong = |at, why| ConfigError::Wrong {
            file: file.to_owned(),
            line: line_of(text, at),
            why,
        };
        let unreadable = |error: toml::de::Error| {
            let at = error.span().map_or(0, |span| span.start);
            wrong(at, error.message().to_owned())
        };
        let config: Self = toml::from_str(text).map_err(unreadable)?;
        let places: Places = toml::from_str(text).map_err(unreadable)?;
        match config.wrong_trunk() {
            Some((index, why)) => {
                let place = places
                    .trunks
                    .get(index)
                    .map_or(0, |trunk| trunk.span().start);
                Err(wrong(place, why))
            }
            None => Ok(config),
        }
    }

    /// The first trunk that contradicts itself, or another.
    fn wrong_trunk(&self) -> Option<(usize, String)> {
        let mut names = BTreeSet::new();
        self.trunks.iter().enumerate().find_map(|(index, trunk)| {
            let name = trunk.name.as_str();
            let again = (!names.insert(name)).then(|| format!("there is a trunk {name:?} already"));
            Some((index, again.or_else(|| trunk.contradiction())?))
        })
    }

    /// Lets `HOUSECALL_*` variables overrule the file.
    ///
    /// # Errors
    /// When a variable's value cannot be understood. Variables of ours that we do not know are refused too: a misspelt setting is worse than none.
    pub fn overrule(mut self, variables: &BTreeMap<String, String>) -> Result<Self, ConfigError> {
        for (name, value) in variables {
            let Some(setting) = name.strip_prefix("HOUSECALL_") else {
                continue;
            };
            self.set(setting, value)
                .map_err(|why| ConfigError::Variable {
                    name: name.clone(),
                    why,
                })?;
        }
        Ok(self)
    }

    fn set(&mut self, setting: &str, value: &str) -> Result<(), String> {
        match setting {
            "BIND" => self.server.bind = parsed(value)?,
            "PORT" => self.server.bind.set_port(parsed(value)?),
            "PUBLIC_URL" => self.server.public_url = Some(value.to_owned()),
            "DATA" => self.server.data = PathBuf::from(value),
            "DATABASE" => self.server.database = Some(value.trim().into()),
            "SPOOL" => self.server.spool = Some(PathBuf::from(value)),
            "NODE_NAME" => self.node.name = Some(value.trim().to_owned()),
            "NODE_URL" => self.node.url = Some(value.trim().to_owned()),
            "MEDIA_ADDRESS" => self.media.address = parsed(value)?,
            "MEDIA_PORT" => self.media.port = parsed(value)?,
            "MEDIA_SHARDS" => self.media.shards = parsed(value)?,
            "EXTERNAL_ADDRESS" => {
                self.sip.external_address = Some(value.trim().to_owned().try_into()?);
            }
            "DEMO" => self.demo = truth(value)?,
            "TEST" => self.test_bench = truth(value)?,
            // The tests' data and server, and the choice of the file itself.
            "SHARED" | "TEST_POSTGRES" | "CONFIG" => {}
            _ => return Err("there is no such setting".to_owned()),
        }
        Ok(())
    }

    /// Checks what one value alone cannot show.
    ///
    /// # Errors
    /// When two settings contradict each other or the public address is not one.
    pub fn check(self) -> Result<Self, ConfigError> {
        for (setting, url) in [
            ("server.public_url", &self.server.public_url),
            ("node.url", &self.node.url),
        ] {
            if let Some(url) = url.as_ref().filter(|url| authority(url).is_none()) {
                return Err(ConfigError::Contradiction(format!(
                    "{setting} is `{url}`: it must be http:// or https:// and a host, without a path"
                )));
            }
        }
        if self
            .node
            .url
            .as_deref()
            .is_some_and(|url| url.starts_with("https://") != self.server.is_https())
        {
            return Err(ConfigError::Contradiction(
                "node.url and server.public_url: write https:// in both, or http:// in both, since a page of one speaks with the other".to_owned(),
            ));
        }
        if let Some(external) = self.sip.external_address.map(ExternalAddress::ip)
            && external.is_ipv4() != self.media.address.is_ipv4()
        {
            let inside = self.media.address;
            return Err(ConfigError::Contradiction(format!(
                "sip.external_address is {external} and media.address is {inside}: write two addresses of IPv4, or two of IPv6"
            )));
        }
        if self.demo && !self.trunks.is_empty() {
            return Err(ConfigError::Contradiction(
                "demo brings its own telephone network: remove [[trunks]] or set demo = false"
                    .to_owned(),
            ));
        }
        if self.test_bench && !self.demo {
            return Err(ConfigError::Contradiction(
                "test_bench belongs to a demonstration: it lets anybody move the meter's clock"
                    .to_owned(),
            ));
        }
        Ok(self)
    }

    /// Returns how this process presents itself to others on its database.
    pub fn node_plan(&self) -> NodePlan {
        let public = || self.server.public_url();
        let url = self.node.url.clone().unwrap_or_else(public);
        let url = url.trim_end_matches('/').to_owned();
        let name = self.node.name.clone();
        let name = name.or_else(|| authority(&url).map(str::to_owned));
        NodePlan {
            name: name.unwrap_or_else(|| url.clone()),
            url,
        }
    }

    /// True for a `Host` that is ours: see [`Server::serves_host`], and the one by which this very process is reached.
    pub fn serves_host(&self, host: &str) -> bool {
        let own = self.node.url.as_deref().and_then(authority);
        own.is_some_and(|own| own.eq_ignore_ascii_case(host)) || self.server.serves_host(host)
    }

    /// Returns where is kept what happens while the database is away.
    pub fn spool(&self) -> PathBuf {
        let beside = || self.server.data.join("spool");
        self.server.spool.clone().unwrap_or_else(beside)
    }

    /// Returns where the database is.
    pub fn database(&self) -> Address {
        let file = || self.server.data.join("housecall.sqlite").into();
        self.server.database.clone().unwrap_or_else(file)
    }
}

fn database<'de, D: Deserializer<'de>>(text: D) -> Result<Option<Address>, D::Error> {
    Ok(Some(String::deserialize(text)?.trim().into()))
}

/// Where in a file its trunks begin.
#[derive(Deserialize)]
struct Places {
    #[serde(default)]
    trunks: Vec<Spanned<IgnoredAny>>,
}

impl Server {
    /// Returns the address that people type, without a slash at its end.
    pub fn public_url(&self) -> String {
        let url = self
            .public_url
            .clone()
            .unwrap_or_else(|| format!("http://localhost:{}", self.bind.port()));
        url.trim_end_matches('/').to_owned()
    }

    /// True when people reach us over TLS (which a proxy in front ends).
    pub fn is_https(&self) -> bool {
        self.public_url
            .as_deref()
            .is_some_and(|url| url.starts_with("https://"))
    }

    /// True for a `Host` that is ours: the public address, or this machine's own names on any port.
    ///
    /// Anything else is a page that made its own name point at us (DNS rebinding).
    pub fn serves_host(&self, host: &str) -> bool {
        let public = self.public_url.as_deref().and_then(authority);
        if public.is_some_and(|ours| ours.eq_ignore_ascii_case(host)) {
            return true;
        }
        !self.is_https()
            && (is_this_machine(host) || host.eq_ignore_ascii_case(&self.bind.to_string()))
    }
}

fn is_this_machine(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !port.is_empty() => name,
        _ => host,
    };
    name.eq_ignore_ascii_case("localhost") || name == "127.0.0.1" || name == "[::1]"
}

/// Returns `host:port` of `http://host:port`, if that is all there is.
fn authority(url: &str) -> Option<&str> {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"))?;
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let plain = !rest.is_empty()
        && rest
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-.:[]".contains(&b));
    plain.then_some(rest)
}

fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(value: &str) -> Result<T, String> {
    value
        .trim()
        .parse()
        .map_err(|why| format!("`{value}`: {why}"))
}

fn truth(value: &str) -> Result<bool, String> {
    match value.trim() {
        "1" | "true" => Ok(true),
        "0" | "false" | "" => Ok(false),
        other => Err(format!("`{other}`: say true or false")),
    }
}

fn line_of(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|b| *b == b'\n').count()
}
