use housecall_media::sdp::MediaTarget;
use housecall_sip::{HeaderError, NameAddrRef};

/// What the forks of one attempt have agreed to before anybody answers: each has a session of its own (RFC 3261 §12.1, §13.2.2.4).
#[derive(Debug, Default)]
pub(super) struct Forks {
    /// The one that spoke last comes last.
    known: Vec<Fork>,
}

#[derive(Debug)]
struct Fork {
    /// Its To-tag.
    tag: String,
    target: MediaTarget,
    /// Its UPDATE has replaced what it answered first.
    is_updated: bool,
}

impl Forks {
    /// Forks kept at most; a network that shows more is up to no good.
    const KNOWN_MAX: usize = 16;

    /// Whose sound is to be heard: of the fork that spoke last.
    pub(super) fn heard(&self) -> Option<&MediaTarget> {
        self.known.last().map(|fork| &fork.target)
    }

    /// A provisional response of `tag` has brought an answer.
    pub(super) fn answered(&mut self, tag: &str, target: MediaTarget) {
        let is_updated = |fork: &Fork| fork.is_updated;
        if !self.find(tag).is_some_and(is_updated) {
            self.put(tag, target, false);
        }
    }

    /// An offer of `tag` was answered (RFC 3311 §5.2). What it answered to ours counts no longer, and is not said again.
    pub(super) fn updated(&mut self, tag: &str, target: MediaTarget) {
        self.put(tag, target, true);
    }

    /// The fork has ended (RFC 6228).
    pub(super) fn ended(&mut self, tag: &str) {
        self.known.retain(|fork| fork.tag != tag);
    }

    /// What holds for the fork that answers, whatever the description in its answer says; none if that decides.
    pub(super) fn settled(&self, tag: &str) -> Option<MediaTarget> {
        let fork = self.find(tag).filter(|fork| fork.is_updated);
        fork.map(|fork| fork.target.clone())
    }

    /// What an answer without a description means: what its fork said before. A border controller may change the tag in between.
    pub(super) fn said_before(&self, tag: &str) -> Option<MediaTarget> {
        let own = self.find(tag).map(|fork| &fork.target);
        own.or(self.heard()).cloned()
    }

    fn find(&self, tag: &str) -> Option<&Fork> {
        self.known.iter().find(|fork| fork.tag == tag)
    }

    fn put(&mut self, tag: &str, target: MediaTarget, is_updated: bool) {
        self.ended(tag);
        if self.known.len() < Self::KNOWN_MAX {
            let tag = tag.to_owned();
            self.known.push(Fork {
                tag,
                target,
                is_updated,
            });
        }
    }
}

/// The tag of a From or To; empty for one of RFC 2543.
pub(super) fn tag_of(name: Result<NameAddrRef<'_>, HeaderError>) -> String {
    let name = name.ok();
    let tag = name.as_ref().and_then(|name| name.tag());
    tag.unwrap_or_default().to_owned()
}
