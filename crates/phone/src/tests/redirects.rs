//! Redirects: refused, or to another number on the same trunk, never to another host.

use housecall_sip::Method;

use super::world::{GOOD, Script, World, dial_by, secs, trunk};
use crate::{Country, DestinationPolicy, Dial, Event, Outcome, Redirects, Trunk};

const TO_ANOTHER: &[(&str, &str)] = &[("Contact", "<sip:+61491570157@elsewhere.test>")];

fn world(redirects: Redirects, destinations: Option<DestinationPolicy>, script: Script) -> World {
    let trunk = Trunk {
        redirects,
        ..trunk()
    };
    let dial = Dial {
        destinations,
        ..dial_by(1, &[trunk])
    };
    let mut world = World::with(dial, GOOD, &[script]);
    world.run(secs(70));
    world
}

fn at_home() -> Option<DestinationPolicy> {
    Some(DestinationPolicy::domestic(Country::Au))
}

fn outcome(world: &World) -> Outcome {
    match world.last_told() {
        Event::Ended(ended) => ended.outcome,
        other => panic!("{other:?}"),
    }
}

fn called(world: &World) -> Vec<String> {
    let invites = world.heard.iter();
    let invites = invites.filter(|message| message.method() == Some(&Method::Invite));
    invites
        .map(|invite| invite.request_uri().unwrap().to_owned())
        .collect()
}

#[test]
fn a_redirect_ends_the_call_unless_the_trunk_s_settings_allow_it() {
    for (redirects, destinations) in [
        (Redirects::Refuse, at_home()),
        // Without a policy nothing says where it may lead.
        (Redirects::SameTrunk, None),
    ] {
        let world = world(redirects, destinations, Script::Refuses(302, TO_ANOTHER));
        assert_eq!(world.heard_count(Method::Invite), 1);
        assert_eq!(outcome(&world), Outcome::Failed);
    }
}

// RFC 3261 §8.1.3.4, with the number alone taken from Contact.
#[test]
fn another_number_is_called_on_the_same_trunk() {
    for script in [
        Script::RedirectsOnce(TO_ANOTHER),
        Script::RedirectsOnce(&[("Contact", "<tel:+61491570157>")]),
    ] {
        let world = world(Redirects::SameTrunk, at_home(), script);
        let uris = called(&world);
        assert_eq!(uris.len(), 2);
        assert_eq!(uris[1], "sip:+61491570157@sip.carrier.test;user=phone");
        let told = world.told.iter();
        let redirected = told.filter(|event| matches!(event, Event::Redirected { .. }));
        assert_eq!(redirected.count(), 1);
        assert!(world.told.contains(&Event::Ringing));
    }
}

/// P6: premium, foreign, emergency and nonsense are not called because a trunk says so.
#[test]
fn a_redirect_leads_nowhere_that_a_person_could_not_call() {
    for contact in [
        "<sip:+611902555010@sip.carrier.test>",
        "<sip:+64215550100@sip.carrier.test>",
        "<sip:+61000@sip.carrier.test>",
        "<sip:000@sip.carrier.test>",
        "<sip:0491570157@sip.carrier.test>",
        "<sip:operator@evil.test>",
        "<sip:evil.test>",
        "<mailto:a@b.test>",
        "*",
    ] {
        let headers: &'static [(&str, &str)] = Box::leak(Box::new([("Contact", contact)]));
        let world = world(
            Redirects::SameTrunk,
            at_home(),
            Script::RedirectsOnce(headers),
        );
        assert_eq!(world.heard_count(Method::Invite), 1, "{contact}");
        assert_eq!(outcome(&world), Outcome::Failed, "{contact}");
    }
}

#[test]
fn a_trunk_that_redirects_for_ever_is_followed_twice() {
    let script = Script::Refuses(302, TO_ANOTHER);
    let world = world(Redirects::SameTrunk, at_home(), script);
    assert_eq!(world.heard_count(Method::Invite), 3);
    assert_eq!(outcome(&world), Outcome::Failed);
}

#[test]
fn a_proxy_or_another_service_is_not_a_number() {
    for status in [305, 380] {
        let script = Script::Refuses(status, TO_ANOTHER);
        let world = world(Redirects::SameTrunk, at_home(), script);
        assert_eq!(world.heard_count(Method::Invite), 1, "{status}");
    }
}
