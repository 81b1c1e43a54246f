use crate::user_agent::Body;
use crate::{Message, Method, NameAddr, NameAddrRef, Uri};

/// A request of ours before it is written: what a repetition with credentials, its CANCEL and its ACK are made from.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    /// Us, with our tag.
    pub(crate) from: NameAddr,
    pub(crate) to: NameAddr,
    pub(crate) call_id: String,
    pub(crate) cseq: u32,
    pub(crate) routes: Vec<NameAddr>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Option<Body>,
    /// Sent inside a dialog. A To tag does not tell: a peer of RFC 2543 may have none (RFC 3261 §12.2.1.1).
    pub(crate) in_dialog: bool,
}

impl Request {
    /// The ACK of a 3xx to 6xx: the same target, route and branch, the To of the response (RFC 3261 §17.1.1.3).
    pub(crate) fn ack_of_refusal(&self, response: &Message) -> Self {
        let to = response
            .to()
            .map_or_else(|_| self.to.clone(), NameAddrRef::into_owned);
        Self {
            to,
            ..self.bare(Method::Ack)
        }
    }

    /// The CANCEL: everything that names the INVITE stays, To without a tag too (RFC 3261 §9.1).
    pub(crate) fn cancel(&self) -> Self {
        self.bare(Method::Cancel)
    }

    fn bare(&self, method: Method) -> Self {
        Self {
            method,
            headers: Vec::new(),
            body: None,
            ..self.clone()
        }
    }
}
