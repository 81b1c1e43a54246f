//! Conversations with the pages: a browser asks, a clinic answers, once with each database, the clock stands until a test moves it.

mod appointments;
mod credits;
mod guard;
mod people;
mod reports;
mod sign_in;
mod visits;

use std::collections::BTreeMap;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use housecall_store::testing::Base;
use tower::ServiceExt;

use crate::clock::Clock;
use crate::config::Config;
use crate::ids::{AppointmentId, PatientId};
use crate::state::App;
use crate::{db, demo, router};

/// Tuesday 24 November 2026, 10:00 in Sydney.
pub(crate) const TEN: i64 = 1_795_474_800_000;
pub(crate) const MINUTE: i64 = 60_000;
pub(crate) const HOST: &str = "localhost:8080";
pub(crate) const ORIGIN: &str = "http://localhost:8080";

/// A clinic of the demonstration's people.
pub(crate) struct Clinic {
    pub(crate) app: App,
    pub(crate) printed: String,
    router: Router,
}

impl Clinic {
    pub(crate) async fn open(base: &Base) -> Self {
        Self::with(base, Config::demo()).await
    }

    pub(crate) async fn with(base: &Base, config: Config) -> Self {
        let store = db::open(base.address()).await.unwrap();
        let app = App::new(config, store, Clock::standing_at(TEN));
        let printed = demo::prepare(&app).await.unwrap();
        let router = router(app.clone());
        Self {
            app,
            printed,
            router,
        }
    }

    /// A browser that nobody has signed in with.
    pub(crate) fn browser(&self) -> Browser {
        Browser {
            router: self.router.clone(),
            cookies: BTreeMap::new(),
        }
    }

    pub(crate) async fn practitioner(&self) -> Browser {
        self.signed_in("dana@harbour.example").await
    }

    pub(crate) async fn administrator(&self) -> Browser {
        self.signed_in("robin@harbour.example").await
    }

    /// Signs in by a link, which costs no hashing.
    async fn signed_in(&self, email: &str) -> Browser {
        let user = sqlx::query_scalar("SELECT id FROM users WHERE email = $1")
            .bind(email)
            .fetch_one(&self.app.db)
            .await
            .unwrap();
        let link = crate::sign_in::links::issue(&self.app, user).await.unwrap();
        let mut browser = self.browser();
        let reply = browser.exchange("/sign-in/link", &link).await;
        assert_eq!(reply.status, StatusCode::OK);
        browser
    }

    pub(crate) async fn patient(&self, name: &str) -> PatientId {
        sqlx::query_scalar("SELECT id FROM patients WHERE name = $1")
            .bind(name)
            .fetch_one(&self.app.db)
            .await
            .unwrap()
    }

    pub(crate) async fn count(&self, table: &'static str) -> i64 {
        let select = match table {
            "appointments" => "SELECT COUNT(*) FROM appointments",
            "participants" => "SELECT COUNT(*) FROM participants",
            "patients" => "SELECT COUNT(*) FROM patients",
            "notes" => "SELECT COUNT(*) FROM clinical_notes",
            other => panic!("no table {other}"),
        };
        sqlx::query_scalar(select)
            .fetch_one(&self.app.db)
            .await
            .unwrap()
    }

    /// Moves the clock.
    pub(crate) fn wait_minutes(&self, minutes: i64) {
        self.app.clock.advance(minutes * MINUTE);
    }

    /// Books a telehealth appointment at 11:00 of the clock's day for 30 minutes and returns it.
    pub(crate) async fn book(&self, staff: &mut Browser, names: &[&str]) -> AppointmentId {
        let mut fields = appointment_fields("telehealth");
        for name in names {
            fields.push(("patient".to_owned(), self.patient(name).await.to_string()));
        }
        let reply = staff.post("/appointments", &fields).await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
        let open = reply.location().split_once("open=").unwrap().1.to_owned();
        AppointmentId(open.parse().unwrap())
    }

    /// Asks for a link as *Copy link* does.
    pub(crate) async fn link(&self, staff: &mut Browser, id: AppointmentId, name: &str) -> String {
        let patient = self.patient(name).await.to_string();
        let reply = staff
            .post_for_json(
                &format!("/appointments/{id}/links"),
                &[("patient".to_owned(), patient)],
            )
            .await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
        serde_json::from_str::<serde_json::Value>(&reply.body).unwrap()["link"]
            .as_str()
            .unwrap()
            .to_owned()
    }
}

/// The fields of an appointment today at 11:00, without patients.
pub(crate) fn appointment_fields(location: &str) -> Vec<(String, String)> {
    [
        ("date", "2026-11-24"),
        ("time", "11:00"),
        ("minutes", "30"),
        ("location", location),
        ("room", "Room 1"),
        ("practitioner", "1"),
        ("title", ""),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}

/// Somebody's browser: keeps cookies, says where its forms come from.
pub(crate) struct Browser {
    router: Router,
    pub(crate) cookies: BTreeMap<String, String>,
}

/// What came back.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn location(&self) -> &str {
        self.headers
            .get(header::LOCATION)
            .map_or("", |location| location.to_str().unwrap())
    }
}

/// A form, field by field.
pub(crate) fn fields(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

impl Browser {
    pub(crate) async fn get(&mut self, path: &str) -> Reply {
        self.send(Request::get(path), Body::empty()).await
    }

    pub(crate) async fn post(&mut self, path: &str, fields: &[(String, String)]) -> Reply {
        self.send(form(path), body(fields)).await
    }

    pub(crate) async fn post_for_json(&mut self, path: &str, fields: &[(String, String)]) -> Reply {
        self.send(
            form(path).header(header::ACCEPT, "application/json"),
            body(fields),
        )
        .await
    }

    /// Posts what is behind `#` of a link, as its page does.
    pub(crate) async fn exchange(&mut self, path: &str, link: &str) -> Reply {
        let token = link.split_once('#').map_or(link, |(_, token)| token);
        let request = Request::post(path)
            .header(header::ORIGIN, ORIGIN)
            .header(header::CONTENT_TYPE, "application/json");
        self.send(
            request,
            Body::from(serde_json::json!({ "token": token }).to_string()),
        )
        .await
    }

    /// Opens a visit link whole: the exchange, then the page it leads to.
    pub(crate) async fn open_visit(&mut self, link: &str) -> Reply {
        let reply = self.exchange("/visit", link).await;
        if reply.status != StatusCode::OK {
            return reply;
        }
        let go: serde_json::Value = serde_json::from_str(&reply.body).unwrap();
        self.get(go["go"].as_str().unwrap()).await
    }

    /// Sends a request as it is, with the cookies and, unless it names another, our host.
    pub(crate) async fn send(
        &mut self,
        mut request: axum::http::request::Builder,
        body: Body,
    ) -> Reply {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        if !cookies.is_empty() {
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        if !request.headers_ref().unwrap().contains_key(header::HOST) {
            request = request.header(header::HOST, HOST);
        }
        let response = self
            .router
            .clone()
            .oneshot(request.body(body).unwrap())
            .await
            .unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        for cookie in headers.get_all(header::SET_COOKIE) {
            self.keep(cookie.to_str().unwrap());
        }
        let body = axum::body::to_bytes(response.into_body(), 16 << 20)
            .await
            .unwrap();
        Reply {
            status,
            headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        }
    }

    fn keep(&mut self, cookie: &str) {
        let (name, rest) = cookie.split_once('=').unwrap();
        let value = rest.split(';').next().unwrap();
        if rest.contains("Max-Age=0") {
            self.cookies.remove(name);
        } else {
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
    }
}

fn form(path: &str) -> axum::http::request::Builder {
    Request::post(path)
        .header(header::ORIGIN, ORIGIN)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
}

fn body(fields: &[(String, String)]) -> Body {
    Body::from(
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish(),
    )
}
