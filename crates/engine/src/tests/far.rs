//! A SIP peer on a UDP port that answers as a test says, and a domain name system that is a table.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use housecall_sip::{Message, Method, Peer, ResponseBuilder, StatusCode};
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

use crate::dns::{Answer, Dns, NoAnswer, Query, Records, Srv};

/// A peer that lives as long as this value.
pub(crate) struct Far {
    pub(crate) peer: Peer,
    heard: Arc<Mutex<Vec<Message>>>,
    task: JoinHandle<()>,
}

impl Far {
    /// A peer that answers what `answer` makes of a request; ACK is never answered.
    pub(crate) async fn new(
        mut answer: impl FnMut(&Message) -> Option<Message> + Send + 'static,
    ) -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let peer = Peer::udp(socket.local_addr().unwrap());
        let heard = Arc::new(Mutex::new(Vec::new()));
        let notes = heard.clone();
        let task = tokio::spawn(async move {
            let mut buffer = vec![0; 64 * 1024];
            while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
                let Ok(message) = Message::parse(Bytes::copy_from_slice(&buffer[..length])) else {
                    continue;
                };
                notes.lock().unwrap().push(message.clone());
                let answered = answer(&message).filter(|_| message.method() != Some(&Method::Ack));
                if let Some(answer) = answered {
                    socket.send_to(answer.bytes(), from).await.unwrap();
                }
            }
        });
        Self { peer, heard, task }
    }

    /// A peer that takes everything and says nothing.
    pub(crate) async fn silent() -> Self {
        Self::new(|_| None).await
    }

    /// How many requests of a method came.
    pub(super) fn heard(&self, method: Method) -> usize {
        let heard = self.heard.lock().unwrap();
        let of_method = |message: &&Message| message.method() == Some(&method);
        heard.iter().filter(of_method).count()
    }
}

impl Drop for Far {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// An answer to be finished.
pub(crate) fn status(request: &Message, code: u16) -> ResponseBuilder {
    let status = StatusCode::new(code).unwrap();
    ResponseBuilder::new(request, status).to_tag("far")
}

/// SRV lists by name. Every host is this machine.
#[derive(Debug, Default)]
pub(crate) struct Table {
    pub(crate) lists: BTreeMap<String, Vec<Srv>>,
}

#[async_trait]
impl Dns for Table {
    async fn ask(&self, query: &Query) -> Result<Answer, NoAnswer> {
        let records = match query {
            Query::A(_) => Records::Addresses(vec![IpAddr::V4(Ipv4Addr::LOCALHOST)]),
            Query::Srv(name) => {
                let list = self.lists.get(name).ok_or(NoAnswer::Nothing)?;
                Records::Srv(list.clone())
            }
            Query::Naptr(_) | Query::Aaaa(_) => return Err(NoAnswer::Nothing),
        };
        let ttl = Duration::from_secs(300);
        Ok(Answer { records, ttl })
    }
}

/// A domain name system that is away.
#[derive(Debug)]
pub(crate) struct Away;

#[async_trait]
impl Dns for Away {
    async fn ask(&self, _: &Query) -> Result<Answer, NoAnswer> {
        std::future::pending().await
    }
}
