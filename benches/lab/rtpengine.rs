//! rtpengine, without its kernel module, told what to do by its `ng` protocol.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::time::{sleep, timeout};

use crate::Result;
use crate::bencode::Value;
use crate::codec::Codec;
use crate::phone::{audio_addr, description};
use crate::program::Program;
use crate::server::Joined;

/// The program's name.
pub const PROGRAM: &str = "rtpengine";
const CONTROL: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 2_223);
const REPLY_LIMIT: Duration = Duration::from_secs(2);

/// A running rtpengine with one thread for packets.
#[derive(Debug)]
pub struct Rtpengine {
    /// The process.
    pub program: Program,
    control: UdpSocket,
    codec: Codec,
    count: u32,
}

impl Rtpengine {
    /// Starts it. Browsers are given `codec`, telephones PCMU.
    ///
    /// # Errors
    /// It cannot be started, or does not reply.
    pub async fn start(folder: &Path, codec: Codec) -> Result<Self> {
        let mut command = Command::new(PROGRAM);
        command.args([
            "--config-file=none",
            "--foreground",
            "--log-stderr",
            "--log-level=4",
            "--table=-1",
            "--interface=127.0.0.1",
            "--port-min=30000",
            "--port-max=39999",
            "--num-threads=1",
            "--media-num-threads=1",
            "--timeout=60",
            "--silent-timeout=300",
            "--tos=0",
            "--delete-delay=0",
        ]);
        command.arg(format!("--listen-ng={CONTROL}"));
        let control = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        control.connect(CONTROL).await?;
        let mut rtpengine = Self {
            program: Program::start(PROGRAM, &command, folder)?,
            control,
            codec,
            count: 0,
        };
        rtpengine.until_up().await?;
        Ok(rtpengine)
    }

    async fn until_up(&mut self) -> Result<()> {
        for _ in 0..50 {
            let ping = Value::dict([("command", "ping".into())]);
            if self.ask(&ping).await.is_ok() {
                return Ok(());
            }
            sleep(Duration::from_millis(100)).await;
        }
        Err(format!("rtpengine does not reply: {}", self.program.last_words()).into())
    }

    /// Joins a browser that made this offer to a telephone.
    ///
    /// # Errors
    /// rtpengine refuses.
    pub async fn join(&mut self, offer: &str, phone: SocketAddr) -> Result<Joined> {
        let call = format!("call-{}", self.count);
        let to_phone = self.ask(&self.offer(&call, offer)).await?;
        let answer = Value::dict([
            ("command", "answer".into()),
            ("call-id", call.as_str().into()),
            ("from-tag", "browser".into()),
            ("to-tag", "phone".into()),
            ("sdp", description(phone).as_str().into()),
            ("ICE", "force".into()),
        ]);
        let to_browser = self.ask(&answer).await?;
        Ok(Joined {
            answer: sdp(&to_browser)?.to_owned(),
            phone_peer: audio_addr(sdp(&to_phone)?)?,
        })
    }

    fn offer(&self, call: &str, offer: &str) -> Value {
        let codecs = match self.codec {
            Codec::Opus => [
                ("mask", Value::list(&["opus"])),
                ("transcode", Value::list(&["PCMU"])),
            ],
            Codec::Pcmu => [
                ("strip", Value::list(&["opus"])),
                ("offer", Value::list(&["PCMU"])),
            ],
        };
        Value::dict([
            ("command", "offer".into()),
            ("call-id", call.into()),
            ("from-tag", "browser".into()),
            ("sdp", offer.into()),
            ("ICE", "remove".into()),
            ("transport-protocol", "RTP/AVP".into()),
            ("rtcp-mux", Value::list(&["demux"])),
            ("replace", Value::list(&["origin"])),
            ("codec", Value::dict(codecs)),
        ])
    }

    async fn ask(&mut self, question: &Value) -> Result<Value> {
        self.count += 1;
        let cookie = format!("{} ", self.count);
        let bytes = cookie.clone() + &question.encode();
        self.control.send(bytes.as_bytes()).await?;
        let reply = timeout(REPLY_LIMIT, self.reply(&cookie)).await??;
        match reply.text("result") {
            Some("ok" | "pong") => Ok(reply),
            _ => Err(format!("rtpengine refuses: {reply:?}").into()),
        }
    }

    /// The reply to the question with this cookie; late ones to others are passed over.
    async fn reply(&self, cookie: &str) -> Result<Value> {
        let mut datagram = vec![0; 65_536];
        loop {
            let length = self.control.recv(&mut datagram).await?;
            let text = String::from_utf8_lossy(datagram.get(..length).unwrap_or_default());
            if let Some(reply) = text.strip_prefix(cookie) {
                return Value::decode(reply)
                    .ok_or_else(|| "rtpengine's reply is no bencode".into());
            }
        }
    }
}

fn sdp(reply: &Value) -> Result<&str> {
    reply
        .text("sdp")
        .ok_or_else(|| "a reply without sdp".into())
}
