//! What text messages weigh and cost.

use super::told::{CASES, Random, practice};
use crate::{
    Account, Alphabet, Balance, Books, Cause, Credits, Kind, Message, MessageFact, MessageId,
    Refusal, Segments, TooLong, Transaction, WrongMoment,
};

/// Checks a table: a text as `a*160 €*1`, and behind `->` its alphabet, parts and the places left.
fn check(table: &str) {
    for line in table
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default().trim())
    {
        let Some((text, expected)) = line.split_once("->") else {
            continue;
        };
        let text: String = text.split_whitespace().map(repeated).collect();
        let segments = Segments::of(&text).unwrap();
        let alphabet = match segments.alphabet() {
            Alphabet::Gsm7 => "gsm7",
            Alphabet::Ucs2 => "ucs2",
        };
        let found = format!(
            "{alphabet} {} left {}",
            segments.credits().0,
            segments.left()
        );
        assert_eq!(found, expected.trim(), "`{line}`");
        assert_eq!(segments.parts().concat(), text);
    }
}

/// `a*3` is `aaa`.
fn repeated(text: &str) -> String {
    let (letter, times) = text.split_once('*').expect("a letter and how often");
    let letter = match letter {
        "newline" => "\n",
        "return" => "\r",
        "tab" => "\t",
        "page" => "\u{c}",
        "space" => " ",
        letter => letter,
    };
    letter.repeat(times.parse().unwrap())
}

#[test]
fn r1_a_credit_for_each_part() {
    check(
        "
        a*0                 -> gsm7 1 left 160
        a*160               -> gsm7 1 left 0
        a*161               -> gsm7 2 left 145
        a*306               -> gsm7 2 left 0
        a*307               -> gsm7 3 left 152
        ж*70                -> ucs2 1 left 0
        ж*71                -> ucs2 2 left 63
        ж*134               -> ucs2 2 left 0
        ж*135               -> ucs2 3 left 66
        a*69 ж*1            -> ucs2 1 left 0       # one letter decides for all
        a*70 ж*1            -> ucs2 2 left 63
    ",
    );
}

/// 3GPP TS 23.038 §6.2.1.1: an escape and a character, which are not torn apart.
#[test]
fn r1_extension_characters_take_two_places() {
    check(
        "
        €*80                -> gsm7 1 left 0
        €*81                -> gsm7 2 left 143     # 76 in the first part: one place stays empty
        a*159 €*1           -> gsm7 2 left 145
        a*152 €*1 a*8       -> gsm7 2 left 143
        a*151 €*1 a*8       -> gsm7 2 left 145
        ^*10 {*10 }*10 \\*10 [*10 ~*10 ]*10 |*10   -> gsm7 1 left 0
        page*80             -> gsm7 1 left 0
    ",
    );
}

#[test]
fn r1_surrogate_pairs_are_not_split() {
    check(
        "
        😀*35               -> ucs2 1 left 0
        😀*36               -> ucs2 2 left 61      # 33 in the first part
        ж*66 😀*1 ж*3       -> ucs2 2 left 62
        ж*65 😀*1 ж*4       -> ucs2 2 left 63
    ",
    );
}

#[test]
fn r1_what_the_default_alphabet_has() {
    check("
        newline*1 return*1 space*1 @*1 £*1 $*1 ¥*1 è*1 Ç*1 Δ*1 Ω*1 Ξ*1 ß*1 ¤*1 ¡*1 ¿*1 §*1 à*1 _*1   -> gsm7 1 left 141
        ç*1                 -> ucs2 1 left 69      # only the capital letter
        `*1                 -> ucs2 1 left 69
        tab*1               -> ucs2 1 left 69
        ’*1                 -> ucs2 1 left 69      # what a word processor makes of '
        ê*1                 -> ucs2 1 left 69
    ");
    let gsm = |letter: &u32| {
        let text = char::from_u32(*letter)
            .map(String::from)
            .unwrap_or_default();
        Segments::of(&text).unwrap().alphabet() == Alphabet::Gsm7 && !text.is_empty()
    };
    // 128 codes without the escape, and ten behind it.
    assert_eq!((0..0x3000).filter(gsm).count(), 127 + 10);
}

#[test]
fn r1_a_message_has_at_most_255_parts() {
    check(
        "
        a*39015             -> gsm7 255 left 0
        ж*17085             -> ucs2 255 left 0
    ",
    );
    for text in [
        "a".repeat(39_016),
        "ж".repeat(17_086),
        "€".repeat(19_381),
        "a".repeat(50_000_000),
    ] {
        assert_eq!(Segments::of(&text), Err(TooLong), "{} bytes", text.len());
    }
}

/// Nothing is lost, no part is too long, and none could take what the next one begins with.
#[test]
fn every_text_is_cut_whole_and_tight() {
    let letters: Vec<char> = "aZ0 @€[~Ωж語😀\n".chars().collect();
    for seed in 0..CASES {
        let mut random = Random(seed);
        let plain = random.below(3) > 0;
        let known = if plain { 9 } else { letters.len() as u64 };
        let text: String = (0..random.below(500))
            .map(|_| letters[random.below(known) as usize])
            .collect();
        let segments = Segments::of(&text).unwrap();
        let units = |part: &str| -> usize {
            match segments.alphabet() {
                Alphabet::Gsm7 => part
                    .chars()
                    .map(|letter| 1 + usize::from("€[~".contains(letter)))
                    .sum(),
                Alphabet::Ucs2 => part.encode_utf16().count(),
            }
        };
        let (single, room) = match segments.alphabet() {
            Alphabet::Gsm7 => (160, 153),
            Alphabet::Ucs2 => (70, 67),
        };
        let parts = segments.parts();
        assert_eq!(parts.concat(), text, "seed {seed}");
        assert_eq!(parts.len() == 1, units(&text) <= single, "seed {seed}");
        let has = if parts.len() == 1 { single } else { room };
        assert_eq!(
            units(parts[parts.len() - 1]) + segments.left(),
            has,
            "seed {seed}"
        );
        for pair in parts.windows(2) {
            let first: String = pair[1].chars().take(1).collect();
            assert!(units(pair[0]) <= room, "seed {seed}");
            assert!(units(pair[0]) + units(&first) > room, "seed {seed}");
        }
    }
}

/// A message of two parts, and books with so many credits.
fn message(credits: u64) -> (Message, Books) {
    let text = "a".repeat(200);
    let mut books = Books::default();
    let given = Transaction::gift("1", practice(), Credits(credits), "new");
    books.record(&given).unwrap();
    let text = Segments::of(&text).unwrap();
    let message = Message::open(MessageId::new("m"), practice(), &text);
    (message, books)
}

fn balances(books: &Books) -> [i64; 3] {
    [Account::Available, Account::Reserved, Account::Earned]
        .map(|of| books.balance(&practice(), of).0)
}

fn drain(message: &mut Message, books: &mut Books) -> Vec<Kind> {
    let mut kinds = Vec::new();
    while let Some(entry) = message.poll_output() {
        books.record(&entry).unwrap();
        assert_eq!(books.record(&entry), Ok(false));
        assert_eq!(
            Cause::parse(&entry.cause.to_string()).as_ref(),
            Some(&entry.cause)
        );
        let _ = message.recorded(&entry.key);
        kinds.push(entry.kind);
    }
    kinds
}

#[test]
fn r1_a_message_is_charged_once_when_sent() {
    let (mut message, mut books) = message(5);
    assert_eq!(drain(&mut message, &mut books), [Kind::Reserve]);
    assert_eq!(balances(&books), [3, 2, 0]);
    // Told twice, and then the opposite: it left.
    for fact in [MessageFact::Sent, MessageFact::Sent, MessageFact::Failed] {
        message.handle_input(fact).unwrap();
    }
    assert_eq!(drain(&mut message, &mut books), [Kind::Settle]);
    assert_eq!(balances(&books), [3, 0, 2]);
}

#[test]
fn r1_a_message_that_never_left_costs_nothing() {
    let (mut message, mut books) = message(2);
    assert_eq!(drain(&mut message, &mut books), [Kind::Reserve]);
    for fact in [MessageFact::Failed, MessageFact::Sent, MessageFact::Failed] {
        message.handle_input(fact).unwrap();
    }
    assert_eq!(drain(&mut message, &mut books), [Kind::Release]);
    assert_eq!(balances(&books), [2, 0, 0]);
}

/// What is not covered does not leave, and says so by the grant that it does not get.
#[test]
fn r1_nothing_leaves_unpaid() {
    let (mut message, mut books) = message(1);
    let reserve = message.poll_output().unwrap();
    let refused = books.record(&reserve);
    assert_eq!(
        refused,
        Err(Refusal::InsufficientCredits {
            needed: Credits(2),
            available: Balance(1)
        })
    );
    let wrong = WrongMoment {
        fact: "sent",
        state: "not reserved",
    };
    assert_eq!(message.handle_input(MessageFact::Sent), Err(wrong));
    assert_eq!(message.poll_output(), None);
}

/// It failed while the answer of the journal was lost: no grant, and the credits come back.
#[test]
fn a_message_that_fails_before_it_is_reserved_is_released() {
    let (mut message, mut books) = message(5);
    let reserve = message.poll_output().unwrap();
    books.record(&reserve).unwrap();
    message.handle_input(MessageFact::Failed).unwrap();
    assert_eq!(message.poll_output(), None);
    assert!(message.recorded(&reserve.key).is_none());
    assert_eq!(drain(&mut message, &mut books), [Kind::Release]);
    assert_eq!(balances(&books), [5, 0, 0]);
}
