use std::time::{Duration, Instant};

use bytes::BytesMut;

use super::client::Client;
use super::pair::{Pair, options};
use crate::{DatagramRefused, Input, Peer, Shape, Up};

/// Numbers that look random and are the same for the same seed (xorshift).
struct Dice(u64);

impl Dice {
    fn thrown(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }

    /// Changes, cuts or lengthens some bytes.
    fn mutate(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        for _change in 0..=self.below(6) {
            let at = self.below(bytes.len());
            match self.below(5) {
                0 => bytes.truncate(at),
                1 => bytes.insert(at, self.below(256) as u8),
                2 => bytes.extend((0..self.below(64)).map(|byte| byte as u8)),
                _ => {
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte = self.below(256) as u8;
                    }
                }
            }
        }
        bytes
    }
}

#[test]
fn only_a_request_that_knows_the_password_proves_its_address() {
    let mut pair = Pair::new(options(Shape::Call));
    pair.cut = true;
    let mut genuine = None;
    while genuine.is_none() {
        pair.now += Duration::from_millis(5);
        pair.tick(|_, _, datagram| genuine = Some(datagram.to_vec()));
    }
    let genuine = genuine.unwrap();
    let stranger = "192.0.2.66:6666".parse().unwrap();
    // FINGERPRINT, the last 8 bytes, authenticates nothing (RFC 8489 §14.7).
    for index in 0..genuine.len() - 8 {
        let mut forged = genuine.clone();
        forged[index] ^= 0x10;
        let refused = pair.deliver(stranger, &forged).unwrap_err();
        assert!(
            !matches!(refused, DatagramRefused::Unreadable { .. }),
            "byte {index}: {refused}"
        );
    }
    pair.tick(|_, _, _| {});
    assert!(pair.proved.is_empty());

    pair.deliver(pair.client_addr, &genuine).unwrap();
    pair.tick(|_, _, _| {});
    assert_eq!(pair.proved, [pair.client_addr]);
}

#[test]
fn media_from_elsewhere_is_refused() {
    let mut pair = Pair::connected(options(Shape::Call));
    pair.client.speak(pair.now);
    let mut stolen = Vec::new();
    pair.cut = true;
    pair.tick(|_, _, datagram| stolen.push(datagram.to_vec()));
    let media = stolen
        .iter()
        .find(|datagram| datagram[0] >> 6 == 2)
        .unwrap();
    let refused = pair
        .deliver("192.0.2.66:6666".parse().unwrap(), media)
        .unwrap_err();
    assert!(matches!(refused, DatagramRefused::UnprovedAddress { .. }));
    pair.deliver(pair.client_addr, media).unwrap();
    pair.tick(|_, _, _| {});
    assert_eq!(pair.media.len(), 1);
    assert!(pair.deliver(pair.client_addr, &[]).is_err());
    assert!(pair.deliver(pair.client_addr, &[0x80; 3000]).is_err());
}

#[test]
fn malformed_datagrams_do_not_stop_a_connection() {
    for seed in 1..=12 {
        println!("seed {seed}");
        let shape = shape_of(seed);
        let films = shape == Shape::Room;
        let mut dice = Dice::thrown(seed);
        let mut pair = Pair::connected(options(shape));
        for tick in 0..600_u32 {
            if tick % 4 == 0 {
                pair.client.speak(pair.now);
            }
            if films && tick % 4 == 0 {
                pair.client.film(pair.now, tick % 100 == 0);
            }
            meddle(&mut pair, &mut dice);
        }
        assert_eq!(pair.closed, None, "seed {seed}");
        let count = |wanted| {
            pair.media
                .iter()
                .filter(|(track, _)| *track == wanted)
                .count()
        };
        assert_eq!(
            (count(Up::Audio), count(Up::Video)),
            (150, if films { 150 } else { 0 }),
            "seed {seed}"
        );
    }
}

/// Whoever can send from the browser's own address can spoil a handshake that is not authenticated yet; no more.
#[test]
fn malformed_handshakes_end_in_a_connection_or_in_none() {
    for seed in 1..=30 {
        println!("seed {seed}");
        let mut dice = Dice::thrown(seed);
        let mut pair = Pair::new(options(shape_of(seed)));
        for _tick in 0..300 {
            meddle(&mut pair, &mut dice);
        }
        pair.run(Duration::from_secs(40));
        assert!(pair.closed.is_some() || pair.connected, "seed {seed}");
    }
}

/// A room with every even seed; a call, whose media has a way of its own, with every odd one.
fn shape_of(seed: u64) -> Shape {
    match seed % 2 {
        0 => Shape::Room,
        _ => Shape::Call,
    }
}

/// Lets 5 ms pass; each of the browser's datagrams comes with three spoilt copies ahead of it.
fn meddle(pair: &mut Pair, dice: &mut Dice) {
    let from = pair.client_addr;
    pair.now += Duration::from_millis(5);
    pair.tick(|peer, now, datagram| {
        for _copy in 0..3 {
            let bytes = BytesMut::from(dice.mutate(datagram).as_slice());
            let _ = peer.handle_input(now, Input::Datagram { from, bytes });
        }
    });
}

#[test]
fn malformed_offers_are_answered_or_refused() {
    let now = Instant::now();
    let local = options(Shape::Room).local;
    let offer = Client::new(now, "127.0.0.1:5000".parse().unwrap(), local).offer_room();
    let mut answered = 0;
    for seed in 1..=300 {
        println!("seed {seed}");
        let mut dice = Dice::thrown(seed);
        let mutated = String::from_utf8_lossy(&dice.mutate(offer.as_bytes())).into_owned();
        answered += usize::from(Peer::answer(now, options(Shape::Room), &mutated).is_ok());
    }
    assert!((1..300).contains(&answered), "{answered}");
}
