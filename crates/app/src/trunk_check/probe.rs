use std::sync::Arc;
use std::time::Instant;

use housecall::sip::{NameError, Peer, Transport};
use housecall::softphone::{
    Asked, NoReply, NotConnected, Question, Reply, Softphone, SoftphoneOptions,
};
use housecall::{TrunkMode, TrunkSetup};
use tokio::time::timeout;

use super::report::Report;
use super::step::{Advice, Step};
use super::words::Place;
use super::{Around, Call, address, connect, find, ping, register};

/// Addresses of one trunk that are tried: as many as an engine watches.
const PEERS_MAX: usize = 6;

/// One trunk while it is checked.
pub(super) struct Probe<'a, 'o> {
    around: &'a Around<'a>,
    setup: Arc<TrunkSetup>,
    phone: Softphone,
    report: &'a mut Report<'o>,
    /// Where we have registered.
    registered: Option<Peer>,
    /// Whether the trunk has been asked to register us, or knows somebody else.
    is_settled: bool,
}

impl<'a, 'o> Probe<'a, 'o> {
    /// Checks one trunk.
    pub(super) async fn of(setup: TrunkSetup, around: &'a Around<'a>, report: &'a mut Report<'o>) {
        let (step, mut peers) = find::find(&around.manner.dns, &setup, around.ip).await;
        report.step(&step);
        peers.truncate(PEERS_MAX);
        let Some(first) = peers.first().copied() else {
            return;
        };
        let phone = match telephone(&setup, around, &peers).await {
            Ok(phone) => phone,
            Err(step) => return report.step(&step),
        };
        let theirs = first.addr.ip();
        report.step(&address::step(phone.local(), around.external_ip, theirs));
        let probe = Self {
            around,
            setup: Arc::new(setup),
            phone,
            report,
            registered: None,
            is_settled: false,
        };
        probe.run(&peers).await;
    }

    async fn run(mut self, peers: &[Peer]) {
        let mut connected = Vec::new();
        for peer in peers {
            if self.connects(*peer).await {
                connected.push(*peer);
                self.speak_with(*peer).await;
            }
        }
        self.call(connected).await;
        self.leave().await;
    }

    fn place(&self, peer: Peer) -> Place<'_> {
        Place {
            setup: &self.setup,
            peer,
            ip: self.around.ip,
            patience: self.around.manner.patience,
        }
    }

    /// Connects, where there is a connection to make.
    async fn connects(&mut self, peer: Peer) -> bool {
        if peer.transport == Transport::Udp {
            return true;
        }
        let start = Instant::now();
        let connected = self.phone.connect(peer).await;
        let step = match &connected {
            Ok(connected) => connect::step(connected, self.place(peer)),
            Err(NotConnected::Unreached(why)) => {
                connect::failed(why, start.elapsed(), self.place(peer))
            }
            Err(other) => Step::failed("connect", other.to_string(), broken()),
        };
        self.report.step(&step);
        connected.is_ok()
    }

    async fn speak_with(&mut self, peer: Peer) {
        let registers = matches!(self.setup.mode, TrunkMode::Registration { .. });
        if registers && !self.is_settled {
            self.register(peer).await;
        }
        let step = match (self.setup.ping, registers) {
            (Some(_), _) => {
                let answer = self.ask(Asked::Alive, peer).await;
                ping::step(&answer, self.place(peer))
            }
            (None, true) => Step::skipped("ping", "`ping_seconds = 0`"),
            (None, false) => ping::unasked(),
        };
        self.report.step(&step);
    }

    async fn register(&mut self, peer: Peer) {
        let answer = self.ask(Asked::Registered, peer).await;
        let step = register::sign_in(&answer, self.place(peer));
        let is_known = step.advice.is_none();
        self.report.step(&step);
        self.is_settled = answer.is_ok();
        if !is_known {
            return;
        }
        if let Some(contacts) = register::elsewhere(&answer) {
            return self.report.step(&register::left_alone(&contacts));
        }
        let answer = self.ask(Asked::Register, peer).await;
        let is_kept = matches!(&answer, Ok(reply) if reply.granted.is_some());
        self.registered = is_kept.then_some(peer);
        let step = register::register(&answer, self.place(peer));
        self.report.step(&step);
    }

    async fn leave(&mut self) {
        if let Some(peer) = self.registered.take() {
            let answer = self.ask(Asked::Leave, peer).await;
            let step = register::leave(&answer, self.place(peer));
            self.report.step(&step);
        }
    }

    async fn call(&mut self, connected: Vec<Peer>) {
        match &self.around.call {
            Call::NotAsked => {}
            Call::Declined => self.report.step(&Step::skipped("dial", "you said no")),
            Call::Wanted(_) if connected.is_empty() => {
                let said = "there is no connection to the trunk";
                self.report.step(&Step::skipped("dial", said));
            }
            Call::Wanted(call) => {
                call.make(&self.phone, &self.setup, &connected, self.report)
                    .await;
            }
        }
    }

    async fn ask(&self, what: Asked, peer: Peer) -> Result<Reply, NoReply> {
        let question = Question {
            what,
            peer,
            setup: Arc::clone(&self.setup),
        };
        let answer = timeout(self.around.manner.patience, self.phone.ask(question));
        answer.await.unwrap_or(Err(NoReply::Silence))
    }
}

async fn telephone(
    setup: &TrunkSetup,
    around: &Around<'_>,
    peers: &[Peer],
) -> Result<Softphone, Step> {
    let tls = peers.iter().filter(|peer| peer.transport == Transport::Tls);
    let names: Result<Vec<_>, NameError> = tls
        .map(|peer| Ok((*peer, setup.tls_name.parse()?)))
        .collect();
    let names = names.map_err(|why| {
        let advice = Advice::new(
            "A certificate could not be checked against that.",
            "Write the name that is in the provider's certificate in `tls_name`.",
        );
        Step::failed("us", why.to_string(), advice)
    })?;
    let options = SoftphoneOptions {
        ip: around.ip,
        external_ip: around.external_ip,
        sip: around.sip.clone(),
        tls_names: names,
        ..SoftphoneOptions::default()
    };
    Softphone::bind(options).await.map_err(|why| {
        let advice = Advice::new(
            format!("{} is no address of this machine.", around.ip),
            "Write one of this machine's own addresses in [media] address; `ip address` lists them.",
        );
        Step::failed("us", why.to_string(), advice)
    })
}

fn broken() -> Advice {
    Advice::new(
        "The check itself has broken.",
        "Run it again; if it happens again, tell whoever maintains Housecall.",
    )
}
