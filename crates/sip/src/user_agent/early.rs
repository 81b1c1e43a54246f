use std::collections::BTreeMap;

use super::Request;
use super::call::Calling;
use crate::dialog::Dialog;
use crate::header::RSeq;
use crate::transaction::Peer;
use crate::{Message, Name, StatusCode};

/// One early dialog of a call that we make: a fork that has shown its tag (RFC 3261 §12.1).
#[derive(Debug)]
pub(super) struct Early {
    pub(super) dialog: Dialog,
    /// The last reliable response that we have confirmed (RFC 3262 §4).
    pub(super) confirmed: Option<RSeq>,
    /// It has answered our offer in a reliable response, so that it may make one of its own (RFC 3311 §5.1).
    pub(super) has_answered: bool,
    /// It has ended by itself (199). Only its count of requests is kept, for a BYE, should it answer all the same.
    pub(super) is_over: bool,
}

impl Early {
    /// The option tag of 199 (RFC 6228 §11).
    pub(super) const TAG: &str = "199";

    /// Says in an INVITE that 199 is understood (RFC 6228 §4).
    pub(super) fn supported() -> (String, String) {
        (Name::Supported.as_str().to_owned(), Self::TAG.to_owned())
    }

    fn new(dialog: Dialog) -> Self {
        Self {
            dialog,
            confirmed: None,
            has_answered: false,
            is_over: false,
        }
    }
}

impl Calling {
    /// Early dialogs kept at most; a network that shows more tags is up to no good.
    const EARLY_MAX: usize = 16;

    /// Takes a provisional response to `invite`, which went to `peer`: it makes an early dialog, or moves its target.
    pub(super) fn progress(&mut self, invite: &Request, response: &Message, peer: Peer) {
        let dialog = Dialog::of_caller(invite, response, peer);
        let tag = dialog.remote_tag().to_owned();
        if let Some(known) = self.early.get_mut(&tag) {
            known.dialog.refresh_target(response);
        } else if !tag.is_empty() && self.early.len() < Self::EARLY_MAX {
            self.early.insert(tag, Early::new(dialog));
        }
    }

    /// Whether the early dialog with `tag` lasts.
    pub(super) fn is_with(&self, tag: &str) -> bool {
        self.early.get(tag).is_some_and(|early| !early.is_over)
    }

    /// Ends the early dialog of a 199 (RFC 6228 §4).
    pub(super) fn end_early(&mut self, response: &Message) {
        let to = response.to();
        let tag = to.as_ref().ok().and_then(|to| to.tag());
        let early = tag.and_then(|tag| self.early.get_mut(tag));
        if let Some(early) = early.filter(|_| is_the_end(response)) {
            early.is_over = true;
        }
    }

    /// The dialogs of all forks, in case one answers that nobody waits for.
    pub(super) fn forks(early: BTreeMap<String, Early>) -> BTreeMap<String, Dialog> {
        let forks = early.into_iter();
        forks.map(|(tag, early)| (tag, early.dialog)).collect()
    }
}

/// Whether a response says that its early dialog has ended (RFC 6228).
fn is_the_end(response: &Message) -> bool {
    response.status() == Some(StatusCode::EARLY_DIALOG_TERMINATED)
}
