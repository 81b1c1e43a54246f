use std::collections::VecDeque;
use std::time::Instant;

use rtc::interceptor::{Interceptor, StreamInfo, TaggedPacket};
use rtc::sansio::Protocol;
use rtc::shared::error::Error;

/// What one interceptor does to packets on their way in; what goes out is none of its business.
pub(super) trait OnTheWayIn: Send + Sync {
    /// Takes one packet and pushes what shall go on.
    fn take(&mut self, packet: TaggedPacket, on: &mut VecDeque<TaggedPacket>);

    /// The other side sends this stream from now on.
    fn begins(&mut self, _stream: &StreamInfo) {}

    /// The other side sends this stream no more.
    fn ends(&mut self, _stream: &StreamInfo) {}
}

/// Makes an interceptor of what happens on the way in: the queues, and the way out as it was.
#[derive(Default)]
pub(super) struct Incoming<T> {
    each: T,
    read: VecDeque<TaggedPacket>,
    written: VecDeque<TaggedPacket>,
}

impl<T: OnTheWayIn> Protocol<TaggedPacket, TaggedPacket, ()> for Incoming<T> {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, packet: TaggedPacket) -> Result<(), Error> {
        self.each.take(packet, &mut self.read);
        Ok(())
    }

    fn poll_read(&mut self) -> Option<TaggedPacket> {
        self.read.pop_front()
    }

    fn handle_write(&mut self, packet: TaggedPacket) -> Result<(), Error> {
        self.written.push_back(packet);
        Ok(())
    }

    fn poll_write(&mut self) -> Option<TaggedPacket> {
        self.written.pop_front()
    }

    fn handle_timeout(&mut self, _now: Instant) -> Result<(), Error> {
        Ok(())
    }

    fn poll_timeout(&mut self) -> Option<Instant> {
        None
    }
}

impl<T: OnTheWayIn> Interceptor for Incoming<T> {
    fn bind_remote_stream(&mut self, stream: &StreamInfo) {
        self.each.begins(stream);
    }

    fn unbind_remote_stream(&mut self, stream: &StreamInfo) {
        self.each.ends(stream);
    }

    fn bind_local_stream(&mut self, _: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _: &StreamInfo) {}
}
