//! Janus with its AudioBridge plugin: a browser by WebRTC and a telephone by plain RTP, mixed in a room of their own.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::Result;
use crate::inside::CABLE_ADDRESS;
use crate::program::Program;
use crate::server::Joined;

/// The program's name.
pub const PROGRAM: &str = "janus";
const HTTP: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8_088);
const REPLY_LIMIT: Duration = Duration::from_secs(5);
/// Events read before the one that is waited for.
const EVENTS_MAX: usize = 10;
/// Where Debian has its plugins and transports.
const LIBRARIES: &str = "/usr/lib/x86_64-linux-gnu/janus";

/// A running Janus.
#[derive(Debug)]
pub struct Janus {
    /// The process.
    pub program: Program,
    rooms: u32,
}

impl Janus {
    /// Starts it.
    ///
    /// # Errors
    /// It cannot be started, or does not reply.
    pub async fn start(folder: &Path) -> Result<Self> {
        let folder = folder.join(PROGRAM);
        write_settings(&folder)?;
        let mut command = Command::new(PROGRAM);
        command
            .arg("--disable-colors")
            .arg("--interface=127.0.0.1")
            .arg(format!("--configs-folder={}", folder.display()))
            .arg(format!("--config={}", folder.join("janus.jcfg").display()));
        let mut program = Program::start(PROGRAM, &command, &folder)?;
        program.ignore_output();
        let janus = Self { program, rooms: 0 };
        for _ in 0..50 {
            if TcpStream::connect(HTTP).await.is_ok() {
                return Ok(janus);
            }
            sleep(Duration::from_millis(100)).await;
        }
        Err(format!("janus does not listen: {}", janus.program.last_words()).into())
    }

    /// Joins a browser that made this offer to a telephone.
    ///
    /// # Errors
    /// Janus refuses.
    pub async fn join(&mut self, offer: &str, phone: SocketAddr) -> Result<Joined> {
        self.rooms += 1;
        let room = self.rooms;
        let browser = Seat::take().await?;
        browser
            .ask(json!({"request": "create", "room": room, "sampling_rate": 48_000, "allow_rtp_participants": true}))
            .await?;
        browser
            .join(json!({"request": "join", "room": room, "codec": "opus"}))
            .await?;
        let offer = json!({"type": "offer", "sdp": offer});
        let configured = browser.configure(offer).await?;
        let rtp = json!({"ip": phone.ip().to_string(), "port": phone.port(), "payload_type": 0});
        let seat = Seat::take().await?;
        let joined = seat
            .join(json!({"request": "join", "room": room, "codec": "pcmu", "rtp": rtp}))
            .await?;
        Ok(Joined {
            answer: text(&configured, "/jsep/sdp")?.to_owned(),
            phone_peer: rtp_addr(&joined)?,
        })
    }
}

fn rtp_addr(joined: &Value) -> Result<SocketAddr> {
    let rtp = joined
        .pointer("/plugindata/data/rtp")
        .ok_or("no rtp in Janus's reply")?;
    let port = rtp
        .get("port")
        .and_then(Value::as_u64)
        .ok_or("no port in Janus's reply")?;
    Ok(SocketAddr::new(
        text(rtp, "/ip")?.parse()?,
        u16::try_from(port)?,
    ))
}

fn text<'a>(value: &'a Value, pointer: &str) -> Result<&'a str> {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found.ok_or_else(|| format!("no {pointer} in Janus's {value}").into())
}

/// A session with one handle of the plugin.
struct Seat {
    session: String,
    handle: String,
}

impl Seat {
    async fn take() -> Result<Self> {
        let created = post("/janus", json!({"janus": "create", "transaction": "1"})).await?;
        let session = format!("/janus/{}", id(&created)?);
        let attach =
            json!({"janus": "attach", "plugin": "janus.plugin.audiobridge", "transaction": "2"});
        let attached = post(&session, attach).await?;
        let handle = format!("{session}/{}", id(&attached)?);
        Ok(Self { session, handle })
    }

    async fn ask(&self, body: Value) -> Result<Value> {
        let message = json!({"janus": "message", "body": body, "transaction": "3"});
        post(&self.handle, message).await
    }

    async fn join(&self, body: Value) -> Result<Value> {
        self.ask(body).await?;
        self.event("/plugindata/data/audiobridge", "joined").await
    }

    async fn configure(&self, offer: Value) -> Result<Value> {
        let body = json!({"request": "configure", "muted": false});
        let message = json!({"janus": "message", "body": body, "jsep": offer, "transaction": "4"});
        post(&self.handle, message).await?;
        self.event("/jsep/type", "answer").await
    }

    /// The next event that has `wanted` at `pointer`.
    async fn event(&self, pointer: &str, wanted: &str) -> Result<Value> {
        for _ in 0..EVENTS_MAX {
            let event = http("GET", &self.session, "").await?;
            if event.pointer("/plugindata/data/error").is_some() {
                return Err(format!("Janus refuses: {event}").into());
            }
            if event.pointer(pointer).and_then(Value::as_str) == Some(wanted) {
                return Ok(event);
            }
        }
        Err(format!("Janus never said {wanted}").into())
    }
}

fn id(reply: &Value) -> Result<u64> {
    let id = reply.pointer("/data/id").and_then(Value::as_u64);
    id.ok_or_else(|| format!("no id in Janus's {reply}").into())
}

async fn post(path: &str, body: Value) -> Result<Value> {
    let reply = http("POST", path, &body.to_string()).await?;
    match reply.get("janus").and_then(Value::as_str) {
        Some("success" | "ack") if reply.pointer("/plugindata/data/error").is_none() => Ok(reply),
        _ => Err(format!("Janus refuses: {reply}").into()),
    }
}

/// One request of HTTP/1.0 (RFC 1945): the reply ends with its connection.
async fn http(method: &str, path: &str, body: &str) -> Result<Value> {
    let mut connection = TcpStream::connect(HTTP).await?;
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.0\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    connection.write_all(request.as_bytes()).await?;
    let mut reply = String::new();
    timeout(REPLY_LIMIT, connection.read_to_string(&mut reply)).await??;
    let (_, body) = reply.split_once("\r\n\r\n").ok_or("no reply from Janus")?;
    Ok(serde_json::from_str(body)?)
}

fn write_settings(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    let write = |name: &str, text: &str| fs::write(folder.join(name), text);
    // It gathers no candidates on the loopback interface.
    write(
        "janus.jcfg",
        &format!(
            "general: {{ plugins_folder = \"{LIBRARIES}/plugins\"\n transports_folder = \"{LIBRARIES}/transports\"\n\
             events_folder = \"{LIBRARIES}/events\"\n loggers_folder = \"{LIBRARIES}/loggers\"\n debug_level = 3\n session_timeout = 0 }}\n\
             media: {{ rtp_port_range = \"42000-45999\" }}\n\
             nat: {{ ice_enforce_list = \"{CABLE_ADDRESS}\" }}\n\
             plugins: {{ disable = \"libjanus_lua.so,libjanus_duktape.so,libjanus_echotest.so,libjanus_nosip.so,libjanus_recordplay.so,\
             libjanus_sip.so,libjanus_streaming.so,libjanus_textroom.so,libjanus_videocall.so,libjanus_videoroom.so,libjanus_voicemail.so\" }}\n\
             transports: {{ disable = \"libjanus_websockets.so,libjanus_rabbitmq.so,libjanus_mqtt.so,libjanus_nanomsg.so,libjanus_pfunix.so\" }}\n\
             loggers: {{ disable = \"libjanus_jsonlog.so\" }}\n"
        ),
    )?;
    let port = HTTP.port();
    write(
        "janus.transport.http.jcfg",
        &format!(
            "general: {{ json = \"compact\"\n base_path = \"/janus\"\n http = true\n port = {port}\n ip = \"127.0.0.1\"\n https = false }}\n"
        ),
    )?;
    write(
        "janus.plugin.audiobridge.jcfg",
        "general: { rtp_port_range = \"46000-48999\"\n local_ip = \"127.0.0.1\" }\n",
    )?;
    Ok(())
}
