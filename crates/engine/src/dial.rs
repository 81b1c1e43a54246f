//! From a click on Call to an INVITE on the wire: may it be rung, is it paid for, then dial.

use std::net::SocketAddr;
use std::time::Duration;

use housecall_meter::{Opening, SessionId};
use housecall_phone::{DestinationPolicy, DestinationRefused, Dial, Number, Route, Secret};
use tokio::sync::{mpsc, oneshot, watch};

use crate::book::{Book, Came, Parties};
use crate::call::{CallView, DialRequest, Dialing};
use crate::engine::{Engine, Permit, keep};
use crate::limits::TooManyCalls;
use crate::metered::{Opened, StartRefused, Till};
use crate::ports::LedgerError;
use crate::record::CallRecord;
use crate::sessions::Session;
use crate::shard::{CallEnd, Command, DialCommand};
use crate::trunks::{NoWay, Ways};

/// Verbs waiting for one call; a person does not click faster.
const VERBS_MAX: usize = 64;

/// Why a call was not started; nothing was rung and nothing charged.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DialRefused {
    /// There is no provider to carry calls.
    #[error("no telephone provider is set up, so calls cannot be made: ask your administrator")]
    NoTrunk,
    /// There are providers, and the address of none is known.
    #[error(
        "no telephone provider can be reached, so nothing was dialled ({0}): try again in a minute, or tell your administrator"
    )]
    NoTrunkReached(String),
    /// The number may not be rung (P6).
    #[error(transparent)]
    Destination(#[from] DestinationRefused),
    /// Too many calls (P6).
    #[error(transparent)]
    Limit(#[from] TooManyCalls),
    /// The meter would not start.
    #[error(transparent)]
    Money(#[from] StartRefused),
    /// New calls are not started while the service stops.
    #[error(
        "the service is about to restart: calls in progress go on, new ones can be made in a minute"
    )]
    Draining,
    /// The browser's offer is not one of a call.
    #[error("the browser's offer was refused: {0}")]
    Offer(String),
    /// The machine has no free ports.
    #[error("no free port for the sound of the call: {0}")]
    NoPorts(String),
    /// Others share the ledger, and this node may not act just now.
    #[error(
        "this server has lost touch with the clinic's records, so nobody was rung: try again in a moment ({0})"
    )]
    MayNotAct(LedgerError),
    /// The media thread is gone.
    #[error("the engine has stopped")]
    Stopped,
}

impl From<NoWay> for DialRefused {
    fn from(no_way: NoWay) -> Self {
        match no_way {
            NoWay::Unreachable(words) => Self::NoTrunkReached(words),
            NoWay::Full(limit) => Self::Limit(limit),
        }
    }
}

/// What a call is dialled with, before its shard adds its own addresses.
#[derive(Clone, Debug)]
pub(crate) struct DialPlan {
    routes: Vec<Route>,
    from: Number,
    to: Number,
    ring_limit: Duration,
    seed: u64,
    secret: Secret,
    /// What a trunk may redirect to, as far as its settings let it.
    destinations: DestinationPolicy,
}

impl DialPlan {
    pub(crate) fn into_dial(self, contact: SocketAddr, media: SocketAddr) -> Dial {
        Dial {
            ring_limit: self.ring_limit,
            destinations: Some(self.destinations),
            secret: Some(self.secret),
            ..Dial::new(self.routes, self.from, self.to, contact, media, self.seed)
        }
    }
}

impl Engine {
    /// Rings somebody.
    ///
    /// The number is checked (P6), one minute is reserved (M7), and only then an INVITE leaves.
    ///
    /// # Errors
    /// [`DialRefused`] in words for the person who clicked; nothing was rung and nothing is charged.
    pub async fn dial(&self, request: DialRequest) -> Result<Dialing, DialRefused> {
        self.may_dial(&request.to)?;
        let running = Running {
            counted: self.sessions().begin().ok_or(DialRefused::Draining)?,
            permit: self.permit(Parties::from(&request).who())?,
        };
        let ways = self.trunk_board().ways().await?;
        // In a task of its own: a page that closes in the middle must not leave credits reserved that nobody settles.
        let engine = self.clone();
        let paid = tokio::spawn(async move { engine.pay_and_start(request, ways, running).await });
        paid.await.unwrap_or(Err(DialRefused::Stopped))
    }

    /// Says whether this number may be rung at all, now, from here (P6).
    pub(crate) fn may_dial(&self, to: &Number) -> Result<(), DialRefused> {
        if self.trunk_board().is_empty() {
            return Err(DialRefused::NoTrunk);
        }
        self.options().destinations.check(to)?;
        let may_act = self.ports().ledger.may_act();
        may_act.map_err(DialRefused::MayNotAct)
    }

    /// What a call by these ways is dialled with.
    pub(crate) fn dial_plan(&self, ways: &Ways, from: Number, to: Number) -> DialPlan {
        DialPlan {
            routes: ways.routes(),
            from,
            to,
            ring_limit: self.options().ring_limit,
            seed: self.seed(),
            secret: Secret::new(rand::random()),
            destinations: self.options().destinations.clone(),
        }
    }

    async fn pay_and_start(
        &self,
        request: DialRequest,
        ways: Ways,
        running: Running,
    ) -> Result<Dialing, DialRefused> {
        let session = SessionId::new(self.new_name("call"));
        let opening = Opening::call(session.clone(), request.account.clone());
        let opened = Till::open(self.ports().clone(), opening).await?;
        let plan = self.dial_plan(&ways, request.from.clone(), request.to.clone());
        let start = Start {
            plan,
            ways,
            request,
            session,
            running,
        };
        self.start_call(start, opened).await
    }

    async fn start_call(&self, start: Start, opened: Opened) -> Result<Dialing, DialRefused> {
        let Start {
            plan,
            ways,
            request,
            session,
            running,
        } = start;
        let Opened {
            till,
            grant,
            facts,
            cost,
        } = opened;
        let (view, view_seen) = watch::channel(CallView::new());
        let (verb_line, verbs) = mpsc::channel(VERBS_MAX);
        let (end, ended) = oneshot::channel();
        let (reply, answer) = oneshot::channel();
        let (record, record_seen) = watch::channel(None);
        let book = Book {
            ports: self.ports().clone(),
            parties: Parties::from(&request),
            session,
            visit: None,
            started: self.ports().clock.wall(),
        };
        let command = DialCommand {
            call: self.next_call(),
            plan,
            ways,
            offer: request.offer,
            grant,
            facts,
            view,
            verbs,
            end,
            reply,
        };
        let commands = &self.shard_for_call().commands;
        // A shard that is gone drops the command, and with it the line of the answer.
        let _ = commands.send(Command::Dial(Box::new(command))).await;
        match answer.await.unwrap_or(Err(DialRefused::Stopped)) {
            Ok(answer) => {
                let keeping = keep_book(book, till, ended, view_seen.clone(), record);
                tokio::spawn(async move {
                    keeping.await;
                    drop(running);
                });
                Ok(Dialing::new(
                    answer,
                    verb_line,
                    view_seen,
                    cost,
                    record_seen,
                ))
            }
            Err(refused) => {
                // The facts' line has broken, so the till gives back what was reserved; a drain waits for that.
                let Running { counted, permit } = running;
                drop(permit);
                tokio::spawn(async move {
                    till.run().await;
                    drop(counted);
                });
                Err(refused)
            }
        }
    }
}

/// What is given back when a call is over.
struct Running {
    counted: Session,
    permit: Permit,
}

/// A call that is decided and paid for.
struct Start {
    plan: DialPlan,
    ways: Ways,
    request: DialRequest,
    session: SessionId,
    running: Running,
}

/// Waits for the end of one call, settles it and writes its record.
async fn keep_book(
    book: Book,
    till: Till,
    ended: oneshot::Receiver<CallEnd>,
    view: watch::Receiver<CallView>,
    written: watch::Sender<Option<CallRecord>>,
) {
    let settled = till.run().await;
    let end = ended.await.unwrap_or_else(|_| CallEnd::fault());
    let came = Came {
        elapsed_ms: settled.elapsed_ms,
        credits: settled.credits.0,
    };
    let seen = *view.borrow();
    let record = book.record(came, &end, &seen);
    // Who has taken over has closed the session, perhaps for less.
    if !settled.fenced {
        keep(|| book.ports.records.save_call(&record)).await;
    }
    written.send_replace(Some(record));
}
