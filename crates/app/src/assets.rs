//! The front end's files: embedded, served under a name that changes when any of them does.
//!
//! A page links to `/assets/<hash>/style.css`; a relative `import "./lib/peer.js"` then resolves by itself and everything may be kept
//! for ever. Debug builds read from the disk, so that saving a file and reloading the page is enough.

use std::borrow::Cow;
use std::path::{Component, Path};
use std::sync::LazyLock;

use axum::Router;
use axum::extract::Path as UrlPath;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use include_dir::{Dir, include_dir};
use sha2::{Digest, Sha256};

static WEB: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/web");
static BASE: LazyLock<String> = LazyLock::new(|| {
    format!(
        "/assets/{}",
        if cfg!(debug_assertions) {
            "live".to_owned()
        } else {
            content_hash()
        }
    )
});

/// Returns the path under which the files are served, without a slash at its end.
pub fn base() -> &'static str {
    &BASE
}

/// Serves the files.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/assets/{version}/{*path}", get(serve))
}

async fn serve(UrlPath((version, path)): UrlPath<(String, String)>) -> Response {
    let Some(body) = read(&path) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let current = base().strip_prefix("/assets/") == Some(version.as_str());
    let caching = if current && !cfg!(debug_assertions) {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(mime(&path))),
        (header::CACHE_CONTROL, HeaderValue::from_static(caching)),
    ];
    (headers, body.into_owned()).into_response()
}

fn read(path: &str) -> Option<Cow<'static, [u8]>> {
    let plain = Path::new(path)
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    if !plain {
        return None;
    }
    from_disk(path).or_else(|| {
        WEB.get_file(path)
            .map(|file| Cow::Borrowed(file.contents()))
    })
}

#[cfg(debug_assertions)]
fn from_disk(path: &str) -> Option<Cow<'static, [u8]>> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("web").join(path))
        .ok()
        .map(Cow::Owned)
}

#[cfg(not(debug_assertions))]
fn from_disk(_path: &str) -> Option<Cow<'static, [u8]>> {
    None
}

fn mime(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, end)| end) {
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "json" | "map" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "wav" => "audio/wav",
        "ogg" | "opus" => "audio/ogg",
        "mp3" => "audio/mpeg",
        "txt" | "md" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

fn content_hash() -> String {
    let mut hash = Sha256::new();
    hash_directory(&WEB, &mut hash);
    hash.finalize()
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn hash_directory(directory: &Dir<'_>, hash: &mut Sha256) {
    for file in directory.files() {
        hash.update(file.path().as_os_str().as_encoded_bytes());
        hash.update((file.contents().len() as u64).to_be_bytes());
        hash.update(file.contents());
    }
    for inner in directory.dirs() {
        hash_directory(inner, hash);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_the_front_end_are_read() {
        for path in [
            "../Cargo.toml",
            "/etc/passwd",
            "lib/../../Cargo.toml",
            "./style.css",
            "..",
            "",
            "lib",
        ] {
            assert!(read(path).is_none(), "{path}");
        }
        assert!(read("style.css").is_some());
    }

    #[test]
    fn modules_have_a_type_that_browsers_run() {
        assert_eq!(mime("visit.js"), "text/javascript; charset=utf-8");
        assert_eq!(mime("lib/peer.js"), "text/javascript; charset=utf-8");
        assert_eq!(mime("style.css"), "text/css; charset=utf-8");
        assert_eq!(mime("strange"), "application/octet-stream");
    }
}
