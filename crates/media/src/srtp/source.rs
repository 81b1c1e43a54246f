use bytes::{Bytes, BytesMut};
use srtp::context::Context;

use super::head::Head;
use super::sender::wind;
use super::window::Window;
use super::{SrtpError, SrtpKey, SrtpSuite};

/// Who sends RTP, or RTCP, under one key: a context and a window for each.
pub(super) struct Sources {
    suite: SrtpSuite,
    key: SrtpKey,
    heard: Vec<Source>,
    /// The sources of the key before, for senders that keep their roll-over counter as RFC 3711 §3.3.1 says. Others begin a new one.
    expected: Vec<Source>,
    /// Sees the first packet of every source that anybody names, and is made anew before it remembers too many.
    trial: Source,
    tried: u32,
}

/// One sender.
pub(super) struct Source {
    ssrc: u32,
    context: Context,
    /// None until its first authentic packet.
    window: Option<Window>,
}

impl Sources {
    /// Sources that one key is used by. A call has one; a transfer or a change of gateway brings another.
    pub(super) const MAX: usize = 16;
    /// Sources, authentic or not, that a context is let remember.
    const TRIED_MAX: u32 = 64;
    /// The furthest that a new context is wound on to: 93 hours of sound.
    const WOUND_MAX: u64 = 1 << 24;

    pub(super) fn new(suite: SrtpSuite, key: &SrtpKey) -> Result<Self, SrtpError> {
        Ok(Self {
            suite,
            trial: Source::new(suite, key)?,
            key: key.clone(),
            heard: Vec::new(),
            expected: Vec::new(),
            tried: 0,
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.heard.is_empty()
    }

    /// Is ready for the sources of the key before to go on with their numbers.
    pub(super) fn expect(&mut self, before: &Self) -> Result<(), SrtpError> {
        for source in &before.heard {
            let last = source.window.as_ref().map(Window::last);
            if let Some(index) = last.filter(|index| *index < Self::WOUND_MAX) {
                let mut next = Source::new(self.suite, &self.key)?;
                wind(&mut next.context, source.ssrc, index);
                next.ssrc = source.ssrc;
                next.window = Some(Window::unseen(index));
                self.expected.push(next);
            }
        }
        Ok(())
    }

    /// Reads a packet of a source with `read`.
    pub(super) fn read(
        &mut self,
        ssrc: u32,
        read: impl Fn(&mut Source) -> Result<Bytes, SrtpError>,
    ) -> Result<Bytes, SrtpError> {
        if let Some(source) = self.heard.iter_mut().find(|source| source.ssrc == ssrc) {
            return read(source);
        }
        if self.heard.len() >= Self::MAX {
            return Err(SrtpError::TooManySources { cap: Self::MAX });
        }
        self.read_expected(ssrc, &read)
            .map_or_else(|| self.read_first(ssrc, &read), Ok)
    }

    fn read_expected(
        &mut self,
        ssrc: u32,
        read: impl Fn(&mut Source) -> Result<Bytes, SrtpError>,
    ) -> Option<Bytes> {
        let of_it = |source: &Source| source.ssrc == ssrc;
        let at = self.expected.iter().position(of_it)?;
        let packet = read(self.expected.get_mut(at)?).ok()?;
        self.heard.push(self.expected.swap_remove(at));
        Some(packet)
    }

    /// The first packet of a source makes it known only if it is authentic.
    fn read_first(
        &mut self,
        ssrc: u32,
        read: impl Fn(&mut Source) -> Result<Bytes, SrtpError>,
    ) -> Result<Bytes, SrtpError> {
        if self.tried >= Self::TRIED_MAX {
            self.try_anew()?;
        }
        self.tried += 1;
        let packet = read(&mut self.trial)?;
        let mut source = self.try_anew()?;
        source.ssrc = ssrc;
        self.expected.retain(|source| source.ssrc != ssrc);
        self.heard.push(source);
        Ok(packet)
    }

    fn try_anew(&mut self) -> Result<Source, SrtpError> {
        self.tried = 0;
        let next = Source::new(self.suite, &self.key)?;
        Ok(std::mem::replace(&mut self.trial, next))
    }
}

impl Source {
    fn new(suite: SrtpSuite, key: &SrtpKey) -> Result<Self, SrtpError> {
        Ok(Self {
            ssrc: 0,
            context: key.context(suite)?,
            window: None,
        })
    }

    pub(super) fn rtp(&mut self, datagram: &[u8], head: &Head) -> Result<Bytes, SrtpError> {
        let guess = |window: &Window| window.index_of(head.sequence);
        let index = self.window.as_ref().map_or(u64::from(head.sequence), guess);
        self.take(index, |context| {
            context.decrypt_rtp_with_header(datagram, &head.header())
        })
    }

    pub(super) fn rtcp(&mut self, datagram: &[u8], index: u64) -> Result<Bytes, SrtpError> {
        self.take(index, |context| context.decrypt_rtcp(datagram))
    }

    fn take<E>(
        &mut self,
        index: u64,
        decrypt: impl FnOnce(&mut Context) -> Result<BytesMut, E>,
    ) -> Result<Bytes, SrtpError> {
        if self
            .window
            .as_ref()
            .is_some_and(|window| !window.is_fresh(index))
        {
            return Err(SrtpError::Replayed);
        }
        let packet = decrypt(&mut self.context).map_err(|_| SrtpError::Forged)?;
        match &mut self.window {
            Some(window) => window.take(index),
            None => self.window = Some(Window::new(index)),
        }
        Ok(packet.freeze())
    }
}
