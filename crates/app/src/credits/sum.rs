//! Sums of money as people write them.

use housecall_store::{Currency, Money};

/// More than this is a slip of the finger.
const WHOLE_MAX: u64 = 1_000_000;

/// The currency of a country, by its two letters.
pub(super) fn currency(country: &str) -> Option<Currency> {
    Currency::new(match country {
        "AU" => "AUD",
        "NZ" => "NZD",
        "GB" => "GBP",
        "US" => "USD",
        "CA" => "CAD",
        "CH" => "CHF",
        _ => "EUR",
    })
}

/// `25.00`, for a form; with thousands kept together.
pub(super) fn plain(sum: Money) -> String {
    format!("{}.{:02}", sum.minor / 100, sum.minor % 100)
}

/// `25.00 AUD`.
pub(super) fn words(sum: Money) -> String {
    format!("{} {}", plain(sum), sum.currency)
}

/// Reads `25`, `25.5`, `1,250.00`.
///
/// # Errors
/// A sentence that says what is wrong.
pub(super) fn read(text: &str, currency: Currency) -> Result<Money, String> {
    let wrong = || format!("“{text}” is no sum of {currency}: write it as 25.00.");
    let text: String = text.chars().filter(|c| *c != ',' && *c != ' ').collect();
    let (whole, cents) = text.split_once('.').unwrap_or((&text, ""));
    let digits = |part: &str| part.chars().all(|c| c.is_ascii_digit());
    if whole.is_empty() || cents.len() > 2 || !digits(whole) || !digits(cents) {
        return Err(wrong());
    }
    let whole: u64 = whole.parse().map_err(|_| wrong())?;
    if whole > WHOLE_MAX {
        return Err(format!(
            "{whole} {currency} is more than {WHOLE_MAX} {currency}, the most that is taken at once."
        ));
    }
    let cents: u64 = format!("{cents:0<2}").parse().map_err(|_| wrong())?;
    Ok(Money {
        minor: whole * 100 + cents,
        currency,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_read_as_they_are_written() {
        let aud = currency("AU").unwrap();
        let minor = |text| read(text, aud).map(|sum| sum.minor);
        for (text, cents) in [
            ("25", 2_500),
            ("25.5", 2_550),
            ("1,250.07", 125_007),
            ("0", 0),
            ("1000000", 100_000_000),
        ] {
            assert_eq!(minor(text), Ok(cents), "{text}");
        }
        for text in [
            "",
            "-1",
            "1.234",
            "1.2.3",
            "twelve",
            "1000001",
            "99999999999999999999",
            ".5",
            "1e3",
            "٣",
        ] {
            assert!(minor(text).is_err(), "{text}");
        }
        let sum = read("1,250.07", aud).unwrap();
        assert_eq!(
            (plain(sum).as_str(), words(sum).as_str()),
            ("1250.07", "1250.07 AUD")
        );
    }
}
