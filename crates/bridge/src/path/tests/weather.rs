//! Calls of five minutes through every kind of bad network, each from a seed. `HOUSECALL_CALLS=200` holds more of them.

use std::env;

use housecall_media::level_at;
use housecall_media::testing::Weather;

use super::*;

/// As many calls as show each loss with each jitter in a few seconds of every run.
const CALLS: u64 = 15;
const SECONDS: u64 = 300;
/// Of a call in every run.
const SECONDS_SHORT: u64 = 40;
const DARK_S: u64 = 10;
/// After darkness, sound is to be back within this.
const BACK_S: u64 = 3;
const HEARD_DBFS: f32 = -30.0;
const HEARD_TENTHS: usize = 3;
/// What a delay may be over its target on average: see the rules of the buffer.
const OVER_MS: u64 = 20;
const KEYS: [&str; 5] = ["5", "0", "*", "9", "#"];

/// Keys that were pressed, and those of them that the network lost whole.
#[derive(Clone, Copy, Debug, Default)]
struct Keys {
    pressed: usize,
    lost: usize,
}

/// A call in the weather of a seed: each loss with each jitter, with and without the rest.
struct Call {
    seed: u64,
    weather: Weather,
    seconds: u64,
    world: World,
    pressed: String,
    /// Of each direction: what the delay was over its target, and how often that was looked at.
    over_ms: [u64; 2],
    looks: u64,
}

impl Call {
    fn new(seed: u64, seconds: u64) -> Self {
        let weather = Weather {
            stall_us: 0,
            ..Weather::of(seed)
        };
        let mut world = World::talking(seed, Codec::Pcma);
        let dark = (seconds / 2) * 1_000_000..(seconds / 2 + DARK_S) * 1_000_000;
        let network = |way: u64| {
            let mut network = Network::new(weather, seed * 3 + way);
            network.darken(dark.clone());
            network
        };
        world.weather = Some([network(0), network(1), Network::new(weather, seed * 3 + 2)]);
        Self {
            seed,
            weather,
            seconds,
            world,
            pressed: String::new(),
            over_ms: [0; 2],
            looks: 0,
        }
    }

    /// Holds the call to its end; returns how many keys were pressed, and of how many nothing arrived.
    fn hold(mut self) -> Keys {
        let dark = self.seconds / 2..self.seconds / 2 + DARK_S + BACK_S;
        for second in 0..self.seconds {
            let keys_before = self.world.sent_keys.packets;
            let heard = self.world.listen(1_000);
            let keys = self.world.sent_keys.packets - keys_before;
            if second < BACK_S || dark.contains(&second) {
                continue;
            }
            self.expect_sound(second, &heard, 1_000 - 20 * keys as usize);
            self.look();
            if second.is_multiple_of(4) && second + 3 < self.seconds {
                self.press(second);
            }
        }
        self.expect_well();
        let pressed = self.pressed.len();
        Keys {
            pressed,
            lost: pressed - self.world.sent_keys.arrived().len(),
        }
    }

    fn press(&mut self, second: u64) {
        let key = KEYS[(second / 4) as usize % KEYS.len()];
        self.world.press(key);
        self.pressed.push_str(key);
    }

    fn look(&mut self) {
        let stats = self.world.stats();
        let directions = [stats.from_browser, stats.from_phone];
        for (over, stats) in self.over_ms.iter_mut().zip(directions) {
            *over += stats.delay_ms.saturating_sub(stats.target_ms);
        }
        self.looks += 1;
    }

    /// Each hears the other's tone in a good part of a second; a fifth and more of it is lost in the worst weather, and longer gaps fade. A
    /// key takes the voice's place: of the caller there is so much less.
    fn expect_sound(
        &self,
        second: u64,
        (caller, callee): &(Vec<i16>, Vec<i16>),
        caller_spoke_ms: usize,
    ) {
        let heard = [tenths(caller, CALLEE_HERTZ), tenths(callee, CALLER_HERTZ)];
        let told = self.told();
        for (tenths, of_ms) in heard.into_iter().zip([1_000, caller_spoke_ms]) {
            assert!(
                tenths * 1_000 >= HEARD_TENTHS * of_ms,
                "{heard:?} tenths of second {second}, {of_ms} ms of voice, {told}"
            );
        }
    }

    fn expect_well(&self) {
        let told = self.told();
        let sent = &self.world.sent_keys;
        assert_eq!(sent.all(), self.pressed, "{told}");
        // Of a key whose every packet the network lost nobody can know; every other is heard, once and in its place.
        assert_eq!(self.world.callee.keys_heard, sent.arrived(), "{told}");
        assert!(self.pressed.len() >= 3, "{told}");
        assert_eq!(self.world.phone_lost, 0, "{told}");
        for over_ms in self.over_ms {
            assert!(
                over_ms <= OVER_MS * self.looks,
                "{over_ms} ms in {} looks, {told}",
                self.looks
            );
        }
    }

    fn told(&self) -> String {
        let stats = self.world.stats();
        format!("seed {}, {:?}: {stats:?}", self.seed, self.weather)
    }
}

/// In how many tenths of a second a tone is heard.
fn tenths(sound: &[i16], hertz: f32) -> usize {
    let tenths = sound.chunks(Rate::Narrow.samples(100));
    tenths
        .filter(|tenth| level_at(tenth, hertz).0 > HEARD_DBFS)
        .count()
}

#[test]
fn a_call_in_any_weather_lives_says_its_keys_and_is_heard_again_after_darkness() {
    let asked = env::var("HOUSECALL_CALLS").ok();
    let asked = asked.map(|calls| calls.parse().expect("a number"));
    let (calls, seconds) = match asked {
        Some(calls) => (calls, SECONDS),
        None => (CALLS, SECONDS_SHORT),
    };
    let mut all = Keys::default();
    for seed in 0..calls {
        let keys = Call::new(seed, seconds).hold();
        if keys.lost > 0 {
            eprintln!("seed {seed}: {keys:?}, {:?}", Weather::of(seed));
        }
        all.pressed += keys.pressed;
        all.lost += keys.lost;
    }
    eprintln!("{calls} calls of {seconds} s: {all:?}");
}
