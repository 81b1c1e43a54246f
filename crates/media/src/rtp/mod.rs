//! RTP and RTCP of the phone leg (RFC 3550), over the `rtp` and `rtcp` crates; extended reports (RFC 3611) are read and written here.
//!
//! What comes from the network is measured before those crates see it, so that nothing in them can be reached with a length they do
//! not expect.

mod bursts;
mod extended;
mod packet;
mod reception;
mod relay;
mod report;
mod sender;
mod voice_metrics;

pub use bursts::{BurstFigures, Bursts};
pub use extended::{Extended, ReferenceTime, SinceReference};
pub(crate) use packet::header_len;
pub use packet::{RtpError, RtpPacket};
pub use reception::{Reception, Stamp};
pub use relay::Relay;
pub use report::{Report, ReportBlock, ReportError, SenderInfo};
pub use sender::RtpSender;
pub use voice_metrics::VoiceMetrics;
