//! How long sound is on its way through us.

use super::*;

const SILENT_DBFS: f32 = -90.0;
const LOUD: u16 = 1_000;
/// How far Opus in CELT mode looks ahead, and what the sound needs to become loud.
const CODEC_MS: f64 = 3.0;

/// Milliseconds from where a sound begins in a packet sent to where it begins in a packet heard: by the caller, and by the callee.
fn delays_ms(world: &mut World) -> (f64, f64) {
    world.run(20 - world.now_ms % 20);
    world.caller.hum = Some(Sine::new(CALLER_HERTZ, SENT_DBFS));
    world.callee.hum = Some(Sine::new(CALLEE_HERTZ, SENT_DBFS));
    let (mut caller, mut callee) = (None, None);
    for ms in 0..200 {
        let (by_caller, by_callee) = world.listen(1);
        caller = caller.or(begins_ms(&by_caller).map(|within| ms as f64 + within));
        callee = callee.or(begins_ms(&by_callee).map(|within| ms as f64 + within));
    }
    world.caller.hum = Some(Sine::new(CALLER_HERTZ, SILENT_DBFS));
    world.callee.hum = Some(Sine::new(CALLEE_HERTZ, SILENT_DBFS));
    (caller.unwrap(), callee.unwrap())
}

/// Where in a packet of 8 kHz a sound begins.
fn begins_ms(heard: &[i16]) -> Option<f64> {
    let at = heard.iter().position(|sample| sample.unsigned_abs() > LOUD);
    at.map(|at| at as f64 / 8.0)
}

/// Where nothing is late there is no delay but what the codec has, wherever in our frames the packets come, and however
/// far apart the clocks drift.
#[test]
fn sound_of_an_even_network_is_heard_with_no_delay_but_the_codec_s() {
    for phase_ms in 0..20 {
        let mut world = World::talking(phase_ms, Codec::Pcmu);
        world.start += Duration::from_millis(phase_ms);
        world.caller.hum = Some(Sine::new(CALLER_HERTZ, SILENT_DBFS));
        world.callee.hum = Some(Sine::new(CALLEE_HERTZ, SILENT_DBFS));
        world.run(4_000);
        for _ in 0..3 {
            let (caller, callee) = delays_ms(&mut world);
            assert!(
                caller <= CODEC_MS && callee <= CODEC_MS,
                "{phase_ms} ms: {caller} ms to the caller, {callee} ms to the callee"
            );
            world.run(1_000);
        }
        let stats = world.stats();
        let made_up = (stats.from_phone.concealed, stats.from_browser.concealed);
        assert_eq!(made_up, (0, 0), "{phase_ms} ms: {stats:?}");
    }
}
