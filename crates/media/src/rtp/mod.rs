//! RTP and RTCP of the phone leg (RFC 3550), over the `rtp` and `rtcp` crates.
//!
//! What comes from the network is measured before those crates see it, so that nothing in them can be reached with a length they do
//! not expect.

mod packet;
mod reception;
mod relay;
mod report;
mod sender;

pub(crate) use packet::header_len;
pub use packet::{RtpError, RtpPacket};
pub use reception::Reception;
pub use relay::Relay;
pub use report::{Report, ReportBlock, ReportError, SenderInfo};
pub use sender::RtpSender;
