use super::*;

#[test]
fn a_wrong_line_is_named() {
    let text = "demo = false\n\n[server]\nbind = \"127.0.0.1:8080\"\nprot = 1\n";
    let error = Config::from_toml("housecall.toml", text)
        .unwrap_err()
        .to_string();
    assert!(error.starts_with("housecall.toml, line 5: "), "{error}");
    assert!(error.contains("prot"), "{error}");
}

#[test]
fn the_example_is_read() {
    let text = include_str!("../../../../housecall.example.toml");
    let config = Config::from_toml("housecall.example.toml", text).unwrap();
    let config = config.check().unwrap();
    assert_eq!(config.trunks.len(), 2);
    assert_eq!(config.trunks[0].srtp, Some(SrtpWish::Required));
    assert_eq!(
        config.trunks[0].realm.as_ref().map(Line::as_str),
        Some("carrier.example")
    );
    assert!(config.sip.external_address.is_some() && config.sip.roots_file.is_some());
    let defaults = Config::default();
    assert_eq!(config.server.bind, defaults.server.bind);
    assert_eq!(config.media.address, defaults.media.address);
    assert_eq!(config.visits.minutes_after, defaults.visits.minutes_after);
}

#[test]
fn trunks_stand_in_order_and_a_wrong_one_is_named_with_its_line() {
    let trunks = |more: &str| {
        let first = "[[trunks]]\nname = \"A\"\nhost = \"sip.a.example\"\npreset = \"twilio\"\n";
        Config::from_toml("f", &format!("{first}\n[[trunks]]\nname = \"B\"\n{more}"))
    };
    let config =
        trunks("domain = \"b.example\"\ntransport = \"tls\"\noutcomes = { 402 = \"no_credit\" }\n")
            .unwrap();
    assert_eq!(config.trunks[0].domain(), Some("sip.a.example"));
    assert_eq!(config.trunks[1].host(), Some("b.example"));
    for (more, line, said) in [
        ("", 6, "nowhere to send calls"),
        ("host = \"b.example:5060\"\n", 8, "neither a name"),
        ("host = \"b\"\nusername = \"u\"\n", 6, "go together"),
        ("host = \"b\"\nrealm = \"r\"\n", 6, "write both, or leave"),
        ("host = \"b\"\nrealm = \"\"\n", 9, "an empty text"),
        ("host = \"b\"\nsession_expires = 60\n", 6, "at least 90"),
        ("host = \"b\"\nsrtp = \"maybe\"\n", 9, "maybe"),
        ("host = \"b\"\ncodecs = [\"g729\"]\n", 9, "g729"),
        ("host = \"b\"\ncodecs = []\n", 6, "at least one of opus"),
        ("host = \"b\"\nheaders = { Via = \"x\" }\n", 9, "Via"),
        ("host = \"b\"\noutcomes = { 200 = \"busy\" }\n", 9, "200"),
    ] {
        let error = trunks(more).unwrap_err().to_string();
        assert!(error.starts_with(&format!("f, line {line}: ")), "{error}");
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn what_trunks_are_told_of_us_is_an_address() {
    let config = Config::from_toml("f", "[sip]\nexternal_address = \"203.0.113.7\"\n").unwrap();
    let ip = config.sip.external_address.map(ExternalAddress::ip);
    assert_eq!(ip, Some("203.0.113.7".parse().unwrap()));
    for wrong in [
        "clinic.example",
        "203.0.113.7:5060",
        "0.0.0.0",
        "224.0.0.1",
        "::",
        "",
    ] {
        let text = format!("demo = false\n[sip]\nexternal_address = \"{wrong}\"\n");
        let error = Config::from_toml("f", &text).unwrap_err().to_string();
        assert!(error.starts_with("f, line 3: "), "{error}");
        assert!(error.contains("such as 203.0.113.7"), "{error}");
    }
}

#[test]
fn both_our_addresses_are_of_one_family() {
    let with = |external: &str| {
        let variables = [("HOUSECALL_EXTERNAL_ADDRESS".to_owned(), external.to_owned())];
        Config::demo()
            .overrule(&variables.into())
            .and_then(Config::check)
    };
    assert!(with("203.0.113.7").is_ok());
    let error = with("2001:db8::7").unwrap_err().to_string();
    assert!(
        error.contains("2001:db8::7 and media.address is 127.0.0.1"),
        "{error}"
    );
    let error = with("here").unwrap_err().to_string();
    assert!(
        error.starts_with("the variable HOUSECALL_EXTERNAL_ADDRESS"),
        "{error}"
    );
}

#[test]
fn variables_overrule_and_misspelt_ones_are_refused() {
    let variables = |pairs: &[(&str, &str)]| {
        pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect()
    };
    let config = Config::demo()
        .overrule(&variables(&[
            ("HOUSECALL_PORT", "9000"),
            ("PATH", "x"),
            ("HOUSECALL_DATA", "/d"),
        ]))
        .unwrap();
    assert_eq!(config.server.bind.to_string(), "127.0.0.1:9000");
    assert_eq!(config.database().to_string(), "/d/housecall.sqlite");
    let error = Config::demo()
        .overrule(&variables(&[("HOUSECALL_PROT", "9000")]))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the variable HOUSECALL_PROT is wrong: there is no such setting"
    );
}

#[test]
fn a_database_is_a_file_or_on_a_server_and_its_password_is_not_shown() {
    let config = |text: &str| Config::from_toml("f.toml", text).unwrap();
    assert_eq!(config("").database().to_string(), "data/housecall.sqlite");
    let file = config("[server]\ndatabase = \"/d/clinic.db\"");
    assert_eq!(file.database(), Address::File("/d/clinic.db".into()));
    let server = config("[server]\ndatabase = \"postgres://clinic:secret@db.example/clinic\"");
    assert!(matches!(server.database(), Address::Postgres(_)));
    assert!(!format!("{server:?}").contains("secret"));
    let moved = BTreeMap::from([(
        "HOUSECALL_DATABASE".to_owned(),
        "postgresql://other/clinic".to_owned(),
    )]);
    let moved = server.overrule(&moved).unwrap();
    assert_eq!(moved.database().to_string(), "postgresql://other/clinic");
}

#[test]
fn a_spool_stands_beside_the_data_unless_said() {
    let config = |text| Config::from_toml("test", text).unwrap();
    let beside = config("[server]\ndata = \"/d\"");
    assert_eq!(beside.spool(), Path::new("/d/spool"));
    let said = config("[server]\nspool = \"/ssd/spool\"");
    assert_eq!(said.spool(), Path::new("/ssd/spool"));
    let moved = BTreeMap::from([("HOUSECALL_SPOOL".to_owned(), "/other".to_owned())]);
    assert_eq!(said.overrule(&moved).unwrap().spool(), Path::new("/other"));
}

#[test]
fn only_our_hosts_are_served() {
    let mut server = Server::default();
    for (host, ours) in [
        ("localhost:8080", true),
        ("127.0.0.1:9", true),
        ("[::1]:8080", true),
        ("localhost", true),
        ("evil.test", false),
        ("", false),
        ("localhost.evil.test", false),
        ("127.0.0.1.evil.test:8080", false),
    ] {
        assert_eq!(server.serves_host(host), ours, "{host}");
    }
    server.public_url = Some("https://clinic.example".to_owned());
    assert!(server.serves_host("Clinic.example"));
    assert!(!server.serves_host("localhost:8080"));
}

#[test]
fn contradictions_are_refused() {
    let with_url = |url: &str| Config {
        server: Server {
            public_url: Some(url.to_owned()),
            ..Server::default()
        },
        ..Config::demo()
    };
    assert!(with_url("https://clinic.example/").check().is_ok());
    for url in [
        "clinic.example",
        "ftp://x",
        "https://",
        "https://x/y",
        "https://x y",
    ] {
        assert!(with_url(url).check().is_err(), "{url}");
    }
}

#[test]
fn a_node_is_reached_where_its_url_says() {
    let plan = |text: &str| {
        let text = format!("demo = false\n{text}");
        Config::from_toml("f", &text)
            .unwrap()
            .check()
            .map(|config| config.node_plan())
    };
    let alone = plan("[server]\npublic_url = \"https://clinic.example/\"\n").unwrap();
    assert_eq!(
        (alone.name.as_str(), alone.url.as_str()),
        ("clinic.example", "https://clinic.example")
    );
    let among = plan(
        "[server]\npublic_url = \"https://clinic.example\"\n[node]\nurl = \"https://one.clinic.example/\"\nname = \"one\"\n",
    );
    let among = among.unwrap();
    assert_eq!(
        (among.name.as_str(), among.url.as_str()),
        ("one", "https://one.clinic.example")
    );
    for (wrong, said) in [
        (
            "[node]\nurl = \"one.clinic.example\"\n",
            "node.url is `one.clinic.example`",
        ),
        (
            "[node]\nurl = \"http://one.example/path\"\n",
            "without a path",
        ),
        (
            "[node]\nurl = \"https://one.clinic.example\"\n",
            "write https:// in both",
        ),
    ] {
        let error = plan(wrong).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn a_node_serves_its_own_host_beside_the_public_one() {
    let text = "demo = false\n[server]\npublic_url = \"https://clinic.example\"\n[node]\nurl = \"https://one.clinic.example\"\n";
    let config = Config::from_toml("f", text).unwrap().check().unwrap();
    assert!(config.serves_host("clinic.example") && config.serves_host("ONE.clinic.example"));
    assert!(!config.serves_host("two.clinic.example") && !config.serves_host("localhost"));
}
