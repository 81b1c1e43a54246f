//! Cookies: read one, set one, end one.

use axum::http::{HeaderMap, HeaderValue, header};

use crate::token::Token;

/// How far a cookie travels with links from other sites.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SameSite {
    /// With top-level links: staff follow links from their mail.
    Lax,
    /// Never: a visit link brings its own proof each time.
    Strict,
}

/// Returns the name a cookie has: with `__Host-` where TLS protects it, which no other host can then overwrite.
pub fn name(plain: &str, https: bool) -> String {
    if https {
        format!("__Host-{plain}")
    } else {
        plain.to_owned()
    }
}

/// Returns the token in the cookie of that name, if it can be one.
pub fn read(headers: &HeaderMap, name: &str) -> Option<Token> {
    let pairs = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'));
    pairs
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(n, _)| *n == name)
        .and_then(|(_, value)| Token::from_text(value))
}

/// Returns the header that sets a cookie for `seconds`.
pub fn set(name: &str, token: &Token, seconds: i64, same_site: SameSite) -> HeaderValue {
    header_value(name, token.reveal(), seconds, same_site)
}

/// Returns the header that ends a cookie.
pub fn end(name: &str) -> HeaderValue {
    header_value(name, "", 0, SameSite::Lax)
}

fn header_value(name: &str, value: &str, seconds: i64, same_site: SameSite) -> HeaderValue {
    let secure = if name.starts_with("__Host-") {
        "; Secure"
    } else {
        ""
    };
    let text = format!(
        "{name}={value}; Path=/; Max-Age={}; HttpOnly; SameSite={same_site:?}{secure}",
        seconds.max(0)
    );
    let mut header = HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""));
    header.set_sensitive(true);
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_right_cookie_is_found_among_others() {
        let token = Token::random().unwrap();
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=1; staffx=2"));
        headers.append(
            header::COOKIE,
            format!("b=; staff={}; c", token.reveal()).parse().unwrap(),
        );
        assert_eq!(read(&headers, "staff"), Some(token));
        assert_eq!(read(&headers, "a"), None);
    }

    #[test]
    fn asvs_3_3_cookies_are_closed_to_scripts_and_other_hosts() {
        let token = Token::random().unwrap();
        let plain = set(&name("staff", false), &token, 60, SameSite::Lax);
        let secure = set(&name("staff", true), &token, 60, SameSite::Strict);
        assert!(
            plain
                .to_str()
                .unwrap()
                .ends_with("; Path=/; Max-Age=60; HttpOnly; SameSite=Lax")
        );
        assert!(secure.to_str().unwrap().starts_with("__Host-staff="));
        assert!(
            secure
                .to_str()
                .unwrap()
                .ends_with("; HttpOnly; SameSite=Strict; Secure")
        );
    }
}
