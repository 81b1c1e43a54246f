//! `housecall trunk check`: finds a trunk, connects, proves who we are, registers or pings, and rings somebody if asked.
//!
//! ```text
//!   chosen ──► find (NAPTR, SRV, A, AAAA) ──► us ──► for each address: connect ─► sign in ─► register ─► ping
//!                                                     └──► dial ─► ring ─► answer ─► sound ─► hang up ──► leave
//!   each is a Step: a mark, a noun, what the other side said; what that means and what to do, where it failed ──► Report
//! ```
//!
//! What is asked is what an engine asks: the same [`Softphone`] machines, the trunk as it is configured. Nothing secret is written: a
//! password and what is computed from it never leave the telephone, and texts of the trunk are cleaned of what a terminal would obey.
//!
//! A registration of somebody else is looked for first and left alone: a trunk may know one place for an account, and that of a running
//! clinic is worth more than a check.

mod address;
mod connect;
mod find;
mod ping;
mod practice;
mod probe;
mod register;
mod report;
mod sign_in;
mod step;
mod test_call;
#[cfg(test)]
mod tests;
mod text;
mod words;

use std::io::Write;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use housecall::dns::{Dns, SystemDns};
use housecall::sip::{SipOptions, Transport};
#[cfg(doc)]
use housecall::softphone::Softphone;
use housecall::{DestinationRefused, Reach, TrunkMode, TrunkSetup};
use housecall_store::Address;

use crate::config::{Config, ExternalAddress};
use crate::live::{LiveError, roots, trunk};
use practice::Practice;
use probe::Probe;
use report::Report;
use test_call::TestCall;

/// What `trunk check --help` prints.
pub const HELP: &str = "\
Checks the trunks of the configuration: finds their addresses, connects, signs in and registers where they want that, asks
by OPTIONS whether they are there, and shows each step with what the other side said.

Usage: housecall trunk check [NAME] [--call NUMBER] [--from NUMBER] [--yes] [--config FILE] [--data DIRECTORY]

  NAME               check this trunk alone
  --call NUMBER      ring this number over each trunk as well: whoever answers hears silence for some seconds. The provider may
                     charge for that; credits are not touched. Emergency, premium and foreign numbers are refused as ever
  --from NUMBER      the number to call from (default: the practice's first active number)
  --yes              ring without asking; without a terminal nobody is asked anyway
  --config FILE      read this configuration (also HOUSECALL_CONFIG)
  --data DIRECTORY   where the database is, for the practice's country and number; it is only read
  --help             print this

A registration that is there already is left as it is. Passwords are never shown.

Exit status: 0 all is well, 1 a step failed, 2 the command or the configuration makes no sense.
";

/// What a check is asked for.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Wish {
    /// The name of one trunk; all of them if none is named.
    pub trunk: Option<String>,
    /// The number to ring, as a person writes it.
    pub call: Option<String>,
    /// The number to ring from.
    pub from: Option<String>,
    /// Ring without asking.
    pub yes: bool,
}

/// How a check goes about it, with the reason of each default.
#[derive(Clone, Debug)]
pub struct Manner {
    /// Who is asked where trunks are. The machine's name servers.
    pub dns: Arc<dyn Dns>,
    /// How long an answer is waited for. 8 s, as a registration does: five sendings over UDP.
    pub patience: Duration,
    /// How long is listened to whoever answers the test call. 5 s: some 250 packets.
    pub listen: Duration,
}

impl Default for Manner {
    fn default() -> Self {
        Self {
            dns: Arc::new(SystemDns::default()),
            patience: Duration::from_secs(8),
            listen: Duration::from_secs(5),
        }
    }
}

/// Why nothing was checked; for whoever typed the command or wrote the configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// There is nothing to check.
    #[error(
        "there is no trunk in the configuration: write [[trunks]] into a file (housecall.example.toml shows how) and name it with --config"
    )]
    NoTrunks,
    /// There is no trunk of that name.
    #[error("there is no trunk {name:?}; there is {there}")]
    NoSuchTrunk {
        /// The name that was typed.
        name: String,
        /// Those there are.
        there: String,
    },
    /// The number may not be rung (P6).
    #[error("{}", .0.words())]
    Destination(#[from] DestinationRefused),
    /// The number to call from is none.
    #[error("--from {number:?} is no number to call from: {why}")]
    From {
        /// As typed, or as the database has it.
        number: String,
        /// What is wrong with it.
        why: String,
    },
    /// Nobody said which number to call from.
    #[error(
        "no number to call from is known: write --from with a number that the provider knows as yours"
    )]
    NoFrom,
    /// A number to call from, and nobody to call.
    #[error("--from belongs to --call: write the number to ring too")]
    NoCall,
    /// The configuration makes no trunk.
    #[error(transparent)]
    Trunk(#[from] LiveError),
    /// The database is there and cannot be read.
    #[error("cannot read the practice from {database}: {why}")]
    Practice {
        /// The database.
        database: Address,
        /// What is wrong.
        why: String,
    },
}

/// What one trunk is checked with.
struct Around<'a> {
    manner: &'a Manner,
    ip: IpAddr,
    external_ip: Option<IpAddr>,
    sip: SipOptions,
    call: Call,
}

/// Whether somebody is rung.
enum Call {
    NotAsked,
    /// Whoever was asked said no.
    Declined,
    Wanted(TestCall),
}

/// Checks what `wish` names and writes what comes of it to `out`. Before somebody is rung, `agrees` is asked, unless `wish` says yes.
/// Returns how many steps have failed.
///
/// # Errors
/// [`Refused`]: nothing was sent.
pub async fn run(
    config: &Config,
    wish: &Wish,
    manner: &Manner,
    agrees: impl FnOnce(&str) -> bool,
    out: &mut dyn Write,
) -> Result<usize, Refused> {
    let practice = Practice::read(&config.database()).await?;
    let setups = setups(config, wish, &practice)?;
    let around = Around {
        manner,
        ip: config.media.address,
        external_ip: config.sip.external_address.map(ExternalAddress::ip),
        sip: roots::sip_options(config)?,
        call: call(wish, &practice, setups.len(), manner, agrees)?,
    };
    let mut report = Report::new(out);
    for setup in setups {
        report.begin(&title(&setup));
        let name = setup.trunk.name.clone();
        Probe::of(setup, &around, &mut report).await;
        report.end(&name);
    }
    Ok(report.failed_in_all())
}

fn setups(config: &Config, wish: &Wish, practice: &Practice) -> Result<Vec<TrunkSetup>, Refused> {
    if config.trunks.is_empty() {
        return Err(Refused::NoTrunks);
    }
    let is_wanted = |name: &str| wish.trunk.as_deref().is_none_or(|wanted| wanted == name);
    let wanted = config
        .trunks
        .iter()
        .filter(|it| is_wanted(it.name.as_str()));
    let setups = wanted.map(|it| Ok(for_a_check(trunk::setup(it, practice.country)?)));
    let setups = setups.collect::<Result<Vec<_>, Refused>>()?;
    match &wish.trunk {
        Some(name) if setups.is_empty() => {
            let names = config.trunks.iter().map(|it| it.name.as_str());
            let there = names.collect::<Vec<_>>().join(", ");
            Err(Refused::NoSuchTrunk {
                name: name.clone(),
                there,
            })
        }
        _ => Ok(setups),
    }
}

/// The same trunk, where a registration lasts no longer than a check.
fn for_a_check(mut setup: TrunkSetup) -> TrunkSetup {
    if let TrunkMode::Registration { expires, .. } = &mut setup.mode {
        *expires = register::EXPIRES;
    }
    setup
}

fn call(
    wish: &Wish,
    practice: &Practice,
    trunks: usize,
    manner: &Manner,
    agrees: impl FnOnce(&str) -> bool,
) -> Result<Call, Refused> {
    let Some(to) = &wish.call else {
        return match wish.from {
            Some(_) => Err(Refused::NoCall),
            None => Ok(Call::NotAsked),
        };
    };
    let call = TestCall::plan(to, wish.from.as_deref(), practice, manner.listen)?;
    let question = call.question(trunks);
    Ok(match wish.yes || agrees(&question) {
        true => Call::Wanted(call),
        false => Call::Declined,
    })
}

/// `Trunk "Carrier": sip.carrier.example over TLS, signs in as harbour-street, registers`
fn title(setup: &TrunkSetup) -> String {
    let trunk = &setup.trunk;
    let (host, transport) = match &setup.reach {
        Reach::Target(target) => (target.host.as_str(), target.transport),
        Reach::Peers(peers) => {
            let first = peers.first().map(|peer| peer.transport);
            (trunk.domain.as_str(), first)
        }
    };
    let over = transport.map(|transport: Transport| format!(" over {transport}"));
    let known = trunk.credentials.as_ref();
    let known = known.map(|it| format!(", signs in as {}", it.username));
    let registers = matches!(setup.mode, TrunkMode::Registration { .. });
    format!(
        "Trunk {:?}: {host}{}{}{}",
        trunk.name,
        over.unwrap_or_default(),
        known.unwrap_or_else(|| ", knows us by our address".to_owned()),
        if registers { ", registers" } else { "" }
    )
}
